/* The session on a space and its payment, as the server knows them. The page shows this and decides nothing. */

import { Problem, read, send } from "../api.js";
import { learnNow } from "../i18n.js";
import { computed, effect, signal } from "../lib.js";
import { lang } from "../look.js";
import { askWechat, opened, waysHere } from "./device.js";
import { forget, keep, keyFor, recall } from "./memory.js";

const LOOK_EVERY_MS = 15_000;
const OPEN_TO_PAYMENT = new Set(["pending", "unknown"]);

const here = new URL(location.href);
/** The space's printed code. */
export const code = decodeURIComponent(here.pathname.split("/")[2] ?? "");
const token = here.searchParams.get("k");
const payer = new URLSearchParams(here.hash.slice(1)).get("payer");

/** @type {import("../lib.js").Signal<any>} */
export const session = signal(null);
/** @type {import("../lib.js").Signal<any>} */
export const payment = signal(null);
/** @type {import("../lib.js").Signal<string | null>} */
export const receipt = signal(null);
/** Why nothing can be shown: a slug of the API, or `offline`. @type {import("../lib.js").Signal<string | null>} */
export const trouble = signal(null);
/** Why the last wish to pay was not granted. @type {import("../lib.js").Signal<string | null>} */
export const refusal = signal(null);
export const loading = signal(true);
export const asking = signal(false);
/** @type {import("../lib.js").Signal<import("./device.js").Way[]>} */
export const ways = signal([]);
export const mine = signal(Boolean(recall(code).mine));
/** Ticks, so that what counts down does. */
export const tick = signal(Date.now());

/** How far the server's clock is ahead, as its last answer about the session tells. */
let ahead = 0;

/** @type {import("../lib.js").Signal<number>} */
export const serverNow = computed(() => tick.value + ahead);

/** Whether a payment is under way that the driver should see before anything else. */
export const isPaying = computed(() => payment.value !== null && OPEN_TO_PAYMENT.has(payment.value.status));

/** Read the session again. */
export async function look() {
  try {
    const path = `/spaces/${encodeURIComponent(code)}/session${token ? `?k=${encodeURIComponent(token)}` : ""}`;
    take(await read(path, { fresh: true }));
    trouble.value = null;
  } catch (problem) {
    await lookAtKept(/** @type {Problem} */ (problem));
  } finally {
    loading.value = false;
  }
}

/** @param {any} found */
function take(found) {
  if (recall(code).session && recall(code).session !== found.id) leaveBehind();
  keep(code, { session: found.id });
  if (found.status === "open" && !found.unsure) {
    ahead = Date.parse(found.counted_to) - Date.now();
    learnNow(found.counted_to);
  }
  session.value = found;
}

/** Nothing parked, says the space: the driver's own session may be settled, and is still shown. @param {Problem} problem */
async function lookAtKept(problem) {
  const kept = recall(code).session;
  if (problem.slug?.endsWith("no-session") && kept) {
    try {
      session.value = await read(`/sessions/${kept}`, { fresh: true });
      trouble.value = null;
      return;
    } catch {
      leaveBehind();
    }
  }
  if (problem.status === 0 && session.value) {
    trouble.value = "offline";
    return;
  }
  session.value = null;
  trouble.value = problem.status === 0 ? "offline" : slugOf(problem);
}

/** Another session than the one this device knew: what was kept of it is over. */
function leaveBehind() {
  forget(code);
  payment.value = receipt.value = null;
  mine.value = false;
}

/** @param {Problem} problem */
const slugOf = (problem) => problem.slug?.split(/[/:]/).pop() || "error";

/** "Yes, that stay was mine." */
export function claim() {
  keep(code, { mine: true });
  mine.value = true;
}

/** Begin to pay. @param {import("./device.js").Way} way */
export async function pay(way) {
  if (asking.value) return;
  if (way.channel === "wechat_jsapi" && !payer) {
    location.assign(`/s/${encodeURIComponent(code)}/wechat${token ? `?k=${encodeURIComponent(token)}` : ""}`);
    return;
  }
  asking.value = true;
  refusal.value = null;
  const { id, due_fen: due } = session.value;
  try {
    const body = { channel: way.channel, return_path: here.pathname + here.search, payer_id: null, close_others: true };
    if (way.channel === "wechat_jsapi") body.payer_id = /** @type {any} */ (payer);
    const begun = await send(`/sessions/${id}/payments`, body, keyFor(code, `${id} ${way.channel} ${due}`));
    follow(begun);
    await goOn(begun);
  } catch (problem) {
    refusal.value = slugOf(/** @type {Problem} */ (problem));
    keep(code, { key: undefined });
    if (refusal.value === "nothing-due") await look();
  } finally {
    asking.value = false;
  }
}

/** To the cashier of a payment that is waiting. @param {any} waiting */
export async function goOn(waiting) {
  if (waiting.bridge) await askWechat(waiting.bridge);
  else if (waiting.pay_url && !waiting.code_url) location.assign(waiting.pay_url);
}

/** Look no more at a payment that came to nothing. */
export function startAgain() {
  keep(code, { payment: undefined, key: undefined });
  payment.value = null;
  refusal.value = null;
  look();
}

/** @type {EventSource | null} */
let stream = null;

/** Follow a payment until nothing about it is open. @param {any} begun */
function follow(begun) {
  keep(code, { payment: begun.id });
  payment.value = begun;
  stream?.close();
  stream = new EventSource(`/api/v1/payments/${begun.id}/events`);
  stream.addEventListener("payment", (event) => {
    payment.value = JSON.parse(event.data);
    if (!OPEN_TO_PAYMENT.has(payment.value.status)) stream?.close();
  });
}

async function resume() {
  const kept = recall(code).payment;
  if (!kept) return;
  try {
    const known = await read(`/payments/${kept}`, { fresh: true });
    if (OPEN_TO_PAYMENT.has(known.status)) follow(known);
    else payment.value = known;
  } catch (problem) {
    if (/** @type {Problem} */ (problem).status === 404) keep(code, { payment: undefined });
  }
}

/** Read everything, and keep it current while somebody looks. */
export async function begin() {
  read("/payment-channels").then((here) => (ways.value = waysHere(here.channels)), () => {});
  await resume();
  await look();
  setInterval(() => (tick.value = Date.now()), 1_000);
  setInterval(() => document.hidden || look(), LOOK_EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    resume();
    look();
  });
  addEventListener("online", look);
  let asked = lang.peek();
  effect(() => {
    if (lang.value === asked) return;
    asked = lang.value;
    look(); // the lines are worded by the server
  });
}

let paid = "";
effect(() => {
  const now = payment.value;
  if (now?.status !== "paid" || paid === now.id) return;
  paid = now.id;
  look();
  read(`/payments/${now.id}/receipt`).then((made) => (receipt.value = made.number), () => {});
});

export { opened };
