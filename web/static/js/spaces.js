/* Every space and its live state, by its place in the order of `/spaces`. The shapes are read when first wanted. */

import { read } from "./api.js";
import { signal } from "./lib.js";

/** @typedef {import("./types").Feature} Feature */
/** @typedef {import("./types").Letter} Letter */
/** @typedef {{id: number, letter: Letter}} Change */

/** The shapes, in order; empty until wanted. */
export const spaces = signal(/** @type {Feature[]} */ ([]));
/** How many spaces of each category a lot has: `categoriesOf.value.get("KL")?.accessible`. */
export const categoriesOf = signal(/** @type {Map<string, Record<string, number>>} */ (new Map()));

/** @type {Letter[]} */
let letters = [];
let wanted = false;
let reading = false;
let wantedTag = "";
let haveTag = "";
/** @type {Set<(changes: Change[]) => void>} */
const watchers = new Set();

/** Be told of every change of a drawn space, many at a time. @param {(changes: Change[]) => void} watcher */
export function watchSpaces(watcher) {
  watchers.add(watcher);
  watcher(all());
}

/** The state of a space by its place in the order. @param {number} position @returns {Letter} */
export const letterAt = (position) => letters[position] ?? "u";

/** From now on the shapes are kept; the first call reads them. */
export function spacesWanted() {
  wanted = true;
  refresh();
}

/** @param {import("./types").Snapshot} body */
export function takeSnapshot(body) {
  const before = letters;
  letters = /** @type {Letter[]} */ ([...body.states]);
  wantedTag = body.spaces_etag;
  refresh();
  if (haveTag !== wantedTag) return; // the order may be another one; the shapes are on their way
  tell(letters.flatMap((letter, n) => (letter === before[n] ? [] : [n])));
}

/** @param {import("./types").Changes} body */
export function takeChanges(body) {
  if (body.spaces_etag) wantedTag = body.spaces_etag;
  const touched = [];
  for (const [letter, positions] of Object.entries(body.changes)) {
    for (const n of positions ?? []) {
      letters[n] = /** @type {Letter} */ (letter);
      touched.push(n);
    }
  }
  refresh();
  tell(touched);
}

async function refresh() {
  if (!wanted || reading || haveTag === wantedTag) return;
  reading = true;
  const tag = wantedTag;
  try {
    const body = await read("/spaces", { fresh: true });
    haveTag = tag;
    categoriesOf.value = counted(body.features);
    spaces.value = body.features;
    for (const watcher of watchers) watcher(all());
  } catch {
    setTimeout(refresh, 5_000);
  } finally {
    reading = false;
  }
  if (haveTag === tag) refresh(); // it may have changed again meanwhile
}

/** @param {number[]} positions */
function tell(positions) {
  const shapes = spaces.peek();
  const changes = positions.flatMap((n) => (shapes[n] ? [{ id: Number(shapes[n].id), letter: letterAt(n) }] : []));
  if (changes.length) for (const watcher of watchers) watcher(changes);
}

/** @returns {Change[]} */
function all() {
  return spaces.peek().map((shape, n) => ({ id: Number(shape.id), letter: letterAt(n) }));
}

/** @param {Feature[]} features */
function counted(features) {
  /** @type {Map<string, Record<string, number>>} */
  const counts = new Map();
  for (const { properties } of features) {
    const of = counts.get(properties.lot_id) ?? {};
    of[properties.category] = (of[properties.category] ?? 0) + 1;
    counts.set(properties.lot_id, of);
  }
  return counts;
}
