const SIDE = 320; // pixels of the canvas, about
const LARGEST = 256; // side of an opened picture, as the generator is given it
const channels = data.channels; // of what it is given
let [height, width] = data.size;
let scale = 1; // pixels of the canvas for one that the generator is given
let label = 0;
let color = data.palette[Math.min(1, data.palette.length - 1)];

const drawing = offerDrawing({
  ground: () => data.palette[0],
  style: () => ({
    color: isPressed("eraser") ? data.palette[0] : color,
    width: Number($("width").value) * scale * (isPressed("eraser") ? 3 : 1),
    isBox: isPressed("box"),
  }),
  changed: () => draw(),
});

/** A canvas for pictures of another size, which cannot be undone. */
function resize(h, w) {
  [height, width, scale] = [h, w, Math.max(1, Math.round(SIDE / Math.max(h, w)))];
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.setProperty("--aspect", `${width} / ${height}`);
  $("picture").style.setProperty("--aspect", `${width} / ${height}`);
  drawing.forget();
}

/** The drawing as the generator takes it, float32 [1, c, h, w] in 0..1: the mean of each pixel's part of the canvas. */
function values() {
  const { data: pixels } = context.getImageData(0, 0, canvas.width, canvas.height);
  const sums = new Float32Array(channels * height * width);
  for (let y = 0; y < canvas.height; y++) {
    const row = Math.floor(y / scale) * width;
    for (let x = 0; x < canvas.width; x++) {
      const at = 4 * (y * canvas.width + x), to = row + Math.floor(x / scale);
      if (channels === 1) sums[to] += 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
      else for (let c = 0; c < 3; c++) sums[c * height * width + to] += pixels[at + c];
    }
  }
  return sums.map((sum) => sum / (255 * scale * scale));
}

const generator = open("generator").catch(failed);
const draw = drawer(async () => {
  const run = await generator;
  const [h, w] = [height, width];
  paint(await run({ inputs: { values: values(), dims: [1, channels, h, w] }, ...labelsOf(label, 1) }), h * data.scale, w * data.scale);
});

/** Draw a picture [C, H, W] in 0..1. */
function paint(pixels, h, w) {
  const picture = $("picture");
  [picture.width, picture.height] = [w, h];
  const image = picture.getContext("2d").createImageData(w, h);
  for (let i = 0; i < h * w; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(255 * pixels[(data.made === 3 ? c : 0) * h * w + i]);
    image.data[4 * i + 3] = 255;
  }
  picture.getContext("2d").putImageData(image, 0, 0);
}

/** Put a picture, an element, on the canvas in the size that the generator is given. */
function show(image, h, w) {
  if (h !== height || w !== width) resize(h, w);
  drawing.keep();
  const small = make("canvas", { width: w, height: h }).getContext("2d");
  small.fillStyle = data.palette[0];
  small.fillRect(0, 0, w, h);
  small.imageSmoothingQuality = "high";
  small.drawImage(image, 0, 0, w, h);
  context.imageSmoothingEnabled = false;
  context.drawImage(small.canvas, 0, 0, canvas.width, canvas.height);
  return draw();
}

$("palette").append(...data.palette.map((ink, number) => {
  const button = make("button", { title: ink });
  button.style.setProperty("--ink", ink);
  button.setAttribute("aria-label", `Color ${number + 1}, ${ink}`);
  button.setAttribute("aria-pressed", ink === color);
  button.addEventListener("click", () => {
    color = ink;
    for (const one of $("palette").children) one.setAttribute("aria-pressed", one === button);
    $("eraser").setAttribute("aria-pressed", false);
  });
  return button;
}));
$("examples").hidden = !data.examples.length;
data.examples.forEach((source, number) => {
  const image = make("img", { src: source, alt: `Example ${number + 1}` });
  const button = make("button", {}, image);
  button.addEventListener("click", () => show(image, image.naturalHeight, image.naturalWidth));
  $("examples").querySelector("div").append(button);
});
offerClasses(data.classes, (number) => {
  label = number;
  draw();
});
$("open").addEventListener("change", async () => {
  const [file] = $("open").files;
  if (!file) return;
  try {
    const image = await createImageBitmap(file);
    const part = Math.min(1, LARGEST / Math.max(image.width, image.height));
    await show(image, Math.max(1, Math.round(image.height * part)), Math.max(1, Math.round(image.width * part)));
    $("status").textContent = "";
  } catch {
    $("status").textContent = `${file.name} is no picture that this browser can read`;
  }
});
$("save").addEventListener("click", () => $("picture").toBlob((blob) => save(blob, "picture.png")));
$("width").value = Math.max(1, Math.round(height / 40));
resize(height, width);
drawing.fill();
draw().then(() => ($("status").textContent = ""));
