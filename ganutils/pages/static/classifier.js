const [height, width, channels] = data.shape;
const SCALE = Math.max(1, Math.round(320 / Math.max(height, width))); // pixels drawn for one that is classified
const BOX = 20 / 28; // side of a digit's bounding box in MNIST's pictures
canvas.width = width * SCALE;
canvas.height = height * SCALE;
const drawing = offerDrawing({
  ground: () => "black",
  style: () => isPressed("eraser") ? { color: "black", width: 0.2 * canvas.height }
    : { color: $("ink").querySelector("input").value, width: 0.08 * canvas.height },
  changed: () => classify(),
});

/** Where the drawing lies: its bounding box and its center of mass, in pixels of the canvas; null if it is empty. */
function extent() {
  const { data: pixels } = context.getImageData(0, 0, canvas.width, canvas.height);
  let left = Infinity, right = -1, top = Infinity, bottom = -1, sum = 0, x = 0, y = 0;
  for (let i = 0; i < canvas.width * canvas.height; i++) {
    const ink = pixels[4 * i] + pixels[4 * i + 1] + pixels[4 * i + 2];
    if (!ink) continue;
    const column = i % canvas.width, row = Math.floor(i / canvas.width);
    [left, right, top, bottom] = [Math.min(left, column), Math.max(right, column), Math.min(top, row), Math.max(bottom, row)];
    sum += ink;
    x += ink * column;
    y += ink * row;
  }
  return sum ? { side: Math.max(right - left, bottom - top) + 1, x: x / sum, y: y / sum } : null;
}

/** The drawing as the classifier takes it, float32 [1, C, H, W] in 0..1. */
function input() {
  const small = make("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
  small.imageSmoothingQuality = "high";
  const found = $("center").checked && extent();
  small.fillRect(0, 0, width, height);
  if (found) {
    const scale = (BOX * height) / found.side; // as MNIST's digits: 20 of 28, the center of mass in the middle
    small.setTransform(scale, 0, 0, scale, width / 2 - scale * found.x, height / 2 - scale * found.y);
    small.drawImage(canvas, 0, 0);
  } else {
    small.drawImage(canvas, 0, 0, width, height);
  }
  const { data: pixels } = small.getImageData(0, 0, width, height);
  const values = new Float32Array(channels * height * width);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < height * width; i++) values[c * height * width + i] = pixels[4 * i + c] / 255;
  }
  return values;
}

const bars = data.classes.map((name) => {
  const meter = make("meter", { min: 0, max: 1, value: 0 });
  meter.setAttribute("aria-label", name);
  const bar = { meter, share: make("span") };
  bar.row = make("li", {}, make("span", {}, name), meter, bar.share);
  $("answers").append(bar.row);
  return bar;
});

const classifier = open("classifier").catch(failed);
const classify = drawer(async () => {
  const run = await classifier;
  const shares = [...(await run({ images: { values: input(), dims: [1, channels, height, width] } }))];
  const best = Math.max(...shares);
  bars.forEach((bar, i) => {
    bar.meter.value = shares[i];
    bar.share.textContent = `${Math.round(100 * shares[i])} %`;
    bar.row.className = data.are_classes ? (shares[i] === best ? "best" : "") : shares[i] > 0.5 ? "best" : "";
  });
});

canvas.style.setProperty("--aspect", `${width} / ${height}`);
$("ink").hidden = channels === 1;
$("center").checked = channels === 1;
$("center").addEventListener("change", () => classify());
drawing.fill();
classify().then(() => ($("status").textContent = ""));
