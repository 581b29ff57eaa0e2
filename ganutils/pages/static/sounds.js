const [length, channels] = data.shape;
const [WIDE, HIGH] = [832, 416]; // pixels of the canvas
let sounds = new Float32Array(); // those on the canvas, [N, C, T] in -1..1
let audio = null; // made when someone first wants to hear it: browsers forbid it before
let source = null; // what plays

const canvas = $("picture");
canvas.style.setProperty("--aspect", `${WIDE} / ${HIGH}`);
canvas.style.imageRendering = "auto";
$("hear").hidden = false;
$("hear").addEventListener("click", () => hear(0));
canvas.addEventListener("click", ({ offsetX, offsetY }) => {
  const { columns, count } = canvas.dataset;
  const [column, row] = [offsetX / canvas.clientWidth, offsetY / canvas.clientHeight].map((x) => Math.min(columns - 1, Math.floor(x * columns)));
  hear(Math.min(count - 1, row * columns + column));
});

/** Draw the waves of `count` sounds [N, C, T] on the canvas, `columns` side by side: of each column of pixels the range. */
function paint(made, count, columns) {
  sounds = made;
  Object.assign(canvas, { width: WIDE, height: HIGH });
  Object.assign(canvas.dataset, { columns, count });
  const context = canvas.getContext("2d");
  const [width, height] = [Math.floor(WIDE / columns), (HIGH * columns) / count];
  context.fillStyle = "white";
  context.fillRect(0, 0, WIDE, HIGH);
  context.fillStyle = "#0072b2";
  for (let n = 0; n < count; n++) {
    const [left, top] = [(n % columns) * width, Math.floor(n / columns) * height];
    for (let c = 0; c < channels; c++) {
      const wave = made.subarray((n * channels + c) * length, (n * channels + c + 1) * length);
      const middle = top + ((c + 0.5) * height) / channels;
      for (let x = 0; x < width - (columns > 1 ? 8 : 0); x++) {
        let [low, high] = [1, -1];
        for (let t = Math.floor((x * length) / width); t <= Math.min(length - 1, ((x + 1) * length) / width); t++) {
          [low, high] = [Math.min(low, wave[t]), Math.max(high, wave[t])];
        }
        const scale = (0.45 * height) / channels;
        context.fillRect(left + x, middle - scale * high, 1, Math.max(1, scale * (high - low)));
      }
    }
  }
}

/** Play the sound number `n` on the canvas, and what played before no more. */
function hear(n) {
  audio ??= new AudioContext();
  audio.resume();
  source?.stop();
  const buffer = audio.createBuffer(channels, length, data.sample_rate);
  for (let c = 0; c < channels; c++) buffer.copyToChannel(sounds.slice((n * channels + c) * length, (n * channels + c + 1) * length), c);
  source = audio.createBufferSource();
  source.buffer = buffer;
  source.connect(audio.destination);
  source.start();
}
