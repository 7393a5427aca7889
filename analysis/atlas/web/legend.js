// The legend: of the chosen color, and of the lines over the maps.

// Outcomes of the store with their number of cells in the large map, each pressed to hide it; or the scale of a measure.
function drawLegend(atlas, view, regions, shades, lines, onToggle) {
  const all = regions.flat();
  const entries = view.color === "outcome" ? outcomes(atlas, view, all, onToggle)
    : [scale(atlas.measures.get(view.color), shades), note(swatch("", "numberless"), "no such number")];
  if (all.includes(null)) entries.push(note(swatch("", "hatched"), "not run"));
  if (atlas.traced) entries.push(note(palerSwatch(atlas), "paler: not trained, as the nearest run"));
  for (const { label, plotly } of lines.filter(({ segments }) => segments.length))
    entries.push(note(make("span", undefined, { class: `line ${plotly}` }), label));
  find("legend").replaceChildren(...entries);
}

// A color of the map and the same one paler.
function palerSwatch(atlas) {
  const { color } = atlas.regions.find(({ outcome }) => outcome === "trained");
  const made = swatch();
  made.style.background = `linear-gradient(to right, ${color} 50%, ${paler(color)} 50%)`;
  return made;
}

function note(mark, text) {
  const made = make("span", undefined, { class: "note" });
  made.append(mark, make("span", text));
  return made;
}

function outcomes(atlas, view, all, onToggle) {
  const known = new Set(atlas.columns.region);
  return atlas.regions.flatMap(({ label, color }, i) => {
    if (!known.has(i)) return [];
    const count = all.filter((region) => region === i).length;
    const button = make("button", undefined, { type: "button", "aria-pressed": !view.hidden.has(i) });
    button.append(swatch(color), make("span", `${label} (${count.toLocaleString("en")})`));
    button.addEventListener("click", () => {
      view.hidden.delete(i) || view.hidden.add(i);
      button.setAttribute("aria-pressed", !view.hidden.has(i));
      onToggle();
    });
    return [button];
  });
}

// A bar of the measure's colors with its ends and its middle.
function scale({ label, log }, { range: [low, high], stops }) {
  const made = make("span", undefined, { class: "scale" });
  const bar = make("span", undefined, { class: "scale-bar", "aria-hidden": "true" });
  bar.style.background = `linear-gradient(to right, ${stops.map(([place, color]) => `${color} ${100 * place}%`)})`;
  const marks = make("span", undefined, { class: "scale-marks" });
  for (const value of [low, (low + high) / 2, high]) marks.append(make("span", brief(log ? 10 ** value : value)));
  made.append(make("span", label), bar, marks);
  return made;
}
