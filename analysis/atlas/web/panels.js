// Small multiples: a small map for each pair of values of two settings; pressed, it is the large one.

// Fills the panels' element; `draw(view)` colors them and marks the one that is shown.
function panelsOf(atlas, layout, element, choose) {
  const { columns, rows } = layout;
  element.replaceChildren();
  if (!columns) return { draw: () => {} };
  const across = evenly(columns);
  const down = rows ? evenly(rows) : [null];
  const words = (setting, code) => `${inWords(setting.name)} ${short(setting.values[code])}`;
  const panels = down.flatMap((row) => across.map((column) => makePanel(row, column)));

  function makePanel(row, column) {
    const codes = new Map([[columns.name, column], ...(rows ? [[rows.name, row]] : [])]);
    const label = [rows && words(rows, row), words(columns, column)].filter(Boolean).join(", ");
    const button = make("button", undefined, { type: "button", class: "panel", "aria-label": label, title: label });
    const canvas = make("canvas", undefined, { "aria-hidden": "true" });
    button.append(canvas);
    button.addEventListener("click", () => choose(codes));
    return { codes, button, canvas };
  }

  // The setting's name, and how many of its values have a panel, if not all have.
  const counted = ({ name, values }, codes) =>
    inWords(name) + (codes.length < values.length ? ` (${codes.length} of ${values.length} values)` : "");

  function lay() {
    const head = across.map((code) => make("span", brief(columns.values[code]), { class: "panel-head" }));
    element.style.gridTemplateColumns = `${rows ? "auto " : ""}repeat(${across.length}, minmax(0, 1fr))`;
    const lines = down.flatMap((row, i) => [
      ...(rows ? [make("span", brief(rows.values[row]), { class: "panel-side" })] : []),
      ...panels.slice(i * across.length, (i + 1) * across.length).map((each) => each.button)]);
    const named = make("span", [rows && `down: ${counted(rows, down)}`, `across: ${counted(columns, across)}`]
      .filter(Boolean).join("; "), { class: "panel-names" });
    element.replaceChildren(named, ...(rows ? [make("span")] : []), ...head, ...lines);
  }

  function onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across.length, ArrowDown: across.length }[event.key];
    const to = panels[panels.findIndex((each) => each.button === document.activeElement) + step];
    if (!step || !to) return;
    event.preventDefault();
    to.button.focus();
    to.button.click();
  }

  function draw(view, shades) {
    const shown = (panel) => [...panel.codes].every(([name, code]) => view.chosen.get(name) === code);
    for (const panel of panels) {
      const cells = cellsOf(atlas, layout, new Map([...view.chosen, ...panel.codes]));
      const values = valuesOf(atlas, cells, regionsOf(atlas, cells), view.color, view.hidden);
      paintPanel(panel.canvas, layout, values, palerOf(atlas, cells), shades, theoryLines(atlas, layout, cells));
      panel.button.setAttribute("aria-pressed", shown(panel));
      panel.button.tabIndex = shown(panel) ? 0 : -1;
    }
    if (!panels.some(shown)) panels[0].button.tabIndex = 0;
  }

  lay();
  element.onkeydown = onKey;
  return { draw };
}

function paintPanel(canvas, layout, values, pale, shades, lines) {
  const size = canvas.clientWidth * window.devicePixelRatio;
  const [width, height] = [Math.max(1, Math.round(size)), Math.max(1, Math.round(size))];
  Object.assign(canvas, { width, height });
  const scaled = (axis, length) => {
    const edges = edgePlaces(axis);
    const [low, high] = [edges[0], edges[edges.length - 1]];
    return { edges, at: (place) => ((place - low) / (high - low)) * length };
  };
  const [x, y] = [scaled(layout.x, width), scaled(layout.y, height)];
  const pen = canvas.getContext("2d");
  values.forEach((row, i) => row.forEach((value, j) => {
    if (value === null) return;
    const [left, right] = [x.at(x.edges[j]), x.at(x.edges[j + 1])].map(Math.round);
    const [low, high] = [y.at(y.edges[i]), y.at(y.edges[i + 1])].map(Math.round);
    const box = [left, height - high, right - left, high - low];
    pen.fillStyle = shades.of(value);
    pen.fillRect(...box);
    if (!pale[i][j]) return;
    pen.fillStyle = `rgb(255 255 255 / ${PALER})`;
    pen.fillRect(...box);
  }));
  for (const [color, thick] of [["#fff", 3.5], ["#000", 1.5]])
    for (const { segments, dash } of lines) {
      pen.setLineDash(color === "#000" ? dash.map((d) => d * window.devicePixelRatio) : []);
      pen.strokeStyle = color;
      pen.lineWidth = thick * window.devicePixelRatio;
      pen.beginPath();
      for (const [from, to] of segments) {
        pen.moveTo(x.at(from[0]), height - y.at(from[1]));
        pen.lineTo(x.at(to[0]), height - y.at(to[1]));
      }
      pen.stroke();
    }
}
