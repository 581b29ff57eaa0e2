#!/bin/sh
# Face arithmetic (Radford et al. 2016, figure 7) in latents and in pixels, drawn and scored; of drawn faces, or of CelebA:
#   [OUT=out/faces] [SCALE=small|full] [CELEBA=img_align_celeba.zip ATTRIBUTES=list_attr_celeba.txt [CROP=108]] ./faces.sh
set -eu
OUT=${OUT:-out/faces} data=$OUT/data.safetensors gan=$OUT/gan.ckpt.safetensors told=$OUT/labelled.safetensors
case ${SCALE:-small} in
    small) size=32 draw=40000 steps=4000 model="--width 16 --z-dim 32 --decay 2000:4000" ;;
    full) size=64 draw=100000 steps=40000 model="--width 64 --decay 20000:40000" ;;
    *) echo "faces.sh: SCALE is small or full" >&2; exit 2 ;;
esac
mkdir -p "$OUT"
if [ "${CELEBA:-}" ]; then
    smile=Smiling glasses=Eyeglasses moustache=Mustache from=Male
    set -- "$CELEBA" --attributes "${ATTRIBUTES:?is list_attr_celeba.txt}" --crop "${CROP:-108}"
else
    smile=smiling glasses=glasses moustache=moustache from=hat
    set -- toy:faces --limit $draw
fi
[ -e "$data" ] || gan-data "$@" --size $size -o "$data"
gan-loop "$data" -o "$gan" --steps $steps $model
gan-sample "$gan" -n 4096 | gan-label --like "$data" --root "$OUT" --report "$OUT/labels.json" -o "$told"
for has in "$smile" "$glasses" "$moustache"; do # who has it - who has not + who has not, of the other kind
    name=$OUT/$has sum="[$has & ~$from] - [~$has & ~$from] + [~$has & $from]"
    gan-arith "$told" "$sum" | gan-sample "$gan" --latents - -o "$name.safetensors"
    gan-arith "$told" "$sum" --pixels -q -o "$name-pixels.safetensors"
    gan-gif "$name.safetensors" "$name-pixels.safetensors" --column-labels 'latents,pixels' --paper white --gap 2 --scale 3 -o "$name.png"
    gan-arith "$told" "$sum" --score "$gan" --like "$data" --root "$OUT" | tee "$name.json"
done
gan-arith "$told" --direction "$smile" -o "$OUT/direction.safetensors"
gan-data "$told" --where "~$smile" --limit 8 | gan-interp --rows 0-7 --along "$OUT/direction.safetensors" --reach 1.5 --ease cosine |
    gan-sample "$gan" --latents - | gan-gif --grid 8x1 --fps 20 --scale 3 --bounce -o "$OUT/smile.gif"
