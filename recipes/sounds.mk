# Sounds, as spectrograms and as waves; a part of Makefile.

# Sounds of 4,096 numbers, pictures of 64x64; of tiny ones 256, and 16x16.
SHORT := $(if $(filter tiny,$(SCALE)),--length 256)
SPECTRA := --spectrogram $(call at,16 64 64)
OF_SPECTRA := --conditional --width $(call at,2 16 32) --r1 0.5 --lr 0.001
AS_WAVES := --conditional --width $(call at,2 16 32)

$(OUT)/%-seen.safetensors: | $(OUT)
	gan-data toy:$* $(SHORT) $(call at,--limit=100) -o $@
$(OUT)/%-unseen.safetensors: | $(OUT)
	gan-data toy:$* $(SHORT) --seed 1 --limit $(call at,100 2000 4000) -o $@
$(OUT)/%-spectra.safetensors: $(OUT)/%.safetensors
	gan-data $< $(SPECTRA) -o $@

## sounds        drums by class, as spectrograms and as waves (Donahue et al. 2019): a figure, WAVs, scores [8 min]
sounds: $(OUT)/sounds.png $(OUT)/sounds.wav $(OUT)/sounds-waves.wav $(OUT)/sounds.jsonl $(OUT)/sounds-waves.jsonl

$(OUT)/sounds.ckpt.safetensors: $(OUT)/drums-seen-spectra.safetensors FORCE
	gan-loop $< -o $@ $(OF_SPECTRA) --steps $(call at,2 2000 10000) --decay $(call at,1:2 800:2000 4000:10000)
$(OUT)/sounds-waves.ckpt.safetensors: $(OUT)/drums-seen.safetensors FORCE
	gan-loop $< -o $@ $(AS_WAVES) --steps $(call at,2 2000 20000) --decay $(call at,1:2 800:2000 8000:20000)
$(OUT)/sounds.png: $(OUT)/drums-seen-spectra.safetensors $(OUT)/sounds.ckpt.safetensors $(OUT)/sounds-waves.ckpt.safetensors
	gan-plot $^ --titles 'real,spectrograms,waves' -o $@
# Two of each drum.
$(OUT)/sounds%.wav: $(OUT)/sounds%.ckpt.safetensors
	gan-sample $< -n 8 -o $@
$(OUT)/sounds.wav: $(OUT)/sounds.ckpt.safetensors
	gan-sample $< -n 8 -o $@
$(OUT)/sounds.jsonl: $(OUT)/drums-unseen-spectra.safetensors $(OUT)/sounds.ckpt.safetensors
	gan-eval $^ --baseline >$@.tmp
	mv $@.tmp $@
$(OUT)/sounds-waves.jsonl: $(OUT)/drums-unseen.safetensors $(OUT)/sounds-waves.ckpt.safetensors
	gan-eval $^ --baseline >$@.tmp
	mv $@.tmp $@

## vowels        a walk from a to i, to hear and to see, with scores [6 min]
vowels: $(OUT)/vowels.png $(OUT)/vowels.wav $(OUT)/vowels.mp4 $(OUT)/vowels.jsonl

$(OUT)/vowels.ckpt.safetensors: $(OUT)/vowels-seen-spectra.safetensors FORCE
	gan-loop $< -o $@ $(OF_SPECTRA) --steps $(call at,2 1500 10000) --decay $(call at,1:2 600:1500 4000:10000)
$(OUT)/vowels.film.safetensors: $(OUT)/vowels.ckpt.safetensors
	gan-interp --seeds 1 --for $< --through a,e,i --frames $(call at,3 9 9) | gan-sample $< --latents - -o $@
