/* What happened at this machine, kept until the server has it; each with the device's own number, so that none counts twice. */

import { effect } from "../lib.js";
import { ask, link, me, serverNow } from "./device.js";

const SLOT = "parking.kiosk.events";
const MOST_KEPT = 500;
const AT_ONCE = 50;

/** @typedef {{seq: number, at: string, kind: string, detail: object}} Happening */

/** @returns {{last: number, waiting: Happening[]}} */
function kept() {
  try {
    return JSON.parse(localStorage.getItem(SLOT) ?? "") ?? { last: 0, waiting: [] };
  } catch {
    return { last: 0, waiting: [] };
  }
}

/** @param {{last: number, waiting: Happening[]}} queue */
function keep(queue) {
  try {
    localStorage.setItem(SLOT, JSON.stringify(queue));
  } catch {
    // then the happening is lost with the page; nothing of money depends on it
  }
}

/**
 * Write down that something happened; never anything about a driver.
 * @param {"printer-empty" | "offline" | "online" | "reset" | "help" | "error"} kind
 * @param {object} [detail]
 */
export function note(kind, detail = {}) {
  const { last, waiting } = kept();
  const happening = { seq: last + 1, at: new Date(serverNow.peek()).toISOString(), kind, detail };
  keep({ last: last + 1, waiting: [...waiting, happening].slice(-MOST_KEPT) });
  if (link.peek() === "up") flush();
}

let sending = false;

/** Hand over what waits, oldest first. */
export async function flush() {
  if (sending) return;
  sending = true;
  try {
    for (let events = kept().waiting.slice(0, AT_ONCE); events.length; events = kept().waiting.slice(0, AT_ONCE)) {
      await ask("/events", { events }).catch(dropIfRefused);
      const sent = new Set(events.map((event) => event.seq));
      const { last, waiting } = kept();
      keep({ last, waiting: waiting.filter((event) => !sent.has(event.seq)) });
    }
  } catch {
    // the next beat of the connection tries again
  } finally {
    sending = false;
  }
}

/** What the server will never take must not stand before what it will. @param {any} problem */
function dropIfRefused(problem) {
  if (problem.status !== 422) throw problem;
}

/** A machine whose storage was emptied counts on from what the server has seen of it. @param {number} seen */
function countOn(seen) {
  const { last, waiting } = kept();
  if (last >= seen) return;
  keep({ last: seen + waiting.length, waiting: waiting.map((event, n) => ({ ...event, seq: seen + n + 1 })) });
}

/** Note when the connection goes and comes, and hand over what waits. */
export function startQueue() {
  let before = link.peek();
  effect(() => {
    const now = link.value;
    if (now === before) return;
    if (now === "down") note("offline");
    if (now === "up" && before === "down") note("online");
    before = now;
  });
  effect(() => {
    if (!me.value || link.value !== "up") return;
    countOn(me.value.events_seq ?? 0);
    flush();
  });
}
