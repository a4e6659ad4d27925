/* What this device keeps of a space's payment, so that a page that was left, reloaded or killed knows where it was. */

const KEPT_MS = 12 * 3_600_000;

/** @typedef {{session?: string, payment?: string, key?: string, keyFor?: string, mine?: boolean, at: number}} Kept */

/** @param {string} code */
const slot = (code) => `parking.pay.${code}`;

/** @param {string} code @returns {Kept} */
export function recall(code) {
  try {
    const kept = JSON.parse(localStorage.getItem(slot(code)) || "{}");
    return Date.now() - kept.at < KEPT_MS ? kept : { at: 0 };
  } catch {
    return { at: 0 }; // storage may be forbidden
  }
}

/** @param {string} code @param {Partial<Kept>} change */
export function keep(code, change) {
  try {
    localStorage.setItem(slot(code), JSON.stringify({ ...recall(code), ...change, at: Date.now() }));
  } catch {
    // private windows may refuse; the page then knows only what it shows
  }
}

/** @param {string} code */
export function forget(code) {
  try {
    localStorage.removeItem(slot(code));
  } catch {
    // nothing was kept then
  }
}

/**
 * The key under which one wish to pay is sent, the same after a reload: a repetition is answered, not done again.
 * @param {string} code @param {string} wish
 */
export function keyFor(code, wish) {
  const kept = recall(code);
  if (kept.key && kept.keyFor === wish) return kept.key;
  const key = crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join("-");
  keep(code, { key, keyFor: wish });
  return key;
}
