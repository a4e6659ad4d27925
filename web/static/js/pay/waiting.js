/* A payment that may still come, and one that came to nothing: alike wherever somebody pays by phone. */

import { html, signal, use } from "../lib.js";
import { t, yuan } from "../i18n.js";

const tick = signal(0);
setInterval(() => (tick.value += 1), 1_000);

/** @param {{now: any, goOn: (waiting: any) => void, startAgain: () => void}} props */
export function Waiting({ now, goOn, startAgain }) {
  use(tick);
  const left = (Date.parse(now.expires_at) - Date.now()) / 1_000;
  const unknown = now.status === "unknown";
  const payable = now.code_url || now.pay_url || now.bridge;
  return html`
    <section class="pay-card pay-waiting" aria-live="polite">
      <p class="pay-state">${t(unknown ? "pay.unknown" : "pay.waiting")}</p>
      <p class="pay-amount"><strong class="number">${yuan(now.amount_fen)}</strong></p>
      ${now.code_url &&
      html`
        <img class="pay-qr" src=${`/api/v1/payments/${now.id}/code.svg`} width="232" height="232" alt=${t("pay.qr", { provider: t(`pay.name.${now.provider}`) })} />
        <p>${t("pay.scan", { provider: t(`pay.name.${now.provider}`) })}</p>
        <p><a href=${now.code_url} target="_blank" rel="noopener">${t("pay.scan.link")}</a></p>
      `}
      ${unknown && html`<p class="soft">${t("pay.unknown.text")}</p>`}
      ${left > 0 && payable && html`<p class="soft number">${t("pay.valid", { left: countdown(left) })}</p>`}
    </section>
    <section class="pay-ways">
      ${payable && !now.code_url && html`<button class="button strong pay-way" onClick=${() => goOn(now)}>${t("pay.again.open")}</button>`}
      <button class="button pay-way" onClick=${startAgain}>${t("pay.other")}</button>
      <p class="soft small">${t("pay.close.safe")}</p>
    </section>
  `;
}

/** @param {{now: any, startAgain: () => void, owes: boolean}} props */
export function Ended({ now, startAgain, owes }) {
  return html`
    <section class="pay-card" aria-live="polite">
      <p class="pay-state">${t(`pay.${now.status}`)}</p>
      <p class="soft">${t(`pay.${now.status}.text`, { fee: yuan(now.refunded_fen || now.amount_fen) })}</p>
    </section>
    ${owes && html`<section class="pay-ways"><button class="button strong pay-way" onClick=${startAgain}>${t("pay.again")}</button></section>`}
  `;
}

const KNOWN_REFUSALS = new Set(["provider-unavailable", "too-many-requests", "nothing-due"]);

/** Why a wish to pay was not granted. @param {{no: string | null}} props */
export const Refused = ({ no }) =>
  no && html`<p class="pay-note" role="alert">${t(KNOWN_REFUSALS.has(no) ? `pay.no.${no}` : "pay.no.error")}</p>`;

/** @param {number} seconds */
export function countdown(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
