// The page's life: choices change the map, a cell opens its runs.

async function start() {
  document.head.append(element("script", new TextDecoder().decode(await inflated("plotly"))));
  const atlas = atlasOf(unpacked(await inflated("numbers")));
  const axes = axesOf(atlas);
  const map = document.getElementById("map");
  const tip = document.getElementById("tip");
  const chosen = firstChoice(atlas, axes);
  const hidden = new Set();
  const state = { color: "outcome", cursor: null, opened: null, run: null, cells: [], regions: [] };

  function addChoice(parent, name, options, value, onChange) {
    const select = element("select", undefined, { id: `choose-${name}` });
    for (const [key, text] of options) select.append(element("option", text, { value: key }));
    select.value = value;
    select.addEventListener("change", () => onChange(select.value));
    const label = element("label", name.replaceAll("_", " "));
    label.append(select);
    parent.append(label);
    return select;
  }

  function addChoices() {
    const choices = document.getElementById("choices");
    for (const { name, values } of atlas.settings.values()) {
      if (name === axes.x.name || name === axes.y.name) continue;
      const options = values.map((value, code) => [code, short(value)]);
      if (chosen.get(name) === ALL) options.unshift([ALL, "all, most frequent"]);
      addChoice(choices, name, options, chosen.get(name), (value) => {
        chosen.set(name, Number(value));
        update();
      });
    }
    const colors = [...atlas.measures.values()].filter((each) => each.colored);
    const options = [["outcome", "outcome"], ...colors.map(({ name, label }) => [name, label])];
    addChoice(choices, "color", options, state.color, (value) => {
      state.color = value;
      update();
    });
  }

  function update() {
    state.cells = cellsOf(atlas, axes, chosen);
    state.regions = state.cells.map((row) => row.map((runs) => (runs.length ? commonRegion(atlas, runs) : null)));
    draw();
    drawLegend();
  }

  function draw() {
    const value = (runs, region) => {
      if (!runs.length || hidden.has(region)) return null;
      if (state.color === "outcome") return region;
      return median(runs.map((run) => atlas.raw(state.color, run)));
    };
    const values = state.cells.map((row, i) => row.map((runs, j) => value(runs, state.regions[i][j])));
    return drawMap(map, atlas, axes, values, state.color, state.cursor);
  }

  // Each region of the map with its number of cells; pressed again, it is hidden.
  function drawLegend() {
    const counts = atlas.regions.map((_, i) => state.regions.flat().filter((r) => r === i).length);
    const entries = atlas.regions.flatMap(({ label, color }, i) => {
      if (!counts[i]) return [];
      const button = element("button", undefined, { type: "button", "aria-pressed": !hidden.has(i) });
      const swatch = element("span", undefined, { class: "swatch" });
      swatch.style.background = color;
      button.append(swatch, element("span", `${label} (${counts[i]})`));
      button.addEventListener("click", () => {
        hidden.delete(i) || hidden.add(i);
        button.setAttribute("aria-pressed", !hidden.has(i));
        draw();
      });
      return [button];
    });
    const addNote = (swatch, text) => {
      const note = element("span", undefined, { class: "note" });
      note.append(element("span", undefined, { class: `swatch ${swatch}` }), element("span", text));
      entries.push(note);
    };
    if (state.regions.flat().includes(null)) addNote("hatched", "not run");
    if (state.color !== "outcome") addNote("numberless", "no such number");
    document.getElementById("legend").replaceChildren(...entries);
  }

  function describe({ row, column }) {
    const runs = state.cells[row][column];
    const where = `${axes.x.name.replaceAll("_", " ")} ${short(axes.x.values[column])}, `
      + `${axes.y.name.replaceAll("_", " ")} ${short(axes.y.values[row])}`;
    if (!runs.length) return [where, "not run"];
    const lines = [where, atlas.regions[state.regions[row][column]].label];
    if (runs.length > 1) lines.push(`${runs.length} runs; medians:`);
    for (const name of ["final_loss", "final_accuracy", "test_loss", "test_accuracy",
      "log10_gradient_ratio", "chi_measured", "rate_ratio"]) {
      if (!atlas.measures.has(name)) continue;
      const { label, log } = atlas.measures.get(name);
      const middle = median(runs.map((run) => atlas.raw(name, run)));
      if (!Number.isNaN(middle)) lines.push(`${label} ${short(log ? 10 ** middle : middle)}`);
    }
    return lines;
  }

  function showTip(cell, x, y) {
    tip.replaceChildren(...describe(cell).map((line) => element("div", line)));
    tip.hidden = false;
    const frame = map.getBoundingClientRect();
    tip.style.left = `${Math.max(0, Math.min(x + 14, frame.width - tip.offsetWidth))}px`;
    tip.style.top = `${y + 14}px`;
  }

  function moveTo(cell) {
    state.cursor = cell;
    draw();
    const { xaxis, yaxis } = map._fullLayout;
    const middle = (axis, scale, i) => scale._offset + scale.d2p((edgesOf(axis)[i] + edgesOf(axis)[i + 1]) / 2);
    showTip(cell, middle(axes.x, xaxis, cell.column), middle(axes.y, yaxis, cell.row));
    document.getElementById("spoken").textContent = describe(cell).join("; ");
  }

  // Whoever does not point with a mouse is led to the run; a link leads back.
  function open(cell, follow) {
    const runs = state.cells[cell.row][cell.column];
    if (!runs.length) return;
    state.cursor = cell;
    draw();
    const several = document.getElementById("several");
    several.replaceChildren();
    const show = (run) => {
      state.run = run;
      document.getElementById("run").hidden = false;
      document.getElementById("no-run").hidden = true;
      drawRun(atlas, run);
    };
    if (runs.length > 1) {
      const names = [...chosen].filter(([, code]) => code === ALL).map(([name]) => name);
      const text = (run) => `${names.map((n) => `${n} ${short(atlas.setting(n, run))}`).join(", ")}: `
        + atlas.regions[atlas.region(run)].outcome;
      addChoice(several, "run", runs.map((run) => [run, text(run)]), runs[0], (run) => show(Number(run)));
    }
    show(runs[0]);
    if (follow) document.getElementById("run-title").focus();
  }

  const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] };
  const within = (place, size) => Math.max(0, Math.min(place, size - 1));

  function onKey(event) {
    if (event.key === "Enter" || event.key === " ") {
      if (state.cursor) open(state.cursor, true);
    } else if (event.key === "Escape") {
      tip.hidden = true;
    } else if (ARROWS[event.key]) {
      const [up, right] = state.cursor ? ARROWS[event.key] : [0, 0];
      const from = state.cursor || { row: axes.y.values.length >> 1, column: axes.x.values.length >> 1 };
      moveTo({ row: within(from.row + up, axes.y.values.length),
        column: within(from.column + right, axes.x.values.length) });
    } else return;
    event.preventDefault();
  }

  function onMove(event) {
    if (event.pointerType === "touch") return; // a finger hides what it points at
    const cell = cellAt(map, axes, event);
    const frame = map.getBoundingClientRect();
    if (cell) showTip(cell, event.clientX - frame.left, event.clientY - frame.top);
    else tip.hidden = true;
  }

  function onClick(event) {
    const cell = cellAt(map, axes, event);
    if (cell) open(cell, event.pointerType === "touch");
  }

  addChoices();
  update();
  map.addEventListener("pointermove", onMove);
  map.addEventListener("pointerleave", () => (tip.hidden = true));
  map.addEventListener("click", onClick);
  map.addEventListener("keydown", onKey);
  const redraw = () => {
    draw();
    if (state.run !== null) drawRun(atlas, state.run);
  };
  for (const query of ["(prefers-color-scheme: dark)", "print"])
    window.matchMedia(query).addEventListener("change", redraw);
  document.body.dataset.ready = "true";
}

start().catch((error) => {
  document.getElementById("failed").hidden = false;
  throw error;
});
