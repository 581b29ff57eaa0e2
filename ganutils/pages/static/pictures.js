const [height, width, channels] = data.shape;
$("picture").style.setProperty("--aspect", `${width} / ${height}`);

/** Draw `count` pictures [N, C, H, W] in 0..1 on the canvas, `columns` side by side. */
function paint(pictures, count, columns) {
  const canvas = $("picture");
  canvas.width = columns * width;
  canvas.height = (count / columns) * height;
  const context = canvas.getContext("2d");
  const size = height * width;
  for (let n = 0; n < count; n++) {
    const image = context.createImageData(width, height);
    for (let i = 0; i < size; i++) {
      for (let c = 0; c < 3; c++) {
        image.data[4 * i + c] = Math.round(255 * pictures[(n * channels + (channels === 3 ? c : 0)) * size + i]);
      }
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, (n % columns) * width, Math.floor(n / columns) * height);
  }
}
