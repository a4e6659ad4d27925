/* Debts of a plate: amounts only, the oldest first. */

import { html, use } from "../../lib.js";
import { t, yuan } from "../../i18n.js";
import { PlateBoxes } from "../../plate-keys.js";
import { Icon } from "../../view/icons.js";
import { isWhole } from "../finding.js";
import { askDebts, dispute, payable, payDebt } from "../paying.js";
import { change, go, visit } from "../visit.js";
import { Channels } from "./fee.js";
import { PlatePad } from "./find.js";
import { Onward, Refused } from "./parts.js";

const MOST_SHOWN = 5;

export function DebtsPlate() {
  const { typed = "" } = use(visit);
  return html`
    <section class="k-info">
      <p class="k-title">${t("kiosk.debts.ask")}</p>
      <${PlateBoxes} plate=${typed} />
      <p>${t("kiosk.debts.ask.text")}</p>
    </section>
    <section class="k-controls">
      <${Refused} />
      <div class="k-pad">
        <${PlatePad} partial=${false} />
        <div class="k-beside"><${Onward} disabled=${!isWhole(typed)} onClick=${() => askDebts(typed)}>${t("kiosk.find.go")}<//></div>
      </div>
    </section>
  `;
}

export function Debts() {
  const { debts, all = false, disputed } = use(visit);
  const owed = payable(debts.debts);
  const [oldest] = owed;
  if (!oldest && !disputed) return html`<${NoDebts} />`;
  const shown = debts.debts.slice(0, MOST_SHOWN);
  return html`
    <section class="k-info k-bill">
      <table class="k-lines">
        <tbody>
          ${shown.map((/** @type {any} */ one, /** @type {number} */ n) => html`<tr><th scope="row">${t("kiosk.debts.one", { n: n + 1 })}${one.disputed ? html` <small>${t("kiosk.debts.objected")}</small>` : one === oldest && html` <small>${t("kiosk.debts.oldest")}</small>`}</th><td class="number">${yuan(one.amount_fen)}</td></tr>`)}
          ${debts.debts.length > MOST_SHOWN && html`<tr><th scope="row">${t("kiosk.fee.others", { n: debts.debts.length - MOST_SHOWN })}</th><td></td></tr>`}
        </tbody>
      </table>
      ${disputed && html`<p class="k-note calm" role="status">${t("kiosk.debts.disputed")}</p>`}
    </section>
    <section class="k-controls k-payment">
      <${Refused} />
      <p class="k-total"><span>${t("kiosk.debts.total")}</span><strong class="number">${yuan(debts.total_fen)}</strong></p>
      ${owed.length > 1 &&
      html`
        <div class="k-tabs two" role="group" aria-label=${t("kiosk.debts.total")}>
          <button class="k-button" aria-pressed=${!all} onClick=${() => change({ all: false })}>${t("kiosk.debts.pay", { fee: yuan(oldest.amount_fen) })}</button>
          <button class="k-button" aria-pressed=${all} onClick=${() => change({ all: true })}>${t("kiosk.debts.all", { fee: yuan(debts.total_fen) })}</button>
        </div>
      `}
      ${oldest &&
      html`<h2>${t("kiosk.fee.how")} <span class="number">${yuan(oldest.amount_fen)}</span></h2>
      <${Channels} choose=${(/** @type {string} */ channel) => payDebt(oldest.id, channel)} />`}
      ${oldest && !disputed && html`<button class="k-button" onClick=${() => dispute(oldest.id, t("kiosk.debts.reason"))}>${t("kiosk.debts.dispute")}</button>`}
    </section>
  `;
}

function NoDebts() {
  return html`
    <section class="k-info" role="status">
      <p class="k-title"><span class="k-tick"><${Icon} name="check" size=${44} /></span>${t("kiosk.debts.none")}</p>
      <p>${t("kiosk.debts.none.text")}</p>
    </section>
    <section class="k-controls"><button class="k-button strong k-onward" onClick=${() => go("plate", { typed: "", debts: undefined })}>${t("kiosk.nothing.again")}</button></section>
  `;
}
