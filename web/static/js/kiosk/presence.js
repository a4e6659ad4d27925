/* Is anybody still there? A question at 45 seconds, everything forgotten at 60. */

import { computed, effect, signal } from "../lib.js";
import { isOpen } from "./paying.js";
import { forget, help, step, visit } from "./visit.js";

/** Seconds without a touch after which is asked, and after which is forgotten. */
const USUAL = { ask: 45, end: 60 };
/** Whoever pays looks at a phone and touches nothing here; the screen then shows an amount and a code, and no vehicle. */
const PAYING = { ask: 165, end: 180 };
/** After paying it ends by itself, with the seconds shown. */
const DONE = { ask: 0, end: 15 };

const touchedAt = signal(Date.now());
const now = signal(Date.now());
/** Whoever chose something on the last screen wants to read on. */
const staysOn = signal(false);

/** @type {import("../lib.js").Signal<{ask: number, end: number} | null>} */
const limits = computed(() => {
  if (step.value === "idle") return null;
  if (step.value === "done") return staysOn.value || help.value ? USUAL : DONE;
  return step.value === "pay" && isOpen(visit.value.payment) ? PAYING : USUAL;
});

const quiet = computed(() => Math.max(0, Math.floor((now.value - touchedAt.value) / 1_000)));
/** Seconds left, or null when nobody is here. @type {import("../lib.js").Signal<number | null>} */
export const left = computed(() => (limits.value ? Math.max(0, limits.value.end - quiet.value) : null));
/** Whether to ask "are you still there?". */
export const asks = computed(() => limits.value !== null && limits.value.ask > 0 && quiet.value >= limits.value.ask);

export function touched() {
  touchedAt.value = now.value = Date.now();
}

/** Somebody reads on: the usual time begins. */
export function stay() {
  staysOn.value = true;
  touched();
}

export function startPresence() {
  // the question is answered by its buttons: were any touch an answer, it would be gone before its button is released
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => asks.peek() || touched(), { capture: true });
  effect(() => {
    step.value; // a new screen is news to read, whoever brought it
    if (step.value !== "done") staysOn.value = false;
    touched();
  });
  setInterval(() => (now.value = Date.now()), 500);
  effect(() => {
    if (left.value === 0) forget();
  });
}
