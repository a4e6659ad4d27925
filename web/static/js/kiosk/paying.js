/* A payment at this machine: begun, watched until nothing about it is open, never doubled. The amount is the server's. */

import { read } from "../api.js";
import { ask, link } from "./device.js";
import { refresh } from "./finding.js";
import { attempt, change, go, onForget, refusal, refusalOf, step, stillHere, visit } from "./visit.js";

const OPEN = new Set(["pending", "unknown"]);
const LOOK_EVERY_MS = 4_000;

/** The key of a wish: a second tap, or a try after a broken line, asks for the same attempt. */
let wish = { about: "", key: "" };

/** @param {string} about */
function keyFor(about) {
  if (wish.about !== about) {
    const key = crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join("-");
    wish = { about, key };
  }
  return wish.key;
}

/** Whether anything about the payment is still open. @param {any} payment */
export const isOpen = (payment) => OPEN.has(payment?.status);

/** @param {string} channel */
export async function pay(channel) {
  const { session } = visit.peek();
  const about = `${session.id} ${channel} ${session.due_fen} ${visit.peek().payment?.id ?? ""}`;
  await attempt(
    () => ask(`/sessions/${session.id}/payments`, { channel }, keyFor(about)),
    ({ payment }) => {
      go("pay", { payment, quoted: session.due_fen });
      follow(payment.id);
    },
  );
  if (refusal.peek()?.slug === "nothing-due") await settled();
}

/** Somebody has paid it already, perhaps by phone: the stay says so itself. */
async function settled() {
  refusal.value = null;
  await refresh();
}

/** Pay one debt of a plate. @param {string} debt @param {string} channel */
export const payDebt = (debt, channel) =>
  attempt(
    () => ask(`/arrears/${encodeURIComponent(debt)}/payments`, { channel }, keyFor(`${debt} ${channel} ${visit.peek().payment?.id ?? ""}`)),
    (answer) => {
      const payment = answer.payment ?? answer;
      go("pay", { payment, debt, quoted: payment.amount_fen });
      follow(payment.id);
    },
  );

/** @type {EventSource | null} */
let stream = null;
let timer = 0;

function stop() {
  stream?.close();
  clearInterval(timer);
  stream = null;
}
onForget(() => {
  stop();
  wish = { about: "", key: "" };
});

/** Both ways: the server tells at once, and is asked besides in case its word was lost. @param {string} id */
function follow(id) {
  stop();
  const here = stillHere();
  const take = (/** @type {any} */ payment) => {
    if (!here() || visit.peek().payment?.id !== id || step.peek() !== "pay") return;
    change({ payment });
    if (isOpen(payment)) return;
    stop();
    if (payment.status === "paid") paid(payment);
  };
  stream = new EventSource(`/api/v1/payments/${id}/events`);
  stream.addEventListener("payment", (event) => take(JSON.parse(event.data)));
  timer = setInterval(() => {
    if (stream?.readyState !== EventSource.OPEN) read(`/payments/${id}`, { fresh: true }).then(take, () => {});
  }, LOOK_EVERY_MS);
}

/** @param {any} payment */
async function paid(payment) {
  if (!visit.peek().debt) {
    await refresh();
    go("done");
    await fetchReceipt();
    return;
  }
  const { debts, debt, paidDebts = 0 } = visit.peek();
  const left = debts.debts.filter((/** @type {any} */ one) => one.id !== debt);
  go("done", { debts: { ...debts, debts: left, total_fen: debts.total_fen - payment.amount_fen }, paidDebts: paidDebts + payment.amount_fen });
}

/** The paper, or the address of it; without it the payment is no less paid. */
export async function fetchReceipt() {
  const { session } = visit.peek();
  const here = stillHere();
  try {
    const receipt = await ask(`/sessions/${session.id}/receipt`, {});
    if (here()) change({ receipt });
  } catch (problem) {
    if (here() && link.peek() === "up") refusal.value = refusalOf(problem);
  }
}

/** What a plate owes: amounts, and nothing of when or where. @param {string} plate */
export const askDebts = (plate) =>
  attempt(
    () => ask("/arrears/query", { plate, colour: null }),
    (debts) => go("debts", { debts, whole: plate, typed: "" }),
  );

/** What is objected to is not asked for. @param {any[]} debts @returns {any[]} */
export const payable = (debts) => debts.filter((one) => !one.disputed);

/** @param {string} debt @param {string} reason */
export const dispute = (debt, reason) =>
  attempt(
    () => ask(`/arrears/${encodeURIComponent(debt)}/dispute`, { reason }),
    () => {
      const { debts } = visit.peek();
      const marked = debts.debts.map((/** @type {any} */ one) => (one.id === debt ? { ...one, disputed: true } : one));
      const sum = payable(marked).reduce((all, one) => all + one.amount_fen, 0);
      change({ disputed: true, debts: { ...debts, debts: marked, total_fen: sum } });
    },
  );
