/* The slip: through the browser's own kiosk printing, without a dialog. What cannot be printed is a code to scan. */

import { signal } from "../lib.js";
import { note } from "./queue.js";
import { change, stillHere } from "./visit.js";

const SLOT = "parking.kiosk.printer";
const PATIENCE_MS = 10_000;

/** `ready`, or why there is no paper: `none` is there, it is `empty`, it has `failed`. */
export const printer = signal(/** @type {"ready" | "none" | "empty" | "failed"} */ ("ready"));

/** @param {string} state */
function take(state) {
  if (!["ready", "none", "empty", "failed"].includes(state) || state === printer.peek()) return;
  printer.value = /** @type {any} */ (state);
  if (state === "empty") note("printer-empty");
  if (state === "failed") note("error", { slug: "printer-failed" });
  try {
    localStorage.setItem(SLOT, state);
  } catch {
    // it will be told again
  }
}

/** A browser cannot see its paper: whoever watches the printer says `#printer=empty`, or sends the event `printer`. */
export function startPrinter() {
  const told = () => take(new URLSearchParams(location.hash.slice(1)).get("printer") ?? "");
  try {
    printer.value = /** @type {any} */ (localStorage.getItem(SLOT) ?? "ready");
  } catch {
    // as it was delivered: ready
  }
  told();
  addEventListener("hashchange", told);
  document.addEventListener("printer", (event) => take(String(/** @type {CustomEvent} */ (event).detail)));
}

/** Print the slip that is on the page; if the browser never says that it is through, the code stands in. */
export function print() {
  const here = stillHere();
  change({ printing: "busy" });
  const end = (/** @type {"done" | "failed"} */ how) => {
    clearTimeout(timer);
    removeEventListener("afterprint", done);
    if (how === "failed") take("failed");
    if (here()) change(how === "failed" ? { printing: how, showCode: true } : { printing: how });
  };
  const done = () => end("done");
  const timer = setTimeout(() => end("failed"), PATIENCE_MS);
  addEventListener("afterprint", done);
  window.print();
}
