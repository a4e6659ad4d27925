/* Paying for something that is no stay: a debt, a pass. The server knows the amount; the device remembers the attempt. */

import { Problem, read, send } from "../api.js";
import { effect, signal } from "../lib.js";
import { askWechat, waysHere } from "../pay/device.js";
import { keep, keyFor, recall } from "../pay/memory.js";

const OPEN = new Set(["pending", "unknown"]);
const payer = new URLSearchParams(location.hash.slice(1)).get("payer");

/** @param {Problem} problem */
export const slugOf = (problem) => (problem.status === 0 ? "offline" : problem.slug?.split(/[/:]/).pop() || "error");

/** Whether anything about it is open. @param {any} payment */
export const isOpen = (payment) => OPEN.has(payment?.status);

/**
 * @param {string} slot under which the device remembers
 * @param {(payment: any) => void} whenPaid
 */
export function till(slot, whenPaid) {
  /** @type {import("../lib.js").Signal<any>} */
  const payment = signal(null);
  const refusal = signal(/** @type {string | null} */ (null));
  const asking = signal(false);
  const ways = signal(/** @type {import("../pay/device.js").Way[]} */ ([]));
  /** @type {EventSource | null} */
  let stream = null;
  let told = "";

  effect(() => {
    const now = payment.value;
    if (now?.status !== "paid" || told === now.id) return;
    told = now.id;
    whenPaid(now);
  });

  /** @param {any} begun */
  function follow(begun) {
    keep(slot, { payment: begun.id });
    payment.value = begun;
    stream?.close();
    stream = new EventSource(`/api/v1/payments/${begun.id}/events`);
    stream.addEventListener("payment", (event) => {
      payment.value = JSON.parse(event.data);
      if (!isOpen(payment.value)) stream?.close();
    });
  }

  /** To the cashier. @param {any} waiting */
  async function goOn(waiting) {
    if (waiting.bridge) await askWechat(waiting.bridge);
    else if (waiting.pay_url && !waiting.code_url) location.assign(waiting.pay_url);
  }

  /** @param {string} path @param {string} about @param {import("../pay/device.js").Way} way */
  async function pay(path, about, way) {
    if (asking.peek()) return;
    if (way.channel === "wechat_jsapi" && !payer) {
      location.assign(`${location.pathname}/wechat`); // its silent login, and back
      return;
    }
    asking.value = true;
    refusal.value = null;
    try {
      const body = { channel: way.channel, return_path: location.pathname, ...(payer ? { payer_id: payer } : {}) };
      const begun = await send(path, body, keyFor(slot, `${about} ${way.channel}`));
      follow(begun);
      await goOn(begun);
    } catch (problem) {
      refusal.value = slugOf(/** @type {Problem} */ (problem));
      keep(slot, { key: undefined });
    } finally {
      asking.value = false;
    }
  }

  function startAgain() {
    stream?.close();
    keep(slot, { payment: undefined, key: undefined });
    payment.value = null;
    refusal.value = null;
  }

  /** A page that was left for the cashier knows what it left for. */
  async function resume() {
    const kept = recall(slot).payment;
    if (!kept) return;
    try {
      const known = await read(`/payments/${kept}`, { fresh: true });
      if (isOpen(known)) follow(known);
      else payment.value = known;
    } catch (problem) {
      if (/** @type {Problem} */ (problem).status === 404) keep(slot, { payment: undefined });
    }
  }

  read("/payment-channels").then((here) => (ways.value = waysHere(here.channels)), () => {});
  document.addEventListener("visibilitychange", () => document.hidden || resume());
  return { payment, refusal, asking, ways, pay, goOn, startAgain, resume };
}

/** @typedef {ReturnType<typeof till>} Till */
