/* Parking by the map, in a demo: the space that was tapped, what we parked, and the two orders: come, and go. */

import { read, send } from "./api.js";
import { signal } from "./lib.js";
import { letterAt, spaces, spacesWanted, watchSpaces } from "./spaces.js";

/** @typedef {import("./types").Letter} Letter */
/** @typedef {{code: string, lot: string}} Place */
/** @typedef {{visit: string, lot: string, at: string, pay: string, asked: number}} Visit */
/** @typedef {{code: string, state: "asking" | "left" | "refused", slug?: string, seconds?: number}} Order */

const KEY = "parking.visits";
/** So long after an order the map may still show what was before it. */
const TURNS_WITHIN_MS = 20_000;

/** The space that was tapped last; none outside a demo. */
export const tapped = signal(/** @type {Place | null} */ (null));
/** What stands where by us, by the code of the space. */
export const mine = signal(kept());
/** What became of the newest order. */
export const order = signal(/** @type {Order | null} */ (null));
/** How many minutes pass here while one passes for us. */
export const speed = signal(1);
/** Rises whenever a space has turned. */
export const turns = signal(0);

/** @type {Promise<boolean> | null} */
let asked = null;

/** Whether people may park by the map here; asked once, when it first matters. */
export function isDemo() {
  asked ??= read("/meta").then(
    (meta) => {
      speed.value = meta.speed;
      if (meta.demo) watchSpaces(() => turns.value++);
      return meta.demo;
    },
    () => {
      asked = null; // not now: the next tap asks again
      return false;
    },
  );
  return asked;
}

/** Somebody points at a space. @param {string} code @param {string} lot */
export async function tap(code, lot) {
  if (!(await isDemo())) return;
  order.value = null;
  tapped.value = { code, lot };
}

/** What the map shows of a space. @param {string} code @returns {Letter} */
export const letterOf = (code) => letterAt(spaces.peek().findIndex((space) => space.properties.code === code));

/** The visit of ours to a space; one that the map knows nothing of is over. @param {string} code */
export function visitTo(code) {
  const visit = mine.peek()[code];
  const isThere = visit && (letterOf(code) === "o" || Date.now() - visit.asked < TURNS_WITHIN_MS);
  return isThere ? visit : null;
}

/** @param {string} code @param {string} lot */
export async function park(code, lot) {
  const visit = crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join("-");
  const done = await ask("park", code, visit);
  if (!done) return;
  order.value = null;
  keep({ ...mine.peek(), [code]: { visit, lot, at: done.at, pay: done.pay_path, asked: Date.now() } });
}

/** @param {string} code */
export async function leave(code) {
  const visit = mine.peek()[code]?.visit;
  if (visit && (await ask("leave", code, visit))) {
    forget(code);
    order.value = { code, state: "left" };
  }
}

/** @param {"park" | "leave"} verb @param {string} code @param {string} visit */
async function ask(verb, code, visit) {
  order.value = { code, state: "asking" };
  try {
    return await send(`/demo/${verb}`, { space: code, visit });
  } catch (reason) {
    const { slug = "", facts = {} } = /** @type {import("./api.js").Problem} */ (reason);
    const last = slug.split("/").pop();
    if (last === "not-your-visit") forget(code);
    order.value = { code, state: "refused", slug: last, seconds: facts.retry_after_seconds };
    return null;
  }
}

/** @param {string} code */
function forget(code) {
  const { [code]: _, ...others } = mine.peek();
  keep(others);
}

/** @param {Record<string, Visit>} visits */
function keep(visits) {
  mine.value = visits;
  try {
    localStorage.setItem(KEY, JSON.stringify(visits));
  } catch {
    // private windows may refuse; the visit is then remembered as long as the page
  }
}

/** @returns {Record<string, Visit>} */
function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEY) || "{}");
  } catch {
    return {};
  }
}

if (Object.keys(mine.peek()).length) {
  isDemo();
  spacesWanted(); // whether it still stands there
}
