/* What a lot's numbers mean and in which order lots come. Pure: values in, values out. */

/** @typedef {import("./types").Lot} Lot */
/** @typedef {import("./types").Point} Point */
/** @typedef {import("./types").Grade} Grade */
/** @typedef {import("./types").Geometry} Geometry */

/** At or below this share of its usable spaces a lot has "few" left; three are few anywhere, and more than twenty nowhere. */
const FEW_SHARE = 0.15;
const FEW_SPACES = 3;
const MANY_SPACES = 20;

/**
 * The step of the legend a lot is on. Unknown is neither free nor full: with half of a lot's spaces unknown its
 * number says too little for a colour.
 * @param {Pick<Lot, "available" | "free" | "occupied" | "unknown" | "closed" | "open_now">} lot
 * @returns {Grade}
 */
export function gradeOf(lot) {
  if (lot.open_now === false) return "shut";
  const known = lot.free + lot.occupied;
  if (known < lot.unknown || known + lot.unknown === 0) return "unknown";
  if (lot.available <= 0) return "full";
  return lot.available <= Math.min(MANY_SPACES, Math.max(FEW_SPACES, FEW_SHARE * (known + lot.unknown))) ? "few" : "free";
}

/** The number on the bubble: `?` when nothing is known, `–` when shut, `~` before an estimate. @param {Lot} lot */
export function numberOf(lot) {
  if (lot.open_now === false) return "–";
  if (lot.free + lot.occupied === 0) return "?";
  return lot.source === "sensors" ? String(lot.available) : `~${lot.available}`;
}

const METRES = 111_195; // of a degree of latitude

/** Straight-line metres; exact enough within a county. @param {Point} a @param {Point} b */
export function metresBetween([lonA, latA], [lonB, latB]) {
  const east = (lonB - lonA) * Math.cos(((latA + latB) * Math.PI) / 360);
  return Math.hypot(east, latB - latA) * METRES;
}

/**
 * @param {Lot[]} lots
 * @param {{sort: string, from: Point, filters: Set<string>, has: (lot: Lot, category: string) => boolean}} wish
 * @returns {Lot[]}
 */
export function ranked(lots, { sort, from, filters, has }) {
  const kept = lots.filter(
    (lot) =>
      (!filters.has("free") || lot.available > 0) &&
      (!filters.has("gratis") || lot.hour_fen === 0) &&
      (!filters.has("accessible") || has(lot, "accessible")) &&
      (!filters.has("charging") || has(lot, "ev_charging")),
  );
  const near = new Map(kept.map((lot) => [lot.id, metresBetween(from, lot.centre)]));
  const byDistance = (/** @type {Lot} */ a, /** @type {Lot} */ b) => (near.get(a.id) ?? 0) - (near.get(b.id) ?? 0);
  /** @type {Record<string, (a: Lot, b: Lot) => number>} */
  const orders = {
    distance: byDistance,
    free: (a, b) => b.available - a.available || byDistance(a, b),
    price: (a, b) => (a.hour_fen ?? Infinity) - (b.hour_fen ?? Infinity) || byDistance(a, b),
  };
  return kept.sort(orders[sort] ?? byDistance);
}

/**
 * The nearest places to which it is worth going: open, with room; an estimate counts, the unknown does not.
 * @param {Lot[]} lots
 * @param {Point} from
 * @param {number} most
 * @returns {Lot[]}
 */
export function nearestWithRoom(lots, from, most) {
  const open = lots.filter((lot) => lot.available > 0 && ["free", "few"].includes(gradeOf(lot)));
  return ranked(open, { sort: "distance", from, filters: new Set(), has: () => true }).slice(0, most);
}

/**
 * Whether a search text means this thing: a part of its name in either language, its code, its pinyin or initials.
 * @param {{name: string, name_en?: string | null, code?: string, keys?: string[]}} thing
 * @param {string} text
 */
export function matches(thing, text) {
  const wanted = fold(text);
  if (!wanted) return true;
  return [thing.name, thing.name_en, thing.code, ...(thing.keys ?? [])].some((key) => key && fold(key).includes(wanted));
}

/** Case, accents, width and blanks do not count in a search. @param {string} text */
const fold = (text) =>
  text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f\s·'’-]/g, "")
    .toLowerCase();

/** All positions of a geometry, flat. @param {Geometry} geometry @returns {Point[]} */
export function positions(geometry) {
  /** @param {any} part @returns {Point[]} */
  const flat = (part) => (typeof part[0] === "number" ? [[part[0], part[1]]] : part.flatMap(flat));
  return flat(geometry.coordinates);
}

/** West, south, east, north. @param {Point[]} points @returns {[number, number, number, number]} */
export function boundsOf(points) {
  const lons = points.map(([lon]) => lon);
  const lats = points.map(([, lat]) => lat);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

/** A point to hang the bubble on: the middle of a street, the middle of a site. @param {Geometry} shape @returns {Point} */
export function centreOf(shape) {
  if (shape.type === "LineString") return alongLine(shape.coordinates);
  const [west, south, east, north] = boundsOf(positions(shape));
  return [(west + east) / 2, (south + north) / 2];
}

/** A point at its northern edge, so that a sign there hides no space. @param {Geometry} shape @returns {Point} */
export function signOf(shape) {
  const points = positions(shape);
  if (shape.type === "LineString") return points.reduce((best, point) => (point[1] > best[1] ? point : best));
  const [west, , east, north] = boundsOf(points);
  return [(west + east) / 2, north];
}

/** @param {Point[]} line @returns {Point} */
function alongLine(line) {
  const steps = line.slice(1).map((point, n) => metresBetween(line[n], point));
  let left = steps.reduce((sum, step) => sum + step, 0) / 2;
  for (const [n, step] of steps.entries()) {
    if (left <= step && step > 0) {
      const share = left / step;
      return [line[n][0] + share * (line[n + 1][0] - line[n][0]), line[n][1] + share * (line[n + 1][1] - line[n][1])];
    }
    left -= step;
  }
  return line[0];
}
