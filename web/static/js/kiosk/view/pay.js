/* A payment under way: every state it can be in, told as it is. */

import { html, use } from "../../lib.js";
import { t, yuan } from "../../i18n.js";
import { Icon } from "../../view/icons.js";
import { link, serverNow } from "../device.js";
import { refresh } from "../finding.js";
import { isOpen, pay, payDebt } from "../paying.js";
import { forget, go, visit } from "../visit.js";
import { countdown, Refused } from "./parts.js";

export function Pay() {
  const { payment, quoted, debt } = use(visit);
  const open = isOpen(payment);
  const refunded = payment.status === "refunded";
  const back = () => {
    go(debt ? "debts" : "fee");
    if (!debt) refresh(); // it may have been paid elsewhere meanwhile
  };
  const again = () => (debt ? payDebt(debt, payment.provider) : pay(payment.provider));
  return html`
    <section class="k-info" aria-live="polite">
      ${open ? html`<${Open} payment=${payment} />` : html`<${Ended} payment=${payment} />`}
      ${quoted !== undefined && quoted !== payment.amount_fen && html`<p class="k-note">${t("kiosk.pay.change", { old: yuan(quoted), fee: yuan(payment.amount_fen) })}</p>`}
    </section>
    <section class="k-controls">
      ${open && html`<${Code} payment=${payment} />`}
      <${Refused} />
      <div class="k-channels">
        ${!open && !refunded && html`<button class="k-button strong" onClick=${again}>${t("kiosk.pay.new")}</button>`}
        ${refunded && html`<button class="k-button strong" onClick=${forget}>${t("kiosk.end")}</button>`}
        <button class="k-button" onClick=${back}>${t(refunded ? "kiosk.pay.see" : "kiosk.pay.other")}</button>
      </div>
    </section>
  `;
}

/** @param {{payment: any}} props */
function Open({ payment }) {
  const down = use(link) === "down";
  const provider = t(`kiosk.by.${payment.provider}`);
  const unknown = payment.status === "unknown";
  return html`
    <p class="k-title">${unknown ? t("kiosk.pay.unknown") : t("kiosk.pay.title", { provider })}</p>
    <p class="k-amount number">${yuan(payment.amount_fen)}</p>
    ${down
      ? html`<p class="k-note" role="alert">${t("kiosk.pay.offline")}</p>`
      : unknown
        ? html`<p>${t("kiosk.pay.unknown.text")}</p>`
        : html`<p>${t("kiosk.pay.safe")}</p>`}
  `;
}

/** @param {{payment: any}} props */
function Code({ payment }) {
  const left = (Date.parse(payment.expires_at) - use(serverNow)) / 1_000;
  if (!payment.code_url) return html`<p class="k-note calm" role="status">${t("kiosk.pay.coming")}</p>`;
  return html`
    <figure class="k-code">
      <img class="k-qr large" src=${`/api/v1/payments/${payment.id}/code.svg`} width="400" height="400" alt=${t("pay.qr", { provider: t(`kiosk.by.${payment.provider}`) })} />
      <figcaption>
        <b>${t("kiosk.pay.waiting")}</b>
        ${left > 0 && html`<span class="number">${t("kiosk.pay.valid", { left: countdown(left) })}</span>`}
      </figcaption>
    </figure>
  `;
}

/** @param {{payment: any}} props */
function Ended({ payment }) {
  const known = ["closed", "failed", "refunded"].includes(payment.status) ? payment.status : "failed";
  const fee = yuan(payment.refunded_fen || payment.amount_fen);
  return html`
    <p class="k-title"><${Icon} name=${known === "refunded" ? "check" : "alert"} size=${48} />${t(`kiosk.pay.${known}`)}</p>
    <p>${t(`kiosk.pay.${known}.text`, { fee })}</p>
  `;
}
