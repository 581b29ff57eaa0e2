# Texts; a part of Makefile.

## sentences     a generator of sentences (Gulrajani et al. 2017): lines, a sheet, a GANimation, scores [6 min]
sentences: $(OUT)/sentences.txt $(OUT)/sentences.png $(OUT)/sentences.gif $(OUT)/sentences.jsonl

$(OUT)/sentences.safetensors: | $(OUT)
	gan-data toy:sentences --limit $(call at,60 20000 40000) -o $@
$(OUT)/sentences.ckpt.safetensors: $(OUT)/sentences.safetensors FORCE
	gan-loop $< -o $@ $(call at,--width=2) $(call at,--batch=4) --steps $(call at,2 12000 40000) --decay $(call at,1:2 5000:12000 15000:40000) \
	  --snapshots $(OUT)/sentences-shots --frames $(call at,2 40 60)
$(OUT)/sentences.txt $(OUT)/sentences.png: $(OUT)/sentences.ckpt.safetensors
	gan-sample $< -n 64 --seed 1 -o $@
$(OUT)/sentences.gif: $(OUT)/sentences.ckpt.safetensors
	gan-sample $(OUT)/sentences-shots/step-*.safetensors -n 16 --seed 1 | gan-gif --fps 6 --caption 'step {step}' --hold 3 -o $@
# The first two lines are of the sentences themselves with their letters, and their words, in any order.
$(OUT)/sentences.jsonl: $(OUT)/sentences.safetensors $(OUT)/sentences.ckpt.safetensors
	gan-eval $^ --baseline >$@.tmp
	mv $@.tmp $@
