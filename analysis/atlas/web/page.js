// The page's life: choices change the maps, a cell opens its runs.

async function start() {
  const atlas = atlasOf(unpacked(await inflated("numbers")));
  const view = { places: atlas.places, chosen: new Map(), color: "outcome", hidden: new Set(), cursor: null, opened: null, run: null };
  const state = { cells: [], regions: [], lines: [], shades: null, rows: [] };
  const [map, tip] = [find("map"), find("tip")];
  let layout, panels;

  // Axes and panels as the view has them; what the small maps leave is chosen above them.
  function lay() {
    layout = layoutOf(atlas, view.places);
    if (view.places !== atlas.places) find("places-fold").open = true;
    if (!view.chosen.size) view.chosen = firstChoice(atlas, layout);
    panels = panelsOf(atlas, layout, find("panels"), (codes) => choose(codes));
    addPlaces();
    addChoices();
  }

  const NAMES = { x: "across", y: "upward", columns: "columns of maps", rows: "rows of maps" };

  function addPlaces() {
    const places = find("places");
    places.replaceChildren();
    for (const role of ROLES) {
      const own = layout[role] ? layout[role].name : NOTHING;
      const options = [...new Set([...(role === "x" || role === "y" ? [] : [NOTHING]), own, ...atlas.settings.keys()])];
      addChoice(places, role, options.map((name) => [name, inWords(name)]), own, (name) => place(role, name), NAMES[role]);
    }
  }

  function place(role, name) {
    const names = new Map(ROLES.filter((each) => layout[each]).map((each) => [each, layout[each].name]));
    if (name === NOTHING) names.delete(role);
    view.places = name === NOTHING ? names : moved(names, role, name);
    const kept = view.chosen;
    view.chosen = firstChoice(atlas, layoutOf(atlas, view.places));
    for (const each of view.chosen.keys()) if (kept.has(each)) view.chosen.set(each, kept.get(each));
    view.cursor = null;
    tip.hidden = true;
    lay();
    if (view.run !== null) turnTo(atlas, layout, view, view.run);
    choose(view.chosen);
    find(`choose-${role}`).focus();
  }

  function addChoices() {
    const choices = find("choices");
    choices.replaceChildren();
    for (const [name, code] of view.chosen) {
      const { values, repeats } = atlas.settings.get(name);
      const options = values.map((value, i) => [i, short(value)]);
      if (repeats) options.unshift([ALL, "all, most frequent"]);
      addChoice(choices, name, options, code, (value) => choose(new Map([[name, Number(value)]])));
    }
    const colors = [...atlas.measures.values()].filter((each) => each.colored);
    const options = [["outcome", "outcome"], ...colors.map(({ name, label }) => [name, label])];
    addChoice(choices, "color", options, view.color, (value) => {
      view.color = value;
      update();
    });
  }

  // What the maps show; an open run gives way to the one that now lies in its cell.
  function choose(codes) {
    for (const [name, code] of codes) view.chosen.set(name, code);
    for (const [name, code] of view.chosen) find(`choose-${name}`).value = code;
    tip.hidden = true;
    update();
    if (view.run === null) return;
    const runs = state.cells[view.opened.row][view.opened.column];
    if (runs.includes(view.run)) return;
    if (runs.length) openRun(oneOf(atlas, runs), false);
    else close();
  }

  function update() {
    state.cells = cellsOf(atlas, layout, view.chosen);
    state.regions = regionsOf(atlas, state.cells);
    state.lines = theoryLines(atlas, layout, state.cells);
    state.shades = shadesOf(atlas, view.color);
    drawLegend(atlas, view, state.regions, state.shades, state.lines, draw);
    draw();
    drawLines();
    say();
  }

  const drawLines = () => drawParallel(atlas, state.rows, state.shades, view.color);

  function draw() {
    panels.draw(view, state.shades);
    drawMapAlone();
  }

  function drawMapAlone() {
    if (!window.Plotly) return;
    const values = valuesOf(atlas, state.cells, state.regions, view.color, view.hidden);
    drawMap(map, layout, values, palerOf(atlas, state.cells), state.shades, state.lines, boxes());
  }

  const boxes = () => boxesOf(layout, view.cursor, view.run === null ? null : view.opened);

  // The boxes alone: the cells of a large map take a while.
  function drawBoxes() {
    if (window.Plotly) Plotly.relayout(map, { shapes: boxes() });
  }

  // Into the address; a step from run to run is one that the browser's Back undoes.
  function say(step = false) {
    const fragment = fragmentOf(atlas, view);
    if (step) history.pushState(null, "", fragment);
    else history.replaceState(null, "", fragment);
  }

  const describe = (cell) => cellWords(atlas, layout, view.color, state.cells, cell);
  const showTip = (cell, x, y) => placeTip(tip, map, describe(cell), x, y);

  function moveTo(cell) {
    view.cursor = cell;
    drawBoxes();
    const { xaxis, yaxis } = map._fullLayout;
    const middle = (axis, scale, i) => scale._offset + scale.d2p((edgesOf(axis)[i] + edgesOf(axis)[i + 1]) / 2);
    showTip(cell, middle(layout.x, xaxis, cell.column), middle(layout.y, yaxis, cell.row));
    find("spoken").textContent = describe(cell).join("; ");
  }

  // Who uses no mouse is led to the run; Escape leads back.
  function openCell(cell, follow) {
    const runs = state.cells[cell.row][cell.column];
    if (runs.length) openRun(oneOf(atlas, runs), follow);
  }

  function stepTo(run) {
    say(true);
    openRun(run, true);
  }

  function openRun(run, follow) {
    const before = fragmentOf(atlas, { ...view, run: null });
    turnTo(atlas, layout, view, run);
    tip.hidden = true;
    if (fragmentOf(atlas, { ...view, run: null }) !== before) choose(view.chosen);
    else drawBoxes();
    say();
    show();
    if (follow) find("run-title").focus();
  }

  function show() {
    const { row, column } = view.opened;
    offerOthers(state.cells[row][column]);
    find("run").hidden = false;
    find("no-run").hidden = true;
    document.body.classList.add("opened");
    find("side").scrollTop = 0;
    drawRun(atlas, view.run, stepTo);
    if (isSheet()) find("map-frame").scrollIntoView();
  }

  const isSheet = () => window.matchMedia("(max-width: 1099px)").matches;

  // The other runs of the cell, which differ in what is pooled.
  function offerOthers(runs) {
    const several = find("several");
    several.replaceChildren();
    if (runs.length < 2) return;
    const names = [...view.chosen].filter(([, code]) => code === ALL).map(([name]) => name);
    const text = (run) => `${names.map((n) => `${n} ${short(atlas.setting(n, run))}`).join(", ")}: `
      + atlas.regions[atlas.region(run)].outcome;
    addChoice(several, "run", runs.map((run) => [run, text(run)]), view.run, (run) => openRun(Number(run)));
  }

  function close() {
    const inPanel = find("side").contains(document.activeElement);
    view.run = null;
    find("run").hidden = true;
    find("no-run").hidden = false;
    document.body.classList.remove("opened");
    drawBoxes();
    say();
    if (inPanel) map.focus();
  }

  const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] };
  const within = (place, size) => Math.max(0, Math.min(place, size - 1));

  function onKey(event) {
    if (event.key === "Enter" || event.key === " ") {
      if (view.cursor) openCell(view.cursor, true);
    } else if (event.key === "Escape") {
      tip.hidden = true;
    } else if (ARROWS[event.key]) {
      const [up, right] = view.cursor ? ARROWS[event.key] : [0, 0];
      const from = view.cursor || { row: layout.y.values.length >> 1, column: layout.x.values.length >> 1 };
      moveTo({ row: within(from.row + up, layout.y.values.length),
        column: within(from.column + right, layout.x.values.length) });
    } else return;
    event.preventDefault();
  }

  function onMove(event) {
    if (event.pointerType === "touch") return; // a finger hides what it points at
    const cell = cellAt(map, layout, event);
    const frame = map.getBoundingClientRect();
    if (cell) showTip(cell, event.clientX - frame.left, event.clientY - frame.top);
    else tip.hidden = true;
  }

  // Where the mouse or a finger was lifted: Plotly's own click after a tap has no place.
  let lifted = null;

  function onClick() {
    const cell = lifted && cellAt(map, layout, lifted);
    if (!cell) return;
    map.focus({ preventScroll: true });
    openCell(cell, false);
  }

  // What a link names, if it names a view at all: the page's sections have fragments too.
  function follow() {
    if (!location.hash.includes("=")) return;
    const unknown = readFragment(atlas, view, location.hash);
    lay();
    find("unknown").hidden = !unknown.length;
    find("unknown").textContent = `This store has no ${unknown.join(", ")}, which the link names.`;
    if (view.run !== null) turnTo(atlas, layout, view, view.run);
    choose(view.chosen);
    if (view.run !== null) show();
  }

  function listen() {
    map.addEventListener("pointermove", onMove);
    map.addEventListener("pointerleave", () => (tip.hidden = true));
    map.addEventListener("pointerup", (event) => (lifted = event));
    map.addEventListener("click", onClick);
    map.addEventListener("keydown", onKey);
    find("close").addEventListener("click", close);
    find("side").addEventListener("keydown", (event) => event.key === "Escape" && close());
    window.addEventListener("hashchange", follow);
    find("parallel-fold").addEventListener("toggle", drawLines);
    window.addEventListener("resize", () => {
      panels.draw(view, state.shades);
      drawLines();
    });
    const redraw = () => {
      update();
      if (view.run !== null) drawRun(atlas, view.run, stepTo);
    };
    for (const query of ["(prefers-color-scheme: dark)", "print"])
      window.matchMedia(query).addEventListener("change", redraw);
  }

  if (location.hash.includes("=")) follow();
  else {
    lay();
    update();
  }
  document.body.dataset.first = "true"; // the small maps are there
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  document.head.append(make("script", new TextDecoder().decode(await inflated("plotly"))));
  drawMapAlone();
  if (view.run !== null) drawRun(atlas, view.run, stepTo);
  tableOf(atlas, (run) => openRun(run, true), (rows) => {
    state.rows = rows;
    drawLines();
  });
  listen();
  document.body.dataset.ready = "true";
}

start().catch((error) => {
  find("failed").hidden = false;
  throw error;
});
