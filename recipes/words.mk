# Words to pictures, in one stage and in two; a part of Makefile.

TELLING := --conditional captions --width $(call at,2 24 64) --lr 0.001 $(call at,--batch=4)
ENLARGING := --conditional captions --mismatch 0 --width $(call at,2 32 64) $(call at,--batch=4)
# By networks that are trained on what is held out.
LOOK_FOR := gan-eval --root $(OUT)/classifiers

## words         toy:shapes from sentences: rows, a walk from sentence to sentence as a film, scores [12 min]
words: $(OUT)/words.png $(OUT)/words.gif $(OUT)/words.jsonl

SHAPES := toy:shapes --describe 5 --size $(call at,16 32 32)
$(OUT)/words-seen.safetensors: | $(OUT)
	gan-data $(SHAPES) --limit $(call at,40 20000 40000) -o $@
$(OUT)/words-held.safetensors: | $(OUT)
	gan-data $(SHAPES) --seed 1 --limit $(call at,40 10000 10000) -o $@
$(OUT)/words.ckpt.safetensors: $(OUT)/words-seen.safetensors FORCE
	gan-loop $< -o $@ $(TELLING) --kl 0 --mode-seeking 0.01 --steps $(call at,2 5000 20000) --decay $(call at,1:2 2000:5000 8000:20000)
# The same latents for each sentence.
$(OUT)/words.png: $(OUT)/words.ckpt.safetensors $(call name,$(HERE)/shapes.txt)
	gan-sample $< --text-file '$(HERE)/shapes.txt' -n 8 \
	  | gan-gif --background white --gap 2 --scale 2 --row-labels "$$(paste -sd, '$(HERE)/shapes.txt')" -o $@
$(OUT)/words.film.safetensors: $(OUT)/words.ckpt.safetensors
	gan-interp --seeds 0-7 --for $< --text 'a large red circle above a small blue square' \
	  --text 'a large yellow star above a small green triangle' --closed --frames $(call at,4 60 60) | gan-sample $< --latents - -o $@
WALKED := gan-gif $(OUT)/words.film.safetensors --background white --gap 2 --grid 4x2 --scale 3 --fps 15
$(OUT)/words.gif: $(OUT)/words.film.safetensors
	$(WALKED) -o $@
$(OUT)/words.jsonl: $(OUT)/words-held.safetensors $(OUT)/words.ckpt.safetensors
	$(LOOK_FOR) $^ >$@.tmp
	mv $@.tmp $@

## stages        a sentence, a small face, a large one (Zhang et al. 2017): stage I, bicubic, stage II, with scores [13 min]
stages: $(OUT)/stages.png $(OUT)/stages.jsonl

DRAWN := toy:faces --describe 5
LARGE := $(call at,16 64 128)
$(OUT)/stages-held.safetensors: | $(OUT)
	gan-data $(DRAWN) --size $(LARGE) --seed 1 --limit $(call at,40 2000 4000) -o $@
$(OUT)/stage1-seen.safetensors: | $(OUT)
	gan-data $(DRAWN) --size $$(($(LARGE) / 2)) --limit $(call at,40 20000 40000) -o $@
# Small pictures with the noise that stage I's have, so that stage II takes it away.
$(OUT)/stage2-large.safetensors: | $(OUT)
	gan-data $(DRAWN) --size $(LARGE) --limit $(call at,40 10000 40000) -o $@
$(OUT)/stage2-seen.safetensors: $(OUT)/stage2-large.safetensors
	gan-data $< --size $$(($(LARGE) / 2)) | gan-data - --derive noise:6 --swap | gan-data $< --inputs - -o $@
$(OUT)/stage1.ckpt.safetensors: $(OUT)/stage1-seen.safetensors FORCE
	gan-loop $< -o $@ $(TELLING) --steps $(call at,2 3000 20000) --decay $(call at,1:2 1200:3000 8000:20000)
$(OUT)/stage2.ckpt.safetensors: $(OUT)/stage2-seen.safetensors FORCE
	gan-loop $< -o $@ $(ENLARGING) --steps $(call at,2 1000 10000) --decay $(call at,1:2 500:1000 5000:10000)

# What the held-out captions say, by stage I alone, and by both.
$(OUT)/stages-small.safetensors: $(OUT)/stage1.ckpt.safetensors $(OUT)/stages-held.safetensors
	gan-sample $< --as $(word 2,$^) -o $@
$(OUT)/stages-bicubic.safetensors: $(OUT)/stages-small.safetensors
	gan-data $< --size $(LARGE) --filter bicubic -o $@
$(OUT)/stages-large.safetensors: $(OUT)/stage2.ckpt.safetensors $(OUT)/stages-small.safetensors
	gan-sample $< --inputs $(word 2,$^) -o $@
$(OUT)/stages.jsonl: $(OUT)/stages-held.safetensors $(OUT)/stages-bicubic.safetensors $(OUT)/stages-large.safetensors
	$(LOOK_FOR) $^ >$@.tmp
	mv $@.tmp $@

# Three latents for each sentence.
$(OUT)/stages-small.sheet.safetensors: $(OUT)/stage1.ckpt.safetensors $(call name,$(HERE)/faces.txt)
	gan-sample $< --text-file '$(HERE)/faces.txt' -n 3 -o $@
$(OUT)/stages-nearest.sheet.safetensors $(OUT)/stages-bicubic.sheet.safetensors: $(OUT)/stages-%.sheet.safetensors: $(OUT)/stages-small.sheet.safetensors
	gan-data $< --size $(LARGE) --filter $* -o $@
$(OUT)/stages-large.sheet.safetensors: $(OUT)/stage2.ckpt.safetensors $(OUT)/stages-small.sheet.safetensors
	gan-sample $< --inputs $(word 2,$^) -o $@
$(OUT)/stages.png: $(OUT)/stages-nearest.sheet.safetensors $(OUT)/stages-bicubic.sheet.safetensors $(OUT)/stages-large.sheet.safetensors \
  $(OUT)/stages.jsonl
	gan-gif $(wordlist 1,3,$^) --background white --gap 2 --show images --grid 3x6 --scale 2 --row-labels "$$(paste -sd, '$(HERE)/faces.txt')" \
	  --column-labels 'stage I,bicubic,stage II' -o $@ --caption \
	  "of bicubic / stage II: sharpness $(call said,sharpness,$(word 4,$^)) · $(call FRECHET,$(word 4,$^))"
