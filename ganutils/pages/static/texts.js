const [length, count] = data.shape; // letters in a text, and in the alphabet
const alphabet = [...data.alphabet];
const [WIDE, LINE, SHOWN] = [832, 26, 16]; // pixels of the canvas, and of a line; texts on it

const canvas = $("picture");
canvas.style.setProperty("--aspect", `${WIDE} / ${SHOWN * LINE}`);
canvas.style.imageRendering = "auto";

/** The most likely letters of text `n` of chances [N, A, T]. */
function read(chances, n) {
  let text = "";
  for (let t = 0; t < length; t++) {
    let best = 0;
    for (let a = 1; a < count; a++) {
      if (chances[(n * count + a) * length + t] > chances[(n * count + best) * length + t]) best = a;
    }
    text += alphabet[best];
  }
  return text.trimEnd();
}

/** Write `number` texts on the canvas, one below the other. */
function paint(chances, number) {
  Object.assign(canvas, { width: WIDE, height: SHOWN * LINE });
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, WIDE, canvas.height);
  context.fillStyle = "black";
  context.font = "19px monospace";
  const texts = Array.from({ length: number }, (_, n) => read(chances, n));
  texts.forEach((text, n) => context.fillText(text, 8, (n + 0.75) * LINE, WIDE - 16));
  canvas.ariaLabel = texts.join("\n");
}
