/* What several screens are made of. */

import { html, use } from "../../lib.js";
import { t } from "../../i18n.js";
import { busy, refusal } from "../visit.js";

const KNOWN = new Set([
  "offline", "too-many-requests", "not-confirmed", "space-not-found", "not-a-plate", "provider-unavailable", "wrong-code",
]);

/** Why the last wish was not granted, and a code short enough to be read out on the phone. */
export function Refused() {
  const no = use(refusal);
  if (!no) return null;
  return html`
    <p class="k-note" role="alert">
      ${t(KNOWN.has(no.slug) ? `kiosk.no.${no.slug}` : "kiosk.no.error")} <small class="number">${t("kiosk.code", { code: codeOf(no) })}</small>
    </p>
  `;
}

/** @param {import("../visit.js").Refusal} no */
export const codeOf = (no) => `K${no.status}`;

/** The one thing to do next. @param {{onClick: () => void, disabled?: boolean, children: any}} props */
export function Onward({ onClick, disabled = false, children }) {
  const waits = use(busy);
  return html`<button class="k-button strong k-onward" disabled=${disabled || waits} onClick=${onClick}>${waits ? t("kiosk.wait") : children}</button>`;
}

/** Where one can pay without this machine. */
export function PhoneCode() {
  return html`<img class="k-qr" src="/kiosk/phone.svg" width="300" height="300" alt=${t("kiosk.down.qr")} />`;
}

const DIGITS = ["123", "456", "789", "0"];
const LETTERS = ["1234567890", "QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM-"];

/**
 * Keys for the number of a space.
 * @param {{text: string, onChange: (text: string) => void, letters: boolean}} props
 */
export function SpaceKeys({ text, onChange, letters }) {
  const rows = letters ? LETTERS : DIGITS;
  return html`
    <div class="k-keys ${letters ? "" : "digits"}" role="group" aria-label=${t("kiosk.keys")} data-repeats>
      ${rows.map(
        (row, n) => html`
          <div class="k-row">
            ${[...row].map((key) => html`<button disabled=${text.length >= 12} onClick=${() => onChange(text + key)}>${key}</button>`)}
            ${n === rows.length - 1 && html`<button class="wide" disabled=${!text} onClick=${() => onChange(text.slice(0, -1))}>${t("plate.delete")}</button>`}
          </div>
        `,
      )}
    </div>
  `;
}

/** What was typed so far, large. @param {{text: string, before?: string}} props */
export function Typed({ text, before = "" }) {
  return html`
    <p class="k-typed number" role="img" aria-label=${t("kiosk.typed", { text: before + text || "–" })}>
      ${before && html`<span>${before}</span>`}${text || html`<i>___</i>`}
    </p>
  `;
}

/** @param {number} seconds */
export function countdown(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
