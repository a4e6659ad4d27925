/* What a plate owes from earlier: amounts only, paid from the oldest on, or objected to. */

import "./words.js";
import { send } from "../api.js";
import { effect, h, html, render, signal, use, useState } from "../lib.js";
import { lang } from "../look.js";
import { t, yuan } from "../i18n.js";
import { forget, recall } from "../pay/memory.js";
import { Ended, Waiting } from "../pay/waiting.js";
import { Icon } from "../view/icons.js";
import { Head, StreetFoot } from "./frame.js";
import { isOpen, slugOf, till } from "./paying.js";
import { isWhole, PlateForm, Why } from "./plate-form.js";
import { Ways } from "./ways.js";

const SLOT = "arrears";
const SHORTEST_REASON = 3;

const plate = signal("");
/** @type {import("../lib.js").Signal<{total_fen: number, debts: {id: string, amount_fen: number}[]} | null>} */
const owed = signal(null);
const why = signal(/** @type {{slug: string, status: number} | null} */ (null));
const asking = signal(false);
const objected = signal(false);

const atTill = till(SLOT, () => owed.peek() && ask());

/** The plate is kept for the way to the cashier and back only, in this tab. */
const TAB = "parking.arrears.plate";

async function ask() {
  asking.value = true;
  why.value = null;
  try {
    owed.value = await send("/arrears/query", { plate: plate.peek(), colour: null });
    sessionStorage.setItem(TAB, plate.peek());
  } catch (problem) {
    const { status } = /** @type {any} */ (problem);
    why.value = { slug: slugOf(/** @type {any} */ (problem)), status };
  } finally {
    asking.value = false;
  }
}

function another() {
  sessionStorage.removeItem(TAB);
  forget(SLOT);
  atTill.startAgain();
  plate.value = "";
  owed.value = null;
  objected.value = false;
}

function Arrears() {
  use(lang);
  const found = use(owed);
  const now = use(atTill.payment);
  return html`
    <${Head} small=${t("pay.map")} large=${t("arrears.title")} />
    ${isOpen(now)
      ? html`<${Waiting} now=${now} goOn=${atTill.goOn} startAgain=${atTill.startAgain} />`
      : now?.status === "paid"
        ? html`<${Paid} now=${now} found=${found} />`
        : now
          ? html`<${Ended} now=${now} startAgain=${atTill.startAgain} owes=${true} />`
          : found
            ? html`<${Owed} found=${found} />`
            : html`<${Ask} />`}
    <${StreetFoot} />
  `;
}

function Ask() {
  const typed = use(plate);
  const waits = use(asking);
  return html`
    <section class="pay-card">
      <p class="soft small">${t("arrears.text")}</p>
      <${PlateForm} plate=${typed} onChange=${(/** @type {string} */ text) => (plate.value = text)} />
      <${Why} why=${use(why)} />
      <button class="button strong pay-way" disabled=${!isWhole(typed) || waits} onClick=${ask}>${t(waits ? "arrears.asking" : "arrears.go")}</button>
    </section>
  `;
}

/** @param {{found: any}} props */
function Owed({ found }) {
  const hasObjected = use(objected);
  const payable = found.debts.filter((/** @type {any} */ one) => !one.disputed);
  const [oldest] = payable;
  if (!found.debts.length) {
    return html`
      <section class="pay-card" role="status">
        <p class="pay-state"><span class="pay-tick"><${Icon} name="check" size=${28} /></span>${t("arrears.none", { plate: plate.peek() })}</p>
        <p class="soft">${t("arrears.none.text")}</p>
      </section>
      <section class="pay-ways"><button class="button pay-way" onClick=${another}>${t("arrears.other")}</button></section>
    `;
  }
  return html`
    <section class="pay-card" aria-live="polite">
      <p class="soft">${t("arrears.total", { plate: plate.peek() })}</p>
      <p class="pay-amount"><strong class="number">${yuan(found.total_fen)}</strong></p>
      <ol class="street-debts">
        ${found.debts.map((/** @type {any} */ one, /** @type {number} */ n) => html`<li><span>${t("arrears.one", { n: n + 1 })}${one.disputed ? html` <small>${t("arrears.objected")}</small>` : one === oldest && html` <small>${t("arrears.oldest")}</small>`}</span><b class="number">${yuan(one.amount_fen)}</b></li>`)}
      </ol>
      ${payable.length > 1 && html`<p class="soft small">${t("arrears.order")}</p>`}
    </section>
    ${oldest && html`<${Ways} till=${atTill} fen=${oldest.amount_fen} choose=${(/** @type {any} */ way) => atTill.pay(`/arrears/${encodeURIComponent(oldest.id)}/payments`, oldest.id, way)} />`}
    ${hasObjected && html`<p class="pay-note" role="status">${t("arrears.disputed")}</p>`}
    ${oldest && html`<${Dispute} key=${oldest.id} debts=${payable} />`}
    <section class="pay-ways"><button class="button pay-way" onClick=${another}>${t("arrears.other")}</button></section>
  `;
}

/** @param {{now: any, found: any}} props */
function Paid({ now, found }) {
  const more = found?.debts.filter((/** @type {any} */ one) => !one.disputed).length ?? 0;
  return html`
    <section class="pay-card pay-done" role="status">
      <p class="pay-state"><span class="pay-tick"><${Icon} name="check" size=${28} /></span>${t("arrears.paid", { fee: yuan(now.amount_fen) })}</p>
      ${found && html`<p class="soft">${more ? t("arrears.left", { n: more, fee: yuan(found.total_fen) }) : t("arrears.done")}</p>`}
    </section>
    <section class="pay-ways">
      ${more > 0 && html`<button class="button strong pay-way" onClick=${atTill.startAgain}>${t("arrears.next")}</button>`}
      <button class="button pay-way" onClick=${another}>${t("arrears.other")}</button>
    </section>
  `;
}

/** @param {{debts: {id: string, amount_fen: number}[]}} props */
function Dispute({ debts }) {
  const [which, setWhich] = useState(debts[0].id);
  const [reason, setReason] = useState("");
  const [state, setState] = useState(/** @type {"typing" | "failed"} */ ("typing"));
  const object = async () => {
    try {
      await send(`/arrears/${encodeURIComponent(which)}/dispute`, { reason: reason.trim() });
      objected.value = true;
      await ask();
    } catch {
      setState("failed");
    }
  };
  return html`
    <details class="plate">
      <summary>${t("arrears.dispute")}</summary>
      <fieldset class="street-which">
        <legend>${t("arrears.dispute.which")}</legend>
        ${debts.map((one, n) => html`<label><input type="radio" name="debt" checked=${which === one.id} onChange=${() => setWhich(one.id)} />${t("arrears.one", { n: n + 1 })} <b class="number">${yuan(one.amount_fen)}</b></label>`)}
      </fieldset>
      <label for="reason">${t("arrears.dispute.why")}</label>
      <textarea id="reason" class="street-input" rows="3" maxlength="500" value=${reason} onInput=${(/** @type {any} */ event) => setReason(event.target.value)}></textarea>
      ${state === "failed" && html`<p class="pay-note" role="alert">${t("street.why.error")}</p>`}
      <button class="button pay-way" disabled=${reason.trim().length < SHORTEST_REASON} onClick=${object}>${t("arrears.dispute.go")}</button>
    </details>
  `;
}

plate.value = sessionStorage.getItem(TAB) ?? "";
if (recall(SLOT).payment && plate.peek()) ask();

atTill.resume();
render(h(Arrears, null), /** @type {HTMLElement} */ (document.getElementById("pay")));
effect(() => {
  lang.value;
  document.title = t("arrears.title");
});
