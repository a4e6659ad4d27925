/* A keyboard for Chinese plates: province first, then letters and digits without I and O, an eighth place for new energy. */

import { html } from "./lib.js";
import { t } from "./i18n.js";

const PROVINCES = ["浙沪苏皖赣闽京津", "冀晋蒙辽吉黑鲁豫", "鄂湘粤桂琼渝川贵", "云藏陕甘青宁新"]; // 中: the plates' own characters
const KEYS = ["1234567890", "QWERTYUP", "ASDFGHJKL", "ZXCVBNM"];
const ENDINGS = ["", "学警", "挂", "港澳领"]; // 中: of special plates, in the room that the letters leave
export const LONGEST = 8;
export const SHORTEST = 7;

/** Whether this text begins as a whole plate does. @param {string} text */
export const hasProvince = (text) => PROVINCES.some((row) => text !== "" && row.includes(text[0]));

/** What was typed so far, a box for each place. @param {{plate: string}} props */
export function PlateBoxes({ plate }) {
  return html`
    <div class="plate-boxes" role="img" aria-label=${t("plate.typed", { plate: plate || "–" })}>
      ${Array.from({ length: LONGEST }, (_, n) => html`<span class=${[n === plate.length ? "next" : "", n === LONGEST - 1 ? "green" : ""].join(" ")}>${plate[n] ?? (n === LONGEST - 1 ? "+" : "")}</span>`)}
    </div>
  `;
}

/**
 * The keys for the next place. `partial`: whoever remembers only a part may begin without the province.
 * @param {{plate: string, onChange: (plate: string) => void, partial?: boolean, letters?: boolean, onLetters?: () => void}} props
 */
export function PlateKeys({ plate, onChange, partial = false, letters = false, onLetters }) {
  const whole = plate === "" ? !letters : hasProvince(plate);
  const provinces = plate === "" && whole;
  const last = whole && plate.length === SHORTEST - 1;
  const rows = provinces ? PROVINCES : KEYS.map((row, n) => row + (last ? ENDINGS[n] : ""));
  const full = plate.length >= (whole ? LONGEST : LONGEST - 1);
  const off = (/** @type {string} */ key) => full || (whole && plate.length === 1 && /\d/.test(key));
  return html`
    <div class="plate-keys" role="group" aria-label=${t("plate.keys")} data-repeats>
      ${rows.map(
        (row, n) => html`
          <div class="plate-row">
            ${[...row].map((key) => html`<button disabled=${off(key)} onClick=${() => onChange(plate + key)}>${key}</button>`)}
            ${n === rows.length - 1 && partial && provinces && html`<button class="wide" onClick=${onLetters}>${t("plate.letters")}</button>`}
            ${n === rows.length - 1 && html`<button class="wide" disabled=${plate.length === 0 && !letters} onClick=${() => onChange(plate.slice(0, -1))}>${t("plate.delete")}</button>`}
          </div>
        `,
      )}
    </div>
  `;
}
