/* The receipt for a printer of 80 mm: seen on paper only. */

import { html } from "../../lib.js";
import { clock, dayOf, t, timeOf, yuan } from "../../i18n.js";
import { Lines } from "./fee.js";

const ALL_LINES = 40;

/** @param {{stay: any, receipt: any, paid: number, place: string}} props */
export function Slip({ stay, receipt, paid, place }) {
  return html`
    <article class="k-slip" aria-hidden="true">
      <h2>${t("kiosk.slip.title")}</h2>
      ${receipt.exit_by && html`<p class="leave"><span>${t("kiosk.slip.leave")} <b>${dayOf(receipt.exit_by)}</b></span><strong class="number">${timeOf(receipt.exit_by)}</strong></p>`}
      <dl>
        <dt>${t("kiosk.slip.number")}</dt><dd class="number">${receipt.number}</dd>
        <dt>${t("kiosk.slip.place")}</dt><dd>${stay.space_code}</dd>
        <dt>${t("kiosk.fee.in")}</dt><dd class="number">${clock(stay.entered_at)}</dd>
        <dt>${t(stay.left_at ? "kiosk.fee.out" : "kiosk.fee.now")}</dt><dd class="number">${clock(stay.left_at ?? stay.counted_to)}</dd>
      </dl>
      <${Lines} stay=${{ ...stay, paid_fen: 0 }} most=${ALL_LINES} />
      <p class="paid"><span>${t("kiosk.slip.paid")}</span><strong class="number">${yuan(paid)}</strong></p>
      <img src=${`/api/v1/receipts/${receipt.number}/code.svg`} alt="" />
      <p>${t("kiosk.slip.scan")}</p>
      <p>${place}</p>
    </article>
  `;
}
