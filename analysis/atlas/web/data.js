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

// What the page asks of the unpacked data, run by run.
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

  const measures = new Map(data.measures.map((each) => [each.name, each]));
  const settings = new Map(data.settings.map((each) => [each.name, each]));

  return {
    ...data,
    size: ids.length,
    measures,
    settings,
    curve,
    profile,
    // As colored by: log10 where the measure is a logarithm; NaN where there is none.
    raw: (name, run) => columns[`measure ${name}`][run],
    measure(name, run) {
      if (!measures.has(name)) return null;
      const value = columns[`measure ${name}`][run];
      if (Number.isNaN(value)) return null;
      return measures.get(name).log ? 10 ** value : value;
    },
    code: (name, run) => columns[`setting ${name}`][run],
    setting: (name, run) =>
      settings.has(name) ? settings.get(name).values[columns[`setting ${name}`][run]] : data.fixed[name],
    region: (run) => columns.region[run],
  };
}

// Four significant digits, written as short as possible.
function short(value) {
  if (value === null || value === undefined) return "none";
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return "beyond 1e38";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(2).replace(/\.?0*e\+?/, "e");
  return String(Number(value.toPrecision(4)));
}
