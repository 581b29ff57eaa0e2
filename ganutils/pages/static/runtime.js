/** The bytes of a gzip in base64. */
async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** onnxruntime-web, from what lies in the page: it fetches nothing. */
const runtime = (async () => {
  const source = new Blob([await unpack(data.runtime.module)], { type: "text/javascript" });
  const ort = await import(URL.createObjectURL(source));
  ort.env.wasm.wasmBinary = await unpack(data.runtime.wasm);
  ort.env.wasm.numThreads = 1;
  return ort;
})();

/** run({name: {data, dims}}) -> Float32Array, of a graph that data.graphs names. A call waits for the one before. */
async function open(name) {
  const ort = await runtime;
  const session = await ort.InferenceSession.create(await unpack(data.graphs[name]));
  let last = Promise.resolve();
  return (inputs) => {
    const feeds = {};
    for (const [key, { values, dims }] of Object.entries(inputs)) {
      const type = values instanceof BigInt64Array ? "int64" : "float32";
      feeds[key] = new ort.Tensor(type, values, dims);
    }
    const next = last.then(() => session.run(feeds));
    last = next.catch(() => {});
    return next.then((outputs) => outputs[session.outputNames[0]].data);
  };
}

/** Show what went wrong in place of waiting for ever. */
function failed(error) {
  $("status").textContent = `This page cannot run here: ${error.message || error}`;
  throw error;
}

/** A function that draws at the next frame, once however often it is called meanwhile; it gives a promise of the end. */
function drawer(draw) {
  let isAsked = false, drawing = null;
  const drawAll = async () => {
    document.body.ariaBusy = true;
    while (isAsked) {
      isAsked = false;
      await new Promise(requestAnimationFrame);
      await draw();
    }
    drawing = null;
    document.body.ariaBusy = false;
  };
  return () => {
    isAsked = true;
    return (drawing ??= drawAll());
  };
}

/** Save a Blob as a file. */
function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** A slider with its label, which calls onChange as it is moved. */
function slider(name, low, high, value, onChange) {
  const input = make("input", { type: "range", min: low, max: high, step: (high - low) / 200, value });
  input.addEventListener("input", onChange);
  return { input, row: make("label", { className: "slider" }, make("span", {}, name), input) };
}

/** Numbers with a normal distribution, or on [-1, 1) for a uniform prior. */
function drawLatent(length, prior) {
  return Float32Array.from({ length }, () =>
    prior === "uniform" ? 2 * Math.random() - 1
    : Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));
}

/** A button for each class, in the fieldset `classes`; onChoose gets the number of the one that is pressed. */
function offerClasses(names, onChoose) {
  $("classes").hidden = !names.length;
  const buttons = names.map((name, number) => {
    const button = make("button", {}, name);
    button.setAttribute("aria-pressed", number === 0);
    button.addEventListener("click", () => {
      buttons.forEach((one) => one.setAttribute("aria-pressed", one === button));
      onChoose(number);
    });
    return button;
  });
  $("classes").querySelector("div").append(...buttons);
}

/** The labels of `count` samples of one class, as a graph takes them; nothing for a graph without classes. */
function labelsOf(label, count) {
  const values = BigInt64Array.from({ length: count }, () => BigInt(label));
  return data.classes.length ? { labels: { values, dims: [count] } } : {};
}
