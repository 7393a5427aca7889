// The numbers of the page: inflated, then read as columns.

async function inflated(id) {
  const text = atob(document.getElementById(id).textContent.trim());
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i2: Int16Array, f4: Float32Array };
const MISSING = -32768; // of a quantized number
const CURVE_STEPS = 400; // to a decade of loss
const LAYER_STEPS = 100; // to a decade of a norm
const NOWHERE = 2 ** 32 - 1;

// The header, its columns as typed arrays by name. Bytes come grouped by significance.
function unpacked(bytes) {
  const size = new DataView(bytes.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  let offset = 4 + size;
  const columns = {};
  for (const { name, type, length } of header.columns) {
    const width = TYPES[type].BYTES_PER_ELEMENT;
    const plain = new Uint8Array(length * width);
    for (let plane = 0; plane < width; plane++)
      for (let i = 0; i < length; i++) plain[i * width + plane] = bytes[offset++];
    columns[name] = new TYPES[type](plain.buffer);
  }
  return { ...header, columns };
}

function offsets(lengths) {
  const starts = [0];
  for (const length of lengths) starts.push(starts[starts.length - 1] + length);
  return starts;
}

const quantity = (q, steps) => (q === MISSING ? null : q / steps);

// Texts by run, from their patterns, in which \0 stands for a number, and the numbers as lines:
// pattern by pattern, gap by gap, run by run. Read when the first text is asked for.
function wordsOf(patterns, codes, numbers) {
  const parts = patterns.map((pattern) => pattern.split("\0"));
  let lines, starts, counts, ranks;
  function read() {
    lines = new TextDecoder().decode(numbers).split("\n");
    counts = parts.map(() => 0);
    ranks = Array.from(codes, (code) => counts[code]++);
    starts = offsets(parts.map((part, code) => (part.length - 1) * counts[code]));
  }
  return (run) => {
    if (!lines) read();
    const code = codes[run];
    const number = (gap) => lines[starts[code] + gap * counts[code] + ranks[run]];
    return parts[code].map((part, i) => (i ? number(i - 1) + part : part)).join("");
  };
}

// What the page asks of the unpacked data, run by run. Numbers from `size` on are the cells of a traced
// map that were not trained: each has its own settings, and all else of the nearest run.
function atlasOf(data) {
  const { columns, patterns, ids } = data;
  const pattern = columns.pattern;
  const curveStarts = offsets(Array.from(pattern, (p) => (patterns[p] || []).length));
  const profileStarts = offsets(columns["profile depth"] || []);
  const theoryStarts = offsets(columns["theory depth"] || []);

  function curve(run) {
    const steps = patterns[pattern[run]] || [];
    let q = 0;
    const losses = steps.map((_, i) => {
      q = ((q + columns.curve[curveStarts[run] + i]) << 16) >> 16; // differences wrap around
      const log10 = quantity(q, CURVE_STEPS);
      return log10 === null ? null : 10 ** log10;
    });
    return { steps, losses };
  }

  // A run's profile, measured or the theory's: a list a norm; null where there is none.
  function profile(kind, run) {
    const starts = kind === "profile" ? profileStarts : theoryStarts;
    const place = columns[kind] ? columns[kind][run] : starts.length;
    if (place + 1 >= starts.length) return null;
    const norm = (name) =>
      Array.from(columns[`${kind} log10_${name}`].subarray(starts[place], starts[place + 1]), (q) =>
        quantity(q, LAYER_STEPS)
      );
    return { forward: norm("mean_square_h"), backward: norm("delta_norm"), gradient: norm("gradient_norm") };
  }

  const words = new Map(Object.entries(data.words).map(([section, patterns]) => [
    section, wordsOf(patterns, columns[`pattern of ${section}`], columns[`numbers of ${section}`])]));
  const measures = new Map(data.measures.map((each) => [each.name, each]));
  const settings = new Map(data.settings.map((each) => [each.name, each]));
  const size = ids.length;
  const isInferred = (run) => run >= size;
  const runOf = (run) => (isInferred(run) ? columns["cell run"][run - size] : run);

  return {
    ...data,
    // By role, the setting that has it when the page opens.
    places: new Map(Object.entries(data.places)),
    size,
    count: size + columns["cell run"].length,
    isInferred,
    runOf,
    // How far an inferred cell's run is, in places along the traced axes.
    distance: (cell) => Math.hypot(...[...settings.keys()].map((name) =>
      columns[`setting ${name}`][cell] - columns[`setting ${name}`][runOf(cell)])),
    measures,
    settings,
    curve,
    profile,
    // What `phasesweep explain` says of a run: the paragraphs of a section.
    words: (section, run) => words.get(section)(run),
    // The trained run that its remedy names, null where there is none.
    nearest: (run) => (columns.nearest[run] === NOWHERE ? null : columns.nearest[run]),
    // As colored by: log10 where the measure is a logarithm; NaN where there is none.
    raw: (name, run) => columns[`measure ${name}`][runOf(run)],
    measure(name, run) {
      if (!measures.has(name)) return null;
      const value = columns[`measure ${name}`][run];
      if (Number.isNaN(value)) return null;
      return measures.get(name).log ? 10 ** value : value;
    },
    code: (name, run) => columns[`setting ${name}`][run],
    setting: (name, run) =>
      settings.has(name) ? settings.get(name).values[columns[`setting ${name}`][run]] : data.fixed[name],
    region: (run) => columns.region[runOf(run)],
    // The run whose id begins as this one, null where there is none.
    place: (id) => {
      const found = id ? ids.findIndex((each) => each.startsWith(id) || id.startsWith(each)) : -1;
      return found < 0 ? null : found;
    },
  };
}

// Two significant digits of a number, where there is little room.
const brief = (value) => short(typeof value === "number" ? Number(value.toPrecision(2)) : value);

// Four significant digits, written as short as possible.
function short(value) {
  if (value === null || value === undefined) return "none";
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return "beyond 1e38";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(2).replace(/\.?0*e\+?/, "e");
  return String(Number(value.toPrecision(4)));
}
