/* What the page knows and what it is asked to show, as signals; and how news from the stream enters. */

import { read, readKept } from "./api.js";
import { learnNow } from "./i18n.js";
import { batch, computed, signal } from "./lib.js";
import { centreOf, matches, metresBetween, ranked, signOf } from "./lots.js";
import { categoriesOf, spacesWanted, takeChanges, takeSnapshot } from "./spaces.js";

/** @typedef {import("./types").Lot} Lot */
/** @typedef {import("./types").Point} Point */
/** @typedef {import("./types").City} City */
/** @typedef {import("./types").Counts} Counts */

/** After this long without a word from the server the page says that it is old. */
export const STALE_MS = 60_000;
/** Everything of a lot that the stream does not carry (opening, trend, last message) is read again this often. */
const REREAD_MS = 60_000;

// --- what is known ----------------------------------------------------------------------------------------------
export const city = signal(/** @type {City | null} */ (null));
export const lots = signal(/** @type {Map<string, Lot>} */ (new Map()));
export const loading = signal(/** @type {"loading" | "ready" | "failed"} */ ("loading"));
export const contactAt = signal(0);
export const now = signal(Date.now());
/** Whether the device says so, or the page was opened with what it had kept. */
export const offline = signal(!navigator.onLine);
/** The server's clock, which a rehearsal may run faster than ours: its newest instant and when we read it. */
let serverSaid = { at: Date.now(), heard: Date.now() };

// --- what is asked for -------------------------------------------------------------------------------------------
export const chosen = signal(/** @type {string | null} */ (null));
export const query = signal("");
export const sort = signal(/** @type {import("./types").Sort} */ ("distance"));
export const filters = signal(/** @type {Set<string>} */ (new Set()));
export const here = signal(/** @type {Point | null} */ (null));
export const street = signal(/** @type {{name: string, at: Point} | null} */ (null));

// --- what follows ------------------------------------------------------------------------------------------------
export const stale = computed(() => contactAt.value > 0 && now.value - contactAt.value > STALE_MS);
export const origin = computed(() => street.value?.at ?? here.value ?? city.value?.centre ?? middleOf(lots.value));
export const totals = computed(() => {
  const sum = { available: 0, capacity: 0, known: 0, unknown: 0 };
  for (const lot of lots.value.values()) {
    sum.available += lot.available;
    sum.capacity += lot.capacity;
    sum.known += lot.free + lot.occupied;
    sum.unknown += lot.unknown;
  }
  return sum;
});
export const shown = computed(() =>
  ranked(
    [...lots.value.values()].filter((lot) => matches(lot, query.value)),
    {
      sort: sort.value,
      from: origin.value,
      filters: filters.value,
      has: (lot, category) => (categoriesOf.value.get(lot.id)?.[category] ?? 0) > 0,
    },
  ),
);
/** Named streets and squares that the search text means, once each. */
export const streets = computed(() => {
  const text = query.value.trim();
  if (!text) return [];
  /** @type {Map<string, Point>} */
  const found = new Map();
  for (const { properties, geometry } of city.value?.context.features ?? []) {
    if (!properties.name || found.has(properties.name)) continue;
    if (matches(/** @type {any} */ (properties), text)) found.set(properties.name, centreOf(geometry));
  }
  return [...found].slice(0, 5).map(([name, at]) => ({ name, at }));
});
/** Whether the field itself has been silent for much longer than so many sensors ever are together. */
export const silentSince = computed(() => {
  const sensors = [...lots.value.values()].filter((lot) => lot.source === "sensors" && lot.heard_at);
  if (!sensors.length || stale.value) return null;
  const newest = Math.max(...sensors.map((lot) => Date.parse(lot.heard_at ?? "")));
  const spaces = sensors.reduce((sum, lot) => sum + lot.capacity, 0);
  const limit = Math.max(300_000, (3 * 3_600_000) / spaces);
  now.value; // asked again as time goes by
  return serverNow() - newest > limit ? newest : null;
});

/** Now, by the server's clock. */
export const serverNow = () => serverSaid.at + (Date.now() - serverSaid.heard);

/** @param {Lot} lot */
export const metresTo = (lot) => metresBetween(origin.value, lot.centre);

// --- news --------------------------------------------------------------------------------------------------------
/** Counts that arrived while `/lots` was on its way, which may be older than they. @type {Map<string, {counts: Counts, at: number}>} */
const recent = new Map();
const RECENT_MS = 3_000;

/** Read all lots again; what the stream said meanwhile stays on top. */
export async function readLots({ fresh = true } = {}) {
  const asked = Date.now();
  const { body, keptAt } = await readKept("/lots", { fresh });
  const before = lots.peek();
  /** @type {Map<string, Lot>} */
  const next = new Map();
  for (const feature of body.features) {
    const { id } = feature.properties;
    const news = recent.get(id);
    const counts = news && news.at > asked - RECENT_MS ? news.counts : {};
    next.set(id, { ...feature.properties, ...placed(feature, before.get(id)), ...counts });
  }
  batch(() => {
    lots.value = next;
    loading.value = "ready";
    if (keptAt !== null && !contactAt.peek()) {
      contactAt.value = keptAt;
      offline.value = true;
    }
  });
}

/** Where a lot is drawn; computed again only when its outline has changed. @param {any} feature @param {Lot} [before] */
function placed(feature, before) {
  const same = before && JSON.stringify(before.shape) === JSON.stringify(feature.geometry);
  if (same) return { number: feature.id, shape: before.shape, centre: before.centre, sign: before.sign };
  const shape = feature.geometry;
  return { number: feature.id, shape, centre: centreOf(shape), sign: signOf(shape) };
}

/** @type {Parameters<typeof import("./live.js").follow>[0]} */
export const news = {
  snapshot(body) {
    hearServer(body.at);
    takeSnapshot(body);
    readLots().catch(() => {}); // the next snapshot or the next minute tries again
  },
  changes(body) {
    hearServer(body.at);
    const heard = Date.now();
    const next = new Map(lots.peek());
    for (const [id, counts] of Object.entries(body.lots)) {
      recent.set(id, { counts, at: heard });
      const lot = next.get(id);
      if (lot) next.set(id, { ...lot, ...counts, heard_at: body.at });
    }
    batch(() => {
      takeChanges(body);
      lots.value = next;
    });
  },
  contact() {
    batch(() => {
      contactAt.value = Date.now();
      offline.value = false;
    });
  },
};

window.addEventListener("offline", () => (offline.value = true));

/** @param {string} at */
function hearServer(at) {
  serverSaid = { at: Date.parse(at), heard: Date.now() };
  learnNow(at);
}

/** First reading of the lots, tried until it succeeds; then the slow rereading. */
export async function keepLots() {
  for (let pause = 2_000; ; pause = Math.min(pause * 2, 15_000)) {
    try {
      await readLots({ fresh: false });
      break;
    } catch {
      if (loading.peek() === "loading") loading.value = "failed";
      await new Promise((resume) => setTimeout(resume, pause));
    }
  }
  setInterval(() => document.hidden || readLots().catch(() => {}), REREAD_MS);
}

/** The city's frame and context; the page is useful without it. */
export async function readCity() {
  city.value = await read("/city").catch(() => null);
}

/** @param {string} id */
export function toggleFilter(id) {
  const next = new Set(filters.peek());
  if (!next.delete(id)) next.add(id);
  filters.value = next;
  if (id === "accessible" || id === "charging") spacesWanted();
}

/** @param {Map<string, Lot>} all @returns {Point} */
function middleOf(all) {
  const first = all.values().next().value;
  return first ? first.centre : [0, 0];
}
