# Pictures to pictures between two sets that have no pairs; a part of Makefile. Each kind of data has three parts:
# what is learned from, what is held out to judge by, and four of either set that are shown.

OF_SCALE := $(if $(filter tiny,$(SCALE)),--width 2 --batch 2 --buffer 4)$(if $(filter full,$(SCALE)),--width 32)
between = --domains $(OF_SCALE) --steps $(lastword $(subst :, ,$(call at,$(1)))) --decay $(call at,$(1))
of_seen := $(SEEN)
of_held := --seed 1 $(HELD)
of_few := --seed 1 --limit 4 --size $(SIDE)
EIGHT := $(SHEET) --grid 1x8

## cycle         sketches and faces without pairs, there and back (Zhu et al. 2017), with a film and scores [9 min]
cycle: $(OUT)/cycle.png $(OUT)/cycle.gif $(OUT)/cycle.jsonl

# The halves of one set: no face is in both.
$(OUT)/cycle-%/sketches.safetensors: | $(OUT)
	mkdir -p $(@D)
	gan-data toy:faces --derive sketch --swap --channels 3 --split 0-50% $(of_$*) -o $@
$(OUT)/cycle-%/faces.safetensors: | $(OUT)
	mkdir -p $(@D)
	gan-data toy:faces --split 50-100% $(of_$*) -o $@
CYCLE_DATA := $(OUT)/cycle-seen.safetensors $(OUT)/cycle-few.safetensors
$(CYCLE_DATA): $(OUT)/cycle-%.safetensors: $(OUT)/cycle-%/sketches.safetensors $(OUT)/cycle-%/faces.safetensors
	gan-data $^ -o $@

$(OUT)/cycle.ckpt.safetensors: $(OUT)/cycle-seen.safetensors FORCE
	gan-loop $< -o $@ $(call between,1:2 3250:6500 20000:40000) --snapshots $(OUT)/cycle-shots $(FRAMES)
$(OUT)/cycle.png: $(OUT)/cycle.ckpt.safetensors $(OUT)/cycle-few.safetensors
	gan-sample $< --inputs $(word 2,$^) --back | $(EIGHT) -o $@
$(OUT)/cycle.film.safetensors: $(OUT)/cycle.ckpt.safetensors $(OUT)/cycle-few.safetensors
	gan-sample $(OUT)/cycle-shots/step-*.safetensors --inputs $(word 2,$^) --back -o $@
$(OUT)/cycle.gif: $(OUT)/cycle.film.safetensors
	$(EIGHT) $< --fps 10 --hold 2 --caption 'step {step}' -o $@
# Sketches whose faces are known tell how far those are that were made of them.
$(OUT)/cycle.jsonl: $(OUT)/sketch-held.safetensors $(OUT)/cycle.ckpt.safetensors $(OUT)/sketch-judge.safetensors
	$(SCORES) --to faces >$@.tmp
	mv $@.tmp $@

## disco         faces with hats, and hats, without pairs: shapes change (Kim et al. 2017), with scores [9 min]
disco: $(OUT)/disco.png $(OUT)/disco.jsonl

$(OUT)/disco-%/faces.safetensors: | $(OUT)
	mkdir -p $(@D)
	gan-data toy:faces --where hat $(of_$*) -o $@
$(OUT)/disco-%/hats.safetensors: | $(OUT)
	mkdir -p $(@D)
	gan-data toy:hats $(patsubst 1,3,$(of_$*)) $(if $(filter seen,$*),--seed 2) --class hats -o $@
DISCO_DATA := $(OUT)/disco-seen.safetensors $(OUT)/disco-few.safetensors
$(DISCO_DATA): $(OUT)/disco-%.safetensors: $(OUT)/disco-%/faces.safetensors $(OUT)/disco-%/hats.safetensors
	gan-data $^ -o $@

# The paper's settings, but for a width and a batch that two cores can do.
$(OUT)/disco.ckpt.safetensors: $(OUT)/disco-seen.safetensors FORCE
	gan-loop $< -o $@ --preset discogan2017 --width $(call at,2 24 64) --batch $(call at,2 32 64) --steps $(call at,2 1200 10000)
$(OUT)/disco.png: $(OUT)/disco.ckpt.safetensors $(OUT)/disco-few.safetensors
	gan-sample $< --inputs $(word 2,$^) --back | $(EIGHT) -o $@
$(OUT)/disco.jsonl: $(OUT)/hats-held.safetensors $(OUT)/disco.ckpt.safetensors $(OUT)/hats-judge.safetensors
	$(SCORES) --to hats >$@.tmp
	mv $@.tmp $@

## ageing        the same latents as young and as old; a given face grown older, and back; CELEBA, ROOT as for faces [9 min]
ageing: $(OUT)/ageing.png $(OUT)/ages.png $(OUT)/ageing.jsonl

# Of CelebA the attribute Young; of drawn faces those below 0.35 and above 0.65 of an age in 0..1.
OF_PHOTOS_seen = --crop $(CROP) --split 0-90%
OF_PHOTOS_held = --crop $(CROP) --split 90-100%
OF_PHOTOS_few = $(OF_PHOTOS_held)
AGES = $(if $(PHOTOS),$(PHOTOS) $(OF_PHOTOS_$*),toy:faces:age) $(of_$*) --where
$(OUT)/ages-%/young.safetensors: | $(OUT)
	mkdir -p $(@D)
	gan-data $(AGES) '$(if $(PHOTOS),Young,age<0.35)' -o $@
