/* What a lot is usually like, by the hour, from its own past weeks. Pure. */

/** @typedef {{from: string, occupied: number, free: number, occupancy: number | null, silent: boolean, complete: boolean}} Bucket */
/** @typedef {{hour: number, free: number | null, days: number}} Hour */

/** Days of an hour that make it worth telling. */
const ENOUGH_DAYS = 3;
/** Hours of a day that must be known, or there is no curve. */
const ENOUGH_HOURS = 12;
const HOUR_MS = 3_600_000;

/** How far back a typical day looks. */
export const WEEKS = 4;

/**
 * The 24 hours of such a day as this instant lies in (a working day or a weekend), each with the mean share of free
 * spaces; hours in which sensors were silent do not count. Null while too little is known for an honest guess.
 * @param {Bucket[]} buckets of an hour each
 * @param {number} now
 * @param {string} zone
 * @returns {Hour[] | null}
 */
export function typicalDay(buckets, now, zone) {
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "short", hour: "2-digit", hourCycle: "h23" });
  const placeOf = (/** @type {number} */ instant) => {
    const parts = Object.fromEntries(clock.formatToParts(instant).map(({ type, value }) => [type, value]));
    return { weekend: parts.weekday === "Sat" || parts.weekday === "Sun", hour: Number(parts.hour) };
  };
  const today = placeOf(now);
  /** @type {number[][]} */
  const shares = Array.from({ length: 24 }, () => []);
  for (const { from, occupancy, silent, complete } of buckets) {
    const at = Date.parse(from);
    if (silent || !complete || occupancy === null || at > now - HOUR_MS) continue;
    const { weekend, hour } = placeOf(at);
    if (weekend === today.weekend) shares[hour].push(1 - occupancy);
  }
  const hours = shares.map((of, hour) => ({
    hour,
    free: of.length >= ENOUGH_DAYS ? of.reduce((sum, share) => sum + share, 0) / of.length : null,
    days: of.length,
  }));
  return hours.filter(({ free }) => free !== null).length >= ENOUGH_HOURS ? hours : null;
}

/** The hour of the day at an instant there. @param {number} instant @param {string} zone */
export const hourAt = (instant, zone) =>
  Number(new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", hourCycle: "h23" }).format(instant));
