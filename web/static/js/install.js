/* The browser's offer to install the page, kept until somebody asks for it. */

import { signal } from "./lib.js";

/** Whether it can be installed here and is not yet. */
export const installable = signal(false);

/** @type {any} */
let offer = null;

window.addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault(); // no banner of the browser's over the map
  offer = event;
  installable.value = true;
});
window.addEventListener("appinstalled", () => {
  installable.value = false;
});

export async function install() {
  installable.value = false;
  await offer?.prompt();
}
