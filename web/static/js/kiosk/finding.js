/* From what a driver knows (a space, a plate, a code) to the stay; never to anybody else's. */

import { read } from "../api.js";
import { learnNow } from "../i18n.js";
import { hasProvince, LONGEST, SHORTEST } from "../plate-keys.js";
import { ask, me } from "./device.js";
import { attempt, change, go, onForget, refusal, refusalOf, step, stillHere, visit } from "./visit.js";

const LOOK_EVERY_MS = 15_000;
/** With fewer characters of a plate too many would fit. */
export const FRAGMENT = 4;

/** @param {{space: string} | {plate: string} | {code: string}} asked */
export const find = (asked) =>
  attempt(
    () => ask("/find", asked),
    (found) => {
      if (!found.matches.length) return go("nothing", { by: found.by, typed: "" });
      const [first] = found.matches;
      if (found.matches.length === 1 && first.session) return show(first.session, first.plate);
      go("choose", { matches: found.matches, more: found.more, typed: "", by: found.by });
    },
  );

/** One of several: shown if the server knows it to be this driver's, else proved first. @param {any} match */
export function choose(match) {
  if (match.session) show(match.session, match.plate);
  else go("confirm", { chosen: match, typed: "", by: "space" });
}

/** The second fact that only its driver knows. @param {{space: string} | {plate: string}} fact */
export const confirm = (fact) =>
  attempt(
    () => ask(`/choices/${encodeURIComponent(visit.peek().chosen.choice)}`, fact),
    (found) => show(found.session, found.plate ?? visit.peek().chosen?.plate ?? null),
  );

/** @param {any} session @param {string | null} plate */
export function show(session, plate) {
  tellTime(session);
  go("fee", { session, plate, typed: "", matches: undefined, chosen: undefined });
  refreshLater();
}

/** Ask again what the stay costs now. */
export async function refresh() {
  const { session } = visit.peek();
  if (!session) return;
  const here = stillHere();
  try {
    const answer = await ask(`/sessions/${session.id}`);
    tellTime(answer.session);
    if (here()) change({ session: answer.session });
  } catch (problem) {
    if (here() && step.peek() === "fee") refusal.value = refusalOf(problem);
  }
}

/** A stay that goes on is counted to this moment. @param {any} session */
function tellTime(session) {
  if (session.status === "open" && !session.unsure) learnNow(session.counted_to);
}

let timer = 0;
function refreshLater() {
  clearInterval(timer);
  timer = setInterval(refresh, LOOK_EVERY_MS);
}
onForget(() => clearInterval(timer));

/** The spaces of this machine's own car park, so that its number alone is enough. @type {string[]} */
let codes = [];

export async function learnCodes() {
  const lot = me.peek()?.lot_id;
  if (!lot || codes.length) return;
  const here = await read("/spaces").catch(() => null);
  codes = (here?.features ?? [])
    .map((/** @type {any} */ feature) => feature.properties)
    .filter((/** @type {any} */ space) => space.lot_id === lot)
    .map((/** @type {any} */ space) => space.code);
}

/** The whole code of a space: `17` at the machine of `KL` is `KL-017`. @param {string} typed */
export function spaceOf(typed) {
  const lot = me.peek()?.lot_id;
  if (!lot || !/^\d+$/.test(typed)) return typed;
  const same = codes.filter((code) => Number(code.match(/(\d+)$/)?.[1] ?? -1) === Number(typed));
  return same.length === 1 ? same[0] : `${lot}-${typed.padStart(3, "0")}`;
}

/** Whether enough of a plate is there to look for it. @param {string} plate */
export const enough = (plate) => plate.length >= FRAGMENT + (hasProvince(plate) ? 1 : 0) && plate.length <= LONGEST;

/** @param {string} plate */
export const isWhole = (plate) => hasProvince(plate) && plate.length >= SHORTEST;
