#!/bin/sh
# Face arithmetic (Radford et al. 2016, figure 7) in latents and in pixels, of drawn faces or of CelebA:
# [SCALE=small|full] [CELEBA=img_align_celeba.zip ATTRIBUTES=list_attr_celeba.txt | ROOT=folder of celeba/] ./faces.sh
set -eu; OUT=${OUT:-out/faces} SCALE=${SCALE:-small}; mkdir -p "$OUT"
data=$OUT/data.safetensors gan=$OUT/gan.ckpt.safetensors told=$OUT/labeled.safetensors samples=4096 features=auto
if [ "$SCALE" = full ]; then set -- 64 100000 --width 64 --steps 40000 --decay 20000:40000
elif [ "$SCALE" = tiny ]; then samples=2048 features=pixels; set -- 16 1000 --width 8 --z-dim 8 --batch 16 --steps 300
else set -- 32 40000 --steps 4000 --decay 2000:4000; fi # four minutes on 2 quiet CPU cores
size=$1 limit=$2 ways=smiling sums='smiling/hat glasses/hat moustache/hat'; shift 2
if [ "${CELEBA:-}${ROOT:-}" ]; then
    ways='Smiling Young' sums='Smiling/Male Eyeglasses/Male Mustache/Smiling' # CelebA has no woman with a mustache
    [ -e "$data" ] || gan-data "${CELEBA:-celeba}" ${CELEBA:+--attributes "$ATTRIBUTES"} ${ROOT:+--root "$ROOT"} \
        --crop "${CROP:-108}" --size "$size" -o "$data"
else [ -e "$data" ] || gan-data toy:faces --limit "$limit" --size "$size" -o "$data"; fi
gan-loop "$data" -o "$gan" "$@"
gan-sample "$gan" -n "$samples" --seed 0 |
    gan-label --like "$data" --features "$features" --root "$OUT" --report "$OUT/labels.json" -o "$told"
for way in $ways; do # a slider each: along the difference of the means of those with the attribute and those without
    gan-arith "$told" --direction "$way" -o "$OUT/$way.safetensors"
    gan-data "$told" --where "~$way" --limit 8 --seed 0 |
        gan-interp --rows 0-7 --along "$OUT/$way.safetensors" --reach 1.5 --ease cosine |
        gan-sample "$gan" --latents - | gan-gif --grid 8x1 --fps 20 --scale 3 --bounce -o "$OUT/$way.gif"
done
for both in $sums; do # with it - without it + others without it = others with it; the rarest last
    has=${both%/*} kind=${both#*/}; name=$OUT/$has sum="[$has & ~$kind] - [~$has & ~$kind] + [~$has & $kind]"
    gan-arith "$told" "$sum" --seed 0 | gan-sample "$gan" --latents - -o "$name-latents.safetensors"
    gan-arith "$told" "$sum" --pixels -q -o "$name-pixels.safetensors"
    gan-gif "$name-latents.safetensors" "$name-pixels.safetensors" --column-labels latents,pixels --title "$sum" \
        --background white --gap 2 --scale 3 -o "$name.png"
    gan-arith "$told" "$sum" --top 20 --score "$gan" --like "$data" --features "$features" --root "$OUT" --seed 0 -o "$name.json"
done
