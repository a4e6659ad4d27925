/* What lies over a screen: help, and the question whether anybody is still there. */

import { html, use, useEffect, useRef } from "../../lib.js";
import { t } from "../../i18n.js";
import { me } from "../device.js";
import { left, touched } from "../presence.js";
import { forget, help, refusal } from "../visit.js";
import { codeOf, PhoneCode } from "./parts.js";

export function Help() {
  const machine = use(me);
  const no = use(refusal);
  const box = useFocus();
  return html`
    <div class="k-over">
      <section class="k-dialog" role="dialog" aria-modal="true" aria-labelledby="k-over" tabindex="-1" ref=${box}>
        <h2 id="k-over">${t("kiosk.help.title")}</h2>
        ${machine?.help_phone
          ? html`<p>${t("kiosk.help.phone")}</p><p class="k-phone number">${machine.help_phone}</p><p>${t("kiosk.help.tell")}</p>`
          : html`<p>${t("kiosk.help.none")}</p>`}
        ${machine?.number !== undefined && html`<p class="k-phone number">${t("kiosk.machine", { number: machine.number })}</p>`}
        ${no && html`<p>${t("kiosk.help.code")} <b class="number">${codeOf(no)}</b></p>`}
        <p>${t("kiosk.help.phone.pay")}</p>
        <${PhoneCode} />
        <button class="k-button strong k-onward" onClick=${() => (help.value = false)}>${t("kiosk.close")}</button>
      </section>
    </div>
  `;
}

export function StillThere() {
  const box = useFocus();
  return html`
    <div class="k-over">
      <section class="k-dialog" role="alertdialog" aria-modal="true" aria-labelledby="k-over" tabindex="-1" ref=${box}>
        <h2 id="k-over">${t("kiosk.still")}</h2>
        <p class="number">${t("kiosk.still.text", { n: use(left) ?? 0 })}</p>
        <button class="k-button strong k-onward" onClick=${touched}>${t("kiosk.more")}</button>
        <button class="k-button" onClick=${forget}>${t("kiosk.erase")}</button>
      </section>
    </div>
  `;
}

/** Whoever uses keys or listens is brought to what is new. */
function useFocus() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => box.current?.focus(), []);
  return box;
}
