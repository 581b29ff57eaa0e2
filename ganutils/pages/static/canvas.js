const canvas = $("drawing");
const context = canvas.getContext("2d", { willReadFrequently: true });
const MOST_PAST = 50; // changes that can be undone

/**
 * Let people draw on the canvas with a pen, a finger or the mouse, and offer the buttons undo and clear.
 * ground() is the color of the empty canvas; style() of the next stroke is {color, width, isBox}, in pixels of the canvas;
 * changed() is called whenever the picture has changed.
 */
function offerDrawing({ ground, style, changed }) {
  let past = []; // pictures before each change
  let first = null, last = null; // where a stroke began, and where it is

  const keep = () => {
    past.push(context.getImageData(0, 0, canvas.width, canvas.height));
    past = past.slice(-MOST_PAST);
  };
  const position = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  };
  const stroke = (to) => {
    const { color, width, isBox } = style();
    context.fillStyle = context.strokeStyle = color;
    if (isBox) {
      context.putImageData(past[past.length - 1], 0, 0);
      context.fillRect(...first, to[0] - first[0], to[1] - first[1]);
    } else {
      context.lineWidth = width;
      context.lineCap = context.lineJoin = "round";
      context.beginPath();
      context.moveTo(...last);
      context.lineTo(...to);
      context.stroke();
    }
    last = to;
    changed();
  };
  const fill = () => {
    context.fillStyle = ground();
    context.fillRect(0, 0, canvas.width, canvas.height);
  };

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    keep();
    first = last = position(event);
    stroke(last);
  });
  canvas.addEventListener("pointermove", (event) => { if (last) stroke(position(event)); });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (last = null));
  $("undo").addEventListener("click", () => {
    if (past.length) context.putImageData(past.pop(), 0, 0);
    changed();
  });
  $("clear").addEventListener("click", () => {
    keep();
    fill();
    changed();
  });
  return { fill, keep, forget: () => (past = []) };
}

/** A button that stays pressed until it is pressed again, as people press it. */
const isPressed = (id) => $(id).getAttribute("aria-pressed") === "true";
for (const button of document.querySelectorAll("button[aria-pressed]")) {
  button.addEventListener("click", () => button.setAttribute("aria-pressed", !isPressed(button.id)));
}
