/* Where this machine stands. */

import { read } from "../api.js";
import { computed, signal } from "../lib.js";
import { lang } from "../look.js";
import { nameOf } from "../i18n.js";
import { me } from "./device.js";

const lot = signal(/** @type {any} */ (null));

/** The car park's name, or the machine's where it belongs to none. @type {import("../lib.js").Signal<string>} */
export const place = computed(() => {
  lang.value;
  return lot.value ? nameOf(lot.value) : me.value?.name ?? "";
});

export async function learnPlace() {
  const id = me.peek()?.lot_id;
  if (!id || lot.peek()) return;
  const found = await read(`/lots/${encodeURIComponent(id)}`).catch(() => null);
  if (found) lot.value = found.properties;
}
