/* Language and theme: chosen once, kept on this device. */

import { effect, signal } from "./lib.js";

const KEY = "parking.look";

/** @returns {{lang?: "zh" | "en", theme?: "light" | "dark", elder?: "yes"}} */
function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEY) || "{}");
  } catch {
    return {};
  }
}

/** @param {Record<string, string | undefined>} change */
function remember(change) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...remembered(), ...change }));
  } catch {
    // private windows may refuse; the choice then lasts as long as the page
  }
}

const root = document.documentElement;
const systemDark = matchMedia("(prefers-color-scheme: dark)");

/** The page's language; `first.js` has decided it before the first paint. */
export const lang = signal(/** @type {"zh" | "en"} */ (root.lang.startsWith("zh") ? "zh" : "en"));

/** `auto` follows the device. */
export const themeChoice = signal(/** @type {"auto" | "light" | "dark"} */ (remembered().theme ?? "auto"));

/** What is shown now. */
export const theme = signal(/** @type {"light" | "dark"} */ (root.dataset.theme === "dark" ? "dark" : "light"));

/** Large type and three things only, for whoever wants that. */
export const elder = signal(root.dataset.elder === "yes");

/** @param {boolean} value */
export function chooseElder(value) {
  elder.value = value;
  remember({ elder: value ? "yes" : undefined });
}

/** @param {"zh" | "en"} value */
export function chooseLang(value) {
  lang.value = value;
  remember({ lang: value });
}

/** @param {"auto" | "light" | "dark"} value */
export function chooseTheme(value) {
  themeChoice.value = value;
  remember({ theme: value === "auto" ? undefined : value });
  settle();
}

function settle() {
  const choice = themeChoice.peek();
  theme.value = choice === "auto" ? (systemDark.matches ? "dark" : "light") : choice;
}

systemDark.addEventListener("change", settle);
effect(() => {
  root.lang = lang.value === "zh" ? "zh-CN" : "en";
});
effect(() => {
  root.dataset.theme = theme.value;
});
effect(() => {
  if (elder.value) root.dataset.elder = "yes";
  else delete root.dataset.elder;
});
