const SIDE = 4; // of the grid
const WALK = 90; // frames from one latent to the next
let bases = data.latents.map((latent) => Float32Array.from(latent)); // one for each sample of the grid
let label = 0;
let walk = null; // {from, to, frame} while one plays
let shown = []; // the latents of the samples on the canvas

const sliders = data.directions.map((direction) => {
  const one = slider(direction.name, -direction.reach, direction.reach, 0, () => draw());
  $(direction.isNamed ? "named" : "main").append(one.row);
  return { input: one.input, vector: direction.vector };
});
$("named").hidden = !data.directions.some((direction) => direction.isNamed);
$("main").hidden = data.directions.every((direction) => direction.isNamed);

/** A latent with what the sliders add. */
function moved(base) {
  const z = Float32Array.from(base);
  for (const { input, vector } of sliders) {
    const amount = Number(input.value);
    if (amount) for (let i = 0; i < z.length; i++) z[i] += amount * vector[i];
  }
  return z;
}

/** Between two latents: the great circle for a normal prior (White 2016), the straight line for a uniform one. */
function between(a, b, t) {
  const size = (v) => Math.hypot(...v);
  const cosine = a.reduce((sum, x, i) => sum + x * b[i], 0) / (size(a) * size(b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (data.prior === "uniform" || Math.sin(angle) < 1e-4) return a.map((x, i) => (1 - t) * x + t * b[i]);
  const radius = (1 - t) * size(a) + t * size(b);
  const [p, q] = [Math.sin((1 - t) * angle) / size(a), Math.sin(t * angle) / size(b)];
  return a.map((x, i) => (radius * (p * x + q * b[i])) / Math.sin(angle));
}

const isGrid = () => $("grid").getAttribute("aria-pressed") === "true";

const generator = open("generator").catch(failed);
const draw = drawer(async () => {
  const run = await generator;
  shown = (isGrid() ? bases : bases.slice(0, 1)).map(moved);
  const values = Float32Array.from(shown.flatMap((z) => [...z]));
  const samples = await run({ latents: { values, dims: [shown.length, data.z_dim] }, ...labelsOf(label, shown.length) });
  paint(samples, shown.length, isGrid() ? SIDE : 1);
});

function toggle(button) {
  const isOn = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", isOn);
  return isOn;
}

function renew() {
  bases = bases.map(() => drawLatent(data.z_dim, data.prior));
  draw();
}

async function play() {
  while (walk) {
    const { from, to, frame } = walk;
    bases = from.map((base, i) => between(base, to[i], frame / WALK));
    walk = frame < WALK ? { from, to, frame: frame + 1 }
      : { from: to, to: to.map(() => drawLatent(data.z_dim, data.prior)), frame: 1 };
    await draw();
  }
}

offerClasses(data.classes, (number) => {
  label = number;
  draw();
});
$("new").addEventListener("click", renew);
$("grid").addEventListener("click", () => { toggle($("grid")); draw(); });
$("play").addEventListener("click", () => {
  walk = toggle($("play")) ? { from: bases, to: bases.map(() => drawLatent(data.z_dim, data.prior)), frame: 1 } : null;
  play();
});
$("reset").addEventListener("click", () => {
  sliders.forEach(({ input }) => (input.value = 0));
  draw();
});
$("save").addEventListener("click", () => $("picture").toBlob((blob) => save(blob, "samples.png")));
$("latents").addEventListener("click", () => save(new Blob([latentsAsJson()], { type: "application/json" }), "latents.json"));

/** What gan-sample --latents reads. */
function latentsAsJson() {
  const labels = data.classes.length ? { labels: shown.map(() => label) } : {};
  return JSON.stringify({ latents: shown.map((z) => [...z]), ...labels });
}

draw().then(() => ($("status").textContent = ""));
