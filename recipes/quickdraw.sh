#!/usr/bin/env bash
# A GAN learns to draw an apple (Krohn et al. 2019). Run it again to continue where it was stopped.
#
#   SCALE=small ./quickdraw.sh              on a CPU, 3 minutes;  SCALE=full on a GPU
#   CATEGORY=cat ./quickdraw.sh             another of the 345 things
#   QUICKDRAW=apple.npy ./quickdraw.sh      bitmaps from there instead of a download
set -euo pipefail
category=${CATEGORY:-apple} out=${OUT:-out/quickdraw.sh}
case ${SCALE:-small} in
  tiny)  model="--width 2 --steps 4" ;;
  small) model="--steps 3000 --decay 1200:3000" ;;
  full)  model="--preset quickdraw2019 --steps 20000" ;;
esac
mkdir -p "$out"

# The drawings, and a picture of them.
gan-data "${QUICKDRAW:-quickdraw:$category}" -o "$out/drawings.safetensors"
gan-info "$out/drawings.safetensors" --preview "$out/data.png"

# Train two networks in turn; draw the curves, and a film of the same latents through training.
gan-loop "$out/drawings.safetensors" $model --log "$out/log.jsonl" --snapshots "$out/shots" --frames 40 -o "$out/gan.ckpt.safetensors"
gan-plot "$out/log.jsonl" -o "$out/curves.png"
gan-sample "$out"/shots/step-*.safetensors -n 36 | gan-gif --scale 3 --caption 'step {step}' --hold 2 -o "$out/film.gif"

# Nine drawings between each pair.
gan-interp --seeds 1-16 --for "$out/gan.ckpt.safetensors" --grid 1x8 --frames 9 \
  | gan-sample "$out/gan.ckpt.safetensors" --latents - | gan-gif --scale 3 -o "$out/between.png"
