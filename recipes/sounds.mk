# Sounds, as spectrograms and as waves; a part of Makefile.

# Sounds of 4,096 numbers as pictures of 64x64; tiny ones of 256, as 16x16.
SHORT := $(if $(filter tiny,$(SCALE)),--length 256)
OF_SOUNDS := --conditional $(WIDTH) $(call at,--batch=4)

$(OUT)/%-heard.safetensors: | $(OUT)
	gan-data toy:$* $(SHORT) --limit $(call at,40 10000 40000) -o $@
$(OUT)/%-unheard.safetensors: | $(OUT)
	gan-data toy:$* $(SHORT) --seed 1 --limit $(call at,40 2000 4000) -o $@
$(OUT)/%-spectra.safetensors: $(OUT)/%.safetensors
	gan-data $< --spectrogram $(call at,16 64 64) -o $@

## sounds        drums by class, as spectrograms and as waves (Donahue et al. 2019): waves, spectrograms, WAVs, scores [8 min]
sounds: $(OUT)/sounds.png $(OUT)/sounds.wav $(OUT)/sounds-waves.wav $(OUT)/sounds.jsonl

$(OUT)/sounds.ckpt.safetensors: $(OUT)/drums-heard-spectra.safetensors FORCE
	gan-loop $< -o $@ $(OF_SOUNDS) --steps $(call at,2 1500 10000) --decay $(call at,1:2 600:1500 4000:10000)
$(OUT)/sounds-waves.ckpt.safetensors: $(OUT)/drums-heard.safetensors FORCE
	gan-loop $< -o $@ $(OF_SOUNDS) --steps $(call at,2 1500 20000) --decay $(call at,1:2 600:1500 8000:20000)
$(OUT)/sounds.png: $(OUT)/drums-unheard-spectra.safetensors $(OUT)/sounds.ckpt.safetensors $(OUT)/sounds-waves.ckpt.safetensors
	gan-plot $^ --titles 'real,spectrograms,waves' -o $@
# Two of each drum.
$(OUT)/sounds.wav $(OUT)/sounds-waves.wav: $(OUT)/%.wav: $(OUT)/%.ckpt.safetensors
	gan-sample $< -n 8 -o $@
# Noise of the right spectrum is the first line of both scores.
$(OUT)/sounds.jsonl: $(OUT)/drums-unheard-spectra.safetensors $(OUT)/sounds.ckpt.safetensors $(OUT)/drums-unheard.safetensors \
  $(OUT)/sounds-waves.ckpt.safetensors
	{ gan-eval $(wordlist 1,2,$^) --baseline && gan-eval $(wordlist 3,4,$^) --baseline; } >$@.tmp
	mv $@.tmp $@

## vowels        a walk from a over e to i, to hear and to see, with scores [7 min]
vowels: $(OUT)/vowels.png $(OUT)/vowels.wav $(OUT)/vowels.mp4 $(OUT)/vowels.jsonl

$(OUT)/vowels.ckpt.safetensors: $(OUT)/vowels-heard-spectra.safetensors FORCE
	gan-loop $< -o $@ $(OF_SOUNDS) --steps $(call at,2 2000 10000) --decay $(call at,1:2 800:2000 4000:10000)
$(OUT)/vowels.walk.safetensors: $(OUT)/vowels.ckpt.safetensors
	gan-interp --seeds 1 --for $< --through a,e,i --frames $(call at,3 9 9) -o $@
$(OUT)/vowels.film.safetensors $(OUT)/vowels.wav: $(OUT)/vowels%: $(OUT)/vowels.ckpt.safetensors $(OUT)/vowels.walk.safetensors
	gan-sample $< --latents $(word 2,$^) -o $@
$(OUT)/vowels.png: $(OUT)/vowels.film.safetensors
	gan-plot $< -o $@
$(OUT)/vowels.mp4: $(OUT)/vowels.film.safetensors
	gan-gif $< --scale 4 --caption '{frame} of {frames}' -o $@
$(OUT)/vowels.jsonl: $(OUT)/vowels-unheard-spectra.safetensors $(OUT)/vowels.ckpt.safetensors
	gan-eval $^ --baseline >$@.tmp
	mv $@.tmp $@