$(OUT)/ages-%/old.safetensors: | $(OUT)
	mkdir -p $(@D)
	gan-data $(AGES) '$(if $(PHOTOS),~Young,age>0.65)' -o $@
AGES_DATA := $(OUT)/ages-seen.safetensors $(OUT)/ages-held.safetensors $(OUT)/ages-few.safetensors
$(AGES_DATA): $(OUT)/ages-%.safetensors: $(OUT)/ages-%/young.safetensors $(OUT)/ages-%/old.safetensors
	gan-data $^ -o $@

$(OUT)/ages-small.safetensors: $(OUT)/ages-seen.safetensors
	gan-data $< --size $(call at,16 32 64) -o $@
$(OUT)/ages.ckpt.safetensors: $(OUT)/ages-small.safetensors FORCE
	gan-loop $< -o $@ --conditional $(WIDTH) --steps $(call at,4 2500 20000) --decay $(call at,1:4 1250:2500 10000:20000)
$(OUT)/ages-%.sheet.safetensors: $(OUT)/ages.ckpt.safetensors
	gan-sample $< --seeds 0-15 --label $* -o $@
$(OUT)/ages.png: $(OUT)/ages-young.sheet.safetensors $(OUT)/ages-old.sheet.safetensors
	$(SHEET) $^ --grid 4x4 --column-labels young,old --scale 3 -o $@

# Gray hair does not tell what color it had, so the way back must not weigh too much.
$(OUT)/ageing.ckpt.safetensors: $(OUT)/ages-seen.safetensors FORCE
	gan-loop $< -o $@ $(call between,1:2 3250:6500 20000:40000) --cycle 5
$(OUT)/ageing.png: $(OUT)/ageing.ckpt.safetensors $(OUT)/ages-few.safetensors
	gan-sample $< --inputs $(word 2,$^) --back | $(EIGHT) -o $@
# What they keep, by a classifier of the attributes of faces of any age; and whether they are old.
$(OUT)/anyage-seen.safetensors: | $(OUT)
	gan-data $(if $(PHOTOS),$(PHOTOS) $(OF_PHOTOS_seen),toy:faces:age --seed 2) $(SEEN) -o $@
$(OUT)/ageing.jsonl: $(OUT)/ages-held.safetensors $(OUT)/ageing.ckpt.safetensors $(OUT)/anyage-judge.safetensors
	$(SCORES) --to old >$@.tmp
	gan-eval $(wordlist 1,2,$^) --root $(OUT)/classifiers --to old >>$@.tmp
	mv $@.tmp $@

## recolor       digits, black on white and colored on black, without pairs: they stay what they are [4 min]
recolor: $(OUT)/recolor.png $(OUT)/recolor.jsonl

LOOK := --size $(call at,16 32 32)
$(OUT)/recolor-seen/black.safetensors: | $(OUT)
	mkdir -p $(@D)
	gan-data "$(MNIST)" --invert $(LOOK) --split 0-45% --class black -o $@
$(OUT)/recolor-seen/colored.safetensors: | $(OUT)
	mkdir -p $(@D)
	gan-data "$(MNIST)" --tint $(LOOK) --split 45-90% --class colored -o $@
$(OUT)/recolor-held/black.safetensors: | $(OUT)
	mkdir -p $(@D)
	gan-data "$(MNIST)" --invert $(LOOK) --split 90-100% -o $@
$(OUT)/recolor-held/colored.safetensors: | $(OUT)
	mkdir -p $(@D)
	gan-data "$(MNIST)" --tint $(LOOK) --split 90-100% -o $@
$(OUT)/recolor-few/%.safetensors: $(OUT)/recolor-held/%.safetensors
	mkdir -p $(@D)
	gan-data $< --limit 4 --class $* -o $@
$(OUT)/recolor-looks/%.safetensors: $(OUT)/recolor-held/%.safetensors
	mkdir -p $(@D)
	gan-data $< --class $* -o $@
RECOLOR_DATA := $(OUT)/recolor-seen.safetensors $(OUT)/recolor-few.safetensors $(OUT)/recolor-looks.safetensors
$(RECOLOR_DATA): $(OUT)/recolor-%.safetensors: $(OUT)/recolor-%/black.safetensors $(OUT)/recolor-%/colored.safetensors
	gan-data $^ -o $@
# The same digits in both looks.
$(OUT)/recolor-held.safetensors: $(OUT)/recolor-held/black.safetensors $(OUT)/recolor-held/colored.safetensors
	gan-data $(word 2,$^) --inputs $< -o $@

$(OUT)/recolor.ckpt.safetensors: $(OUT)/recolor-seen.safetensors FORCE
	gan-loop $< -o $@ $(call between,1:2 2000:4000 10000:20000)
$(OUT)/recolor.png: $(OUT)/recolor.ckpt.safetensors $(OUT)/recolor-few.safetensors
	gan-sample $< --inputs $(word 2,$^) --back | $(EIGHT) -o $@
# Whether they are the digits that they were, and whether they are colored.
$(OUT)/recolor.jsonl: $(OUT)/recolor.ckpt.safetensors $(OUT)/recolor-held.safetensors $(OUT)/recolor-looks.safetensors
	gan-eval $(word 2,$^) $< --root $(OUT)/classifiers --to colored >$@.tmp
	gan-eval $(word 3,$^) $< --root $(OUT)/classifiers --to colored >>$@.tmp
	mv $@.tmp $@
