function table({ head, rows }) {
  const line = (tag, cells) => make("tr", {}, ...cells.map((cell) => make(tag, {}, cell)));
  const body = rows.map(([name, ...cells]) => make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((cell) => make("td", {}, cell))));
  return make("div", { className: "scroll" }, make("table", {}, make("thead", {}, line("th", head)), make("tbody", {}, ...body)));
}

function figure({ src, caption }) {
  const kind = src.slice("data:".length, src.indexOf("/"));
  const shown = kind === "video" ? make("video", { src, controls: true, loop: true })
    : kind === "audio" ? make("audio", { src, controls: true, ariaLabel: caption })
    : make("img", { src, alt: caption });
  return make("figure", {}, shown, make("figcaption", {}, caption));
}

function content(section) {
  if (section.table) return table(section.table);
  if (section.figures) return make("div", { className: "row" }, ...section.figures.map(figure));
  return make("pre", {}, section.text);
}

data.sections.forEach((section, number) => {
  const id = `section-${number}`;
  const inside = section.isLong ? make("details", { open: data.sections.length < 4 }, make("summary", {}, "All settings"), content(section)) : content(section);
  $("sections").append(make("section", { id }, make("h2", {}, section.heading), inside));
  $("contents").append(make("a", { href: `#${id}` }, section.heading));
});
