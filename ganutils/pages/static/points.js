const CELLS = 64; // of the plane's grid, along each side
const SHOWN = 8; // sliders
const [low, high] = data.range;
const context = $("plane").getContext("2d");
const side = $("plane").width;
const dimensions = data.shape[0];
let cloud = data.latents.map((latent) => Float32Array.from(latent));
let label = 0;

const sliders = Array.from({ length: Math.min(SHOWN, data.z_dim) }, (_, i) => {
  const reach = data.prior === "uniform" ? 1 : 3;
  const one = slider(`z${i}`, -reach, reach, 0, () => draw());
  $("main").append(one.row);
  return one.input;
});

const toPixel = (value) => ((value - low) / (high - low)) * side;
const place = (points, n) => // points of one dimension lie on a line in the middle
  dimensions > 1 ? [toPixel(points[n * dimensions]), side - toPixel(points[n * dimensions + 1])] : [toPixel(points[n]), side / 2];

const generator = open("generator").catch(failed);
const discriminator = data.graphs.discriminator ? open("discriminator").catch(failed) : null;

/** The discriminator's D(x) in 0..1, as the lightness of the plane. */
async function paintOpinion() {
  const run = await discriminator;
  const values = new Float32Array(CELLS * CELLS * dimensions);
  for (let n = 0; n < CELLS * CELLS; n++) {
    values[n * dimensions] = low + (((n % CELLS) + 0.5) / CELLS) * (high - low);
    if (dimensions > 1) values[n * dimensions + 1] = high - ((Math.floor(n / CELLS) + 0.5) / CELLS) * (high - low);
  }
  const logits = await run({ points: { values, dims: [CELLS * CELLS, dimensions] }, ...labelsOf(label, CELLS * CELLS) });
  const cell = side / CELLS;
  logits.forEach((logit, n) => {
    const share = 1 / (1 + Math.exp(-logit));
    context.fillStyle = `hsl(210 45% ${Math.round(20 + 70 * share)}%)`;
    context.fillRect((n % CELLS) * cell, Math.floor(n / CELLS) * cell, cell + 1, cell + 1);
  });
}

function dot([x, y], radius, color) {
  context.fillStyle = color;
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fill();
}

const draw = drawer(async () => {
  const run = await generator;
  const z = Float32Array.from(cloud[0]);
  sliders.forEach((input, i) => (z[i] = Number(input.value)));
  const all = [...cloud, z];
  const values = Float32Array.from(all.flatMap((one) => [...one]));
  const points = await run({ latents: { values, dims: [all.length, data.z_dim] }, ...labelsOf(label, all.length) });
  context.fillStyle = "hsl(210 45% 55%)";
  context.fillRect(0, 0, side, side);
  if (discriminator) await paintOpinion();
  cloud.forEach((_, n) => dot(place(points, n), 2.5, "#d1242f"));
  dot(place(points, cloud.length), 9, "black");
  dot(place(points, cloud.length), 7, "#ffd33d");
  const large = points.slice(cloud.length * dimensions);
  $("where").textContent = `The large point: ${[...large].map((x) => x.toFixed(2)).join(", ")}`;
});

$("legend").textContent = discriminator
  ? "Red: generated points. The lighter the ground, the more real the discriminator takes points there for."
  : "Red: generated points.";
offerClasses(data.classes, (number) => {
  label = number;
  draw();
});
$("new").addEventListener("click", () => {
  cloud = cloud.map(() => drawLatent(data.z_dim, data.prior));
  sliders.forEach((input, i) => (input.value = cloud[0][i]));
  draw();
});
sliders.forEach((input, i) => (input.value = cloud[0][i]));
draw().then(() => ($("status").textContent = ""));
