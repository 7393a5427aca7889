// The table of all runs: sorted by a column, filtered by what stands above them, saved as CSV.

const ROWS_SHOWN = 25;

// `open` opens a run; `onRows` hears which runs the filters leave.
function tableOf(atlas, open, onRows) {
  const columns = tableColumns(atlas);
  const table = { columns, filters: new Map(), sorted: null, descending: false, page: 0, rows: [] };
  const inputs = columns.map((column) => filterOf(column, (test) => {
    table.filters.set(column, test);
    refresh();
  }));

  function lay() {
    const heads = make("tr");
    const filters = make("tr");
    columns.forEach((column, i) => {
      const head = make("th", undefined, { scope: "col", class: column.text ? "" : "number" });
      const button = make("button", column.label, { type: "button", class: "sort" });
      button.addEventListener("click", () => sortBy(column));
      head.append(button);
      heads.append(head);
      const cell = make("td");
      cell.append(inputs[i]);
      filters.append(cell);
    });
    find("runs-head").replaceChildren(heads, filters);
  }

  function sortBy(column) {
    table.descending = table.sorted === column && !table.descending;
    table.sorted = column;
    refresh();
  }

  function refresh() {
    table.page = 0;
    table.rows = sortedRuns(atlas, table);
    fill();
    onRows(table.rows);
  }

  function turn(pages) {
    table.page += pages;
    fill();
  }

  function fill() {
    columns.forEach((column, i) => {
      const order = table.sorted !== column ? "none" : table.descending ? "descending" : "ascending";
      find("runs-head").firstChild.children[i].setAttribute("aria-sort", order);
    });
    const from = table.page * ROWS_SHOWN;
    const shown = table.rows.slice(from, from + ROWS_SHOWN);
    find("runs-body").replaceChildren(...shown.map((run) => rowOf(atlas, columns, run, open)));
    const last = from + shown.length;
    const counted = (n) => n.toLocaleString("en");
    find("runs-count").textContent = shown.length
      ? `${counted(from + 1)} to ${counted(last)} of ${counted(table.rows.length)} runs` : "no run has all of this";
    find("runs-before").disabled = from === 0;
    find("runs-after").disabled = last >= table.rows.length;
  }

  lay();
  refresh();
  find("runs-before").addEventListener("click", () => turn(-1));
  find("runs-after").addEventListener("click", () => turn(1));
  find("runs-save").addEventListener("click", () => save(atlas, columns, table.rows));
}

// What a column holds: a run's value, as a number or a text, and its words.
function tableColumns(atlas) {
  return [
    { name: "trial_id_begins", label: "run", text: true, value: (run) => atlas.ids[run] },
    { name: "outcome", label: "outcome", text: true, value: (run) => atlas.regions[atlas.region(run)].label },
    ...[...atlas.settings.values()].map(({ name, values }) => ({ name, label: inWords(name),
      text: typeof values[0] !== "number", value: (run) => atlas.setting(name, run) })),
    ...[...atlas.measures.values()].map(({ name, label }) => ({ name, label, value: (run) => atlas.measure(name, run) })),
  ];
}

function filterOf(column, onChange) {
  const hint = column.text ? "a part of it" : "a number, a limit such as >1, or a range such as 1..2";
  const input = make("input", undefined, { type: "search", "aria-label": `Filter ${column.label}: ${hint}`,
    placeholder: column.text ? "" : "> < 1..2" });
  input.addEventListener("input", () => {
    const test = testOf(column, input.value.trim());
    input.setAttribute("aria-invalid", test === null);
    if (test !== null) onChange(test);
  });
  return input;
}

// Whether a value is wanted; null where the words say nothing.
function testOf({ text }, words) {
  if (!words) return () => true;
  if (text) return (value) => String(value).toLowerCase().includes(words.toLowerCase());
  const range = words.match(/^(\S+?)\s*\.\.\s*(\S+)$/);
  const [, sign, limit] = words.match(/^([<>]=?)?\s*(.+)$/);
  const numbers = (range ? [range[1], range[2]] : [limit]).map(Number);
  if (numbers.some(Number.isNaN)) return null;
  if (range) return (value) => value !== null && value >= numbers[0] && value <= numbers[1];
  const [n] = numbers;
  const tests = { ">": (v) => v > n, "<": (v) => v < n, ">=": (v) => v >= n, "<=": (v) => v <= n };
  // A number matches what is shown as it: four digits.
  const wanted = tests[sign] || ((value) => short(value) === short(n));
  return (value) => value !== null && wanted(value);
}

function sortedRuns(atlas, { filters, sorted, descending }) {
  const tests = [...filters].filter(([, test]) => test);
  const runs = [];
  for (let run = 0; run < atlas.size; run++)
    if (tests.every(([column, test]) => test(column.value(run)))) runs.push(run);
  if (!sorted) return runs;
  const keys = new Map(runs.map((run) => [run, sorted.value(run)]));
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0) * (descending ? -1 : 1);
  // What does not exist comes last, either way.
  return runs.sort((a, b) => (keys.get(a) === null) - (keys.get(b) === null) || compare(keys.get(a), keys.get(b)));
}

function rowOf(atlas, columns, run, open) {
  const row = make("tr");
  for (const column of columns) {
    const value = column.value(run);
    const cell = make("td", undefined, column.text ? {} : { class: "number" });
    if (column.name === "trial_id_begins") {
      const button = make("button", value, { type: "button", class: "link", "aria-label": `Open run ${value}` });
      button.addEventListener("click", () => open(run));
      cell.append(button);
    } else {
      cell.append(value === null ? "" : short(value));
      if (column.name === "outcome") {
        cell.prepend(swatch(atlas.regions[atlas.region(run)].color));
        cell.title = value; // where it is cut off
      }
    }
    row.append(cell);
  }
  return row;
}

// The filtered rows in their order; settings have every digit, measures the page's four.
function save(atlas, columns, runs) {
  const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const digits = (column, value) =>
    value === null ? "" : atlas.measures.has(column.name) ? String(Number(value.toPrecision(4))) : String(value);
  const lines = [columns.map((column) => column.name),
    ...runs.map((run) => columns.map((column) => digits(column, column.value(run))))];
  const csv = lines.map((line) => line.map(quoted).join()).join("\r\n") + "\r\n";
  const link = make("a", undefined, { download: "runs.csv", href: URL.createObjectURL(new Blob([csv], { type: "text/csv" })) });
  link.click();
  URL.revokeObjectURL(link.href);
}
