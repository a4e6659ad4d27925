/* This machine: its key, its connection, the server's clock. What it keeps tells nothing of any driver. */

import { Problem } from "../api.js";
import { computed, signal } from "../lib.js";
import { lang } from "../look.js";

const KEY = "parking.kiosk.key";
const ME = "parking.kiosk.me";
const PATIENCE_MS = 8_000;
const BEAT_MS = 30_000;
const RETRY_MS = 4_000;

/** @typedef {{name: string, number?: number | string, lot_id?: string | null, help_phone?: string, channels?: string[], events_seq?: number}} Machine */

/** @param {string} slot */
function stored(slot) {
  try {
    return localStorage.getItem(slot);
  } catch {
    return null;
  }
}

/** @param {string} slot @param {string} value */
function store(slot, value) {
  try {
    localStorage.setItem(slot, value);
  } catch {
    // a browser that keeps nothing must be set up again after each start
  }
}

export const key = signal(stored(KEY) ?? "");
/** Who the server takes us for; from the last time it said so. */
export const me = signal(/** @type {Machine | null} */ (JSON.parse(stored(ME) ?? "null")));
export const link = signal(/** @type {"asking" | "up" | "down"} */ ("asking"));
/** The server knows no such key (any more). */
export const refused = signal(false);

/** How far the server's clock is ahead of ours, which nobody sets. */
let ahead = 0;
const tick = signal(Date.now());
/** @type {import("../lib.js").Signal<number>} */
export const serverNow = computed(() => tick.value + ahead);

/**
 * Ask the kiosk's part of the API; with a body it is a POST, and the same `once` is done once.
 * @param {string} path
 * @param {object} [what]
 * @param {string} [once]
 * @returns {Promise<any>}
 */
export async function ask(path, what, once) {
  const response = await reach(path, what, once);
  const body = await response.json().catch(() => null);
  const told = Date.parse(body?.server_time ?? response.headers.get("Date") ?? "");
  if (!Number.isNaN(told)) ahead = told - Date.now();
  if (!response.ok && response.status >= 500 && !body?.type) throw lost(`${response.status}`); // a proxy without us behind it
  link.value = "up";
  if (response.ok) refused.value = false;
  if (response.status === 401) refused.value = true;
  if (!response.ok) throw new Problem(body?.detail ?? response.statusText, response.status, body?.type);
  return body;
}

/** @param {string} path @param {object} [what] @param {string} [once] */
async function reach(path, what, once) {
  try {
    return await fetch(`/api/v1/kiosk${path}`, {
      method: what ? "POST" : "GET",
      headers: {
        Authorization: `Bearer ${key.peek()}`,
        "Accept-Language": lang.peek(),
        ...(what ? { "Content-Type": "application/json" } : {}),
        ...(once ? { "Idempotency-Key": once } : {}),
      },
      body: what && JSON.stringify(what),
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch (reason) {
    throw lost(String(reason));
  }
}

/** @param {string} reason */
function lost(reason) {
  link.value = "down";
  return new Problem(reason, 0);
}

/** Set the machine up, or set it up anew. @param {string} given */
export function useKey(given) {
  key.value = given.trim();
  me.value = null;
  store(KEY, key.value);
  refused.value = false;
  return beat();
}

/** The key may come behind the `#`, which no server sees; it is taken out of the address at once. */
export function takeKeyFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (location.hash) history.replaceState(null, "", location.pathname);
  if (given) useKey(given);
}

let timer = 0;

/** Are we still known, and what time is it? Soon again when nobody answers. */
export async function beat() {
  clearTimeout(timer);
  if (key.peek()) {
    try {
      me.value = await ask("/me");
      store(ME, JSON.stringify(me.value));
    } catch {
      // the signals say what is wrong
    }
  }
  timer = setTimeout(beat, link.peek() === "down" ? RETRY_MS : BEAT_MS);
}

export function startDevice() {
  setInterval(() => (tick.value = Date.now()), 1_000);
  addEventListener("offline", () => (link.value = "down"));
  addEventListener("online", beat);
  addEventListener("hashchange", takeKeyFromAddress);
  takeKeyFromAddress();
  beat();
}
