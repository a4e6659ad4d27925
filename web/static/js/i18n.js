/* Texts, numbers, money, distances and times in the page's language. */

import { lang } from "./look.js";
import { words as shared } from "./words.js";

/** @typedef {import("./types").Words} Words */

/** @type {Record<string, [string, string]>} */
const words = { ...shared };

/** Texts that one page has besides those that all share. @param {Record<string, [string, string]>} more */
export const learn = (more) => Object.assign(words, more);

/**
 * A text of the catalogue with its `{places}` filled.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const pair = words[key];
  if (!pair) throw new Error(`no text for ${key}`);
  return pair[lang.value === "zh" ? 0 : 1].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Whether the catalogue has a text under this key. @param {string} key */
export const has = (key) => key in words;

/** A text of the API, in the page's language where it has both. @param {Words} text */
export function say(text) {
  if (!text) return "";
  return typeof text === "string" ? text : text[lang.value] ?? text.zh ?? "";
}

/** A price in the little room of a row: `¥3.00/hour` as `¥3/h`. @param {string} text */
export const brief = (text) => text.replace(/(¥\d+)\.00\b/g, "$1").replace(/\/hour\b/g, "/h");

/** Its name in the page's language. @param {{name: string, name_en?: string | null}} thing */
export const nameOf = (thing) => (lang.value === "en" && thing.name_en) || thing.name;

/** The page's name for a city; plain in English where it has no English name. @param {{name: string, name_en?: string | null}} city */
export const titleFor = (city, key = "page.title") =>
  lang.value === "en" && !city.name_en ? t("page.title.plain") : t(key, { city: nameOf(city) });

/** @param {number} n */
export const count = (n) => new Intl.NumberFormat(lang.value === "zh" ? "zh-CN" : "en").format(n);

/** Whole fen as yuan: `¥6`, `¥6.50`. @param {number} fen */
export function yuan(fen) {
  const [whole, rest] = [Math.trunc(fen / 100), fen % 100];
  return rest ? `¥${whole}.${String(rest).padStart(2, "0")}` : `¥${whole}`;
}

/** @param {number} metres */
export function distance(metres) {
  const zh = lang.value === "zh";
  if (metres < 950) return `${Math.max(10, Math.round(metres / 10) * 10)} ${zh ? "米" : "m"}`;
  return `${(metres / 1000).toFixed(metres < 9_500 ? 1 : 0)} ${zh ? "公里" : "km"}`;
}

const ZONE = "Asia/Shanghai"; // every place on the map; a traveller's phone may run on another zone's time

/** How far the clock there is ahead of the device's, which may be wrong. */
let ahead = 0;

/** What time it is there, as an answer of the server tells. @param {string} instant */
export const learnNow = (instant) => (ahead = Date.parse(instant) - Date.now());

/** The time of day there, `10:05`. @param {string | number | Date} instant */
export const timeOf = (instant) =>
  new Date(instant).toLocaleTimeString("en-GB", { timeZone: ZONE, hour: "2-digit", minute: "2-digit" });

/** The date there; nothing when it is today. @param {string | number | Date} instant */
export function dayOf(instant) {
  const day = (/** @type {string | number | Date} */ at) => new Date(at).toLocaleDateString("sv-SE", { timeZone: ZONE });
  if (day(instant) === day(Date.now() + ahead)) return "";
  const locale = lang.value === "zh" ? "zh-CN" : "en-GB";
  return new Date(instant).toLocaleDateString(locale, { timeZone: ZONE, month: "short", day: "numeric" });
}

/** The time of day there, with the date when it is another day: `10:05`, `23 Nov 10:05`. @param {string | number | Date} instant */
export const clock = (instant) => `${dayOf(instant)} ${timeOf(instant)}`.trim();

/** A length of time in words. @param {number} seconds */
export function span(seconds) {
  return seconds < 90 ? t("span.seconds", { n: Math.round(seconds) }) : stayed(Math.round(seconds / 60));
}

/** How long a stay is, in words. @param {number} minutes whole and over */
export function stayed(minutes) {
  if (minutes < 1) return t("span.under");
  if (minutes < 90) return t("span.minutes", { n: minutes });
  const hours = Math.floor(minutes / 60);
  return minutes % 60 ? t("span.hours.minutes", { h: hours, n: minutes % 60 }) : t("span.hours", { n: hours });
}
