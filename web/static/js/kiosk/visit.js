/* One driver's visit: the step, what the server said, and how all of it is forgotten. */

import { batch, signal } from "../lib.js";
import { lang } from "../look.js";
import { note } from "./queue.js";

/** @typedef {"idle" | "find" | "choose" | "confirm" | "nothing" | "fee" | "pay" | "done" | "plate" | "debts"} Step */
/** @typedef {{slug: string, status: number}} Refusal */
/**
 * `by` how it was looked for, `typed` so far; `matches` to choose from, `chosen` of them; `session` and its masked `plate`;
 * `payment` under way and the fee it was `quoted` for; `receipt`; `debts` of a plate and the one being paid (`debt`).
 * @typedef {{by?: "space" | "plate" | "code", typed?: string, letters?: boolean, matches?: any[], more?: boolean, chosen?: any,
 *   session?: any, plate?: string | null, payment?: any, quoted?: number, receipt?: any, whole?: string, debts?: any,
 *   debt?: string, all?: boolean, paidDebts?: number, showCode?: boolean, printing?: "no" | "busy" | "done" | "failed",
 *   disputed?: boolean}} Visit
 */

export const step = signal(/** @type {Step} */ ("idle"));
export const visit = signal(/** @type {Visit} */ ({}));
/** An answer is awaited. */
export const busy = signal(false);
/** Why the last wish was not granted. */
export const refusal = signal(/** @type {Refusal | null} */ (null));
export const help = signal(false);

/** How this driver wants to see it; forgotten with the rest. */
export const look = signal({ large: false, contrast: false, low: false });

/** Grows with each driver: an answer to the last one's question is nobody's. */
let generation = 0;

/** @param {Partial<Visit>} more */
export const change = (more) => (visit.value = { ...visit.peek(), ...more });

/** @param {Step} next @param {Partial<Visit>} [more] */
export function go(next, more = {}) {
  batch(() => {
    change(more);
    refusal.value = null;
    step.value = next;
  });
}

/**
 * Do something that needs the server, one such thing at a time; its answer is dropped when the driver has gone.
 * @template T
 * @param {() => Promise<T>} wish
 * @param {(answer: T) => void} then
 */
export async function attempt(wish, then) {
  if (busy.peek()) return;
  const mine = generation;
  batch(() => {
    busy.value = true;
    refusal.value = null;
  });
  try {
    const answer = await wish();
    if (mine !== generation) return;
    busy.value = false;
    then(answer);
  } catch (problem) {
    if (mine !== generation) return;
    refusal.value = refusalOf(problem);
    if (refusal.value.status >= 500) note("error", { slug: refusal.value.slug, status: refusal.value.status });
  } finally {
    if (mine === generation) busy.value = false;
  }
}

/** @param {any} problem @returns {Refusal} */
export const refusalOf = (problem) => ({
  slug: problem.status === 0 ? "offline" : problem.slug?.split(/[/:]/).pop() || "error",
  status: problem.status ?? 0,
});

/** Only for as long as the same driver stands here. @returns {() => boolean} */
export function stillHere() {
  const mine = generation;
  return () => mine === generation;
}

/** @type {Set<() => void>} */
const forgetters = new Set();

/** What else must stop when a driver goes: a stream, a timer. @param {() => void} forgetter */
export const onForget = (forgetter) => forgetters.add(forgetter);

/** Forget this driver: nothing stays on the screen, in memory or in the history (which has one entry only). */
export function forget() {
  generation += 1;
  for (const forgetter of forgetters) forgetter();
  const wasUsed = step.peek() !== "idle";
  batch(() => {
    visit.value = {};
    step.value = "idle";
    busy.value = help.value = false;
    refusal.value = null;
    look.value = { large: false, contrast: false, low: false };
    lang.value = "zh";
  });
  if (wasUsed) note("reset");
}
