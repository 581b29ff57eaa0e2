#!/usr/bin/env bash
# A GAN learns to write digits. Run it again to continue where it was stopped.
#
#   SCALE=small ./mnist.sh          on a CPU, 3 minutes;  SCALE=full on a GPU
#   MNIST=folder ./mnist.sh         MNIST's four files from there;  MNIST=digits: 5,000 digits without a download
set -euo pipefail
out=${OUT:-out/mnist.sh}
case ${SCALE:-small} in
  tiny)  model="--width 2 --steps 4" ;;
  small) model="--steps 3000 --decay 1200:3000" ;;
  full)  model="--width 32 --steps 20000 --decay 8000:20000" ;;
esac
mkdir -p "$out"

# The data, and a picture of it.
gan-data "${MNIST:-mnist}" -o "$out/digits.safetensors"
gan-info "$out/digits.safetensors" --preview "$out/data.png"

# Train two networks in turn: D learns to tell real from fake, G to pass for real. Snapshots are taken on the way.
gan-loop "$out/digits.safetensors" $model --conditional --snapshots "$out/shots" --frames 40 -o "$out/gan.ckpt.safetensors"

# Ten digits of each class; the same latents through training; a walk from one latent to the next, and back.
gan-sample "$out/gan.ckpt.safetensors" -n 100 | gan-gif --scale 2 -o "$out/sheet.png"
gan-sample "$out"/shots/step-*.safetensors -n 40 | gan-gif --grid 8x5 --scale 2 --caption 'step {step}' --hold 2 -o "$out/film.gif"
gan-interp --seeds 1-8 --for "$out/gan.ckpt.safetensors" --closed --method spline \
  | gan-sample "$out/gan.ckpt.safetensors" --latents - --label 7 | gan-gif --fps 20 --scale 6 -o "$out/walk.gif"
