// Colors: of outcomes, and of the numbers that the maps can be colored by.

const VIRIDIS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];
// Blue where it vanishes, white where it keeps, orange where it explodes: as in the figures.
const DIVERGING = ["#2f4b9a", "#8fa6d8", "#f2f0ec", "#f0a868", "#b34700"];

// The middle 96% of the values, so that one outlier does not take all colors; of a bounded
// measure what lies within its bounds.
function colorRange(values, { diverging, lowest, highest }) {
  if (lowest !== null) return [lowest, highest];
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (!sorted.length) return [0, 1];
  let [low, high] = [0.02, 0.98].map((share) => sorted[Math.round(share * (sorted.length - 1))]);
  if (diverging) [low, high] = [-1, 1].map((side) => side * Math.max(Math.abs(low), Math.abs(high)));
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}

const channels = (color) => [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));

const PALER = 0.5; // of white over a color
const paler = (color) => `rgb(${channels(color).map((c) => Math.round(c + PALER * (255 - c))).join()})`;

// The colors of one choice, the same in all maps: the range they cover, their stops from 0 to 1,
// and the color of a value.
function shadesOf(atlas, color) {
  if (color === "outcome") {
    const count = atlas.regions.length;
    const stops = atlas.regions.flatMap((r, i) => [i, i + 1].map((edge) => [edge / count, r.color]));
    return { range: [-0.5, count - 0.5], stops, of: (region) => atlas.regions[region].color };
  }
  const measure = atlas.measures.get(color);
  const all = Array.from({ length: atlas.size }, (_, run) => atlas.raw(color, run));
  const [low, high] = colorRange(all, measure);
  const list = measure.diverging ? DIVERGING : VIRIDIS;
  const of = (value) => {
    if (Number.isNaN(value)) return css("--numberless");
    const place = Math.min(1, Math.max(0, (value - low) / (high - low))) * (list.length - 1);
    const i = Math.min(Math.floor(place), list.length - 2);
    const [from, to] = [list[i], list[i + 1]].map(channels);
    return `rgb(${from.map((c, k) => Math.round(c + (place - i) * (to[k] - c))).join()})`;
  };
  return { range: [low, high], stops: list.map((each, i) => [i / (list.length - 1), each]), of };
}
