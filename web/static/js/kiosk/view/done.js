/* Paid: by when to leave, in the largest type there is; the receipt on paper, as a code, or not at all. */

import { html, use, useEffect } from "../../lib.js";
import { dayOf, t, timeOf, yuan } from "../../i18n.js";
import { Icon } from "../../view/icons.js";
import { me } from "../device.js";
import { fetchReceipt, payable } from "../paying.js";
import { left, stay as stayOn } from "../presence.js";
import { print, printer } from "../printer.js";
import { change, forget, go, visit } from "../visit.js";
import { Refused } from "./parts.js";
import { Slip } from "./slip.js";

export function Done() {
  const { session, payment, receipt, paidDebts } = use(visit);
  useEffect(() => {
    if (session && !receipt) fetchReceipt();
  }, []);
  if (!session) return html`<${DebtPaid} />`;
  const paid = payment?.amount_fen ?? session.paid_fen;
  const leaves = session.status === "open" && session.exit_by;
  return html`
    <section class="k-info k-paid" role="status">
      <p class="k-title"><span class="k-tick"><${Icon} name="check" size=${44} /></span>${t("kiosk.done.title", { fee: yuan(paidDebts ?? paid) })}</p>
      ${leaves
        ? html`<p class="k-leave"><span>${t("kiosk.done.leave")} <b>${dayOf(session.exit_by)}</b></span><strong class="number">${timeOf(session.exit_by)}</strong><span>${t("kiosk.done.leave.text")}</span></p>`
        : html`<p>${t("kiosk.done.settled")}</p>`}
    </section>
    <section class="k-controls">
      <${Refused} />
      <${Receipt} />
      <p class="k-soft number">${t("kiosk.done.back", { n: use(left) ?? 0 })}</p>
    </section>
    ${receipt && html`<${Slip} stay=${session} receipt=${receipt} paid=${paid} place=${me.peek()?.name ?? ""} />`}
  `;
}

function Receipt() {
  const { receipt, showCode, printing } = use(visit);
  const state = use(printer);
  const show = () => {
    stayOn();
    change({ showCode: true });
  };
  const onPaper = () => {
    stayOn();
    print();
  };
  const said = printing === "busy" ? "printing" : printing === "done" ? "printed" : printing === "failed" ? "notprinted" : state === "empty" || state === "failed" ? "nopaper" : null;
  return html`
    ${said && html`<p class="k-note ${printing === "done" ? "calm" : ""}" role="status">${t(`kiosk.done.${said}`)}</p>`}
    ${!said && !showCode && html`<h2>${t("kiosk.done.receipt")}</h2>`}
    ${showCode &&
    (receipt
      ? html`<figure class="k-code"><img class="k-qr" src=${`/api/v1/receipts/${receipt.number}/code.svg`} width="300" height="300" alt=${t("kiosk.slip.scan")} /><figcaption>${t("kiosk.done.scan")}</figcaption></figure>`
      : html`<p class="k-note">${t("kiosk.done.noreceipt")}</p>`)}
    <div class="k-channels">
      ${state === "ready" && html`<button class="k-button" disabled=${!receipt || printing === "busy"} onClick=${onPaper}>${t("kiosk.done.print")}</button>`}
      ${!showCode && html`<button class="k-button" onClick=${show}>${t("kiosk.done.code")}</button>`}
      <button class="k-button strong" onClick=${forget}>${t(showCode || printing ? "kiosk.end" : "kiosk.done.none")}</button>
    </div>
  `;
}

function DebtPaid() {
  const { debts, paidDebts = 0, all } = use(visit);
  const more = payable(debts.debts).length;
  return html`
    <section class="k-info k-paid" role="status">
      <p class="k-title"><span class="k-tick"><${Icon} name="check" size=${44} /></span>${t("kiosk.done.title", { fee: yuan(paidDebts) })}</p>
      ${more > 0 ? html`<p>${t("kiosk.done.debts", { n: more, fee: yuan(debts.total_fen) })}</p>` : html`<p>${t("kiosk.debts.none")}</p>`}
    </section>
    <section class="k-controls">
      <div class="k-channels">
        ${more > 0 && html`<button class="k-button ${all ? "strong" : ""}" onClick=${() => go("debts", { payment: undefined, debt: undefined })}>${t("kiosk.done.next")}</button>`}
        <button class="k-button ${all && more ? "" : "strong"}" onClick=${forget}>${t("kiosk.end")}</button>
      </div>
      <p class="k-soft number">${t("kiosk.done.back", { n: use(left) ?? 0 })}</p>
    </section>
  `;
}
