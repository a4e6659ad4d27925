/* A whole plate, typed with its own keyboard, and what is wrong with the answer to it. */

import { html } from "../lib.js";
import { t } from "../i18n.js";
import { hasProvince, PlateBoxes, PlateKeys, SHORTEST } from "../plate-keys.js";

/** @param {string} plate */
export const isWhole = (plate) => hasProvince(plate) && plate.length >= SHORTEST;

/** @param {{plate: string, onChange: (plate: string) => void}} props */
export const PlateForm = ({ plate, onChange }) => html`
  <div class="street-plate">
    <${PlateBoxes} plate=${plate} />
    <${PlateKeys} plate=${plate} onChange=${onChange} />
  </div>
`;

const KNOWN = new Set(["offline", "too-many-requests"]);

/** @param {{why: {slug: string, status: number} | null}} props */
export function Why({ why }) {
  if (!why) return null;
  const key = KNOWN.has(why.slug) ? why.slug : why.status === 422 ? "plate" : "error";
  return html`<p class="pay-note" role="alert">${t(`street.why.${key}`)}</p>`;
}
