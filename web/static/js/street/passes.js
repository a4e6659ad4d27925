/* A pass, bought online: choose it, name the plate and the first day, pay. */

import "./words.js";
import { read, send } from "../api.js";
import { effect, h, html, render, signal, use, useState } from "../lib.js";
import { lang } from "../look.js";
import { nameOf, say, t, yuan } from "../i18n.js";
import { forget, keep, recall } from "../pay/memory.js";
import { Ended, Waiting } from "../pay/waiting.js";
import { Icon } from "../view/icons.js";
import { Head, StreetFoot } from "./frame.js";
import { isOpen, slugOf, till } from "./paying.js";
import { isWhole, PlateForm, Why } from "./plate-form.js";
import { Ways } from "./ways.js";

const SLOT = "passes";

/** @type {import("../lib.js").Signal<any[] | null>} */
const offers = signal(null);
/** @type {import("../lib.js").Signal<any>} */
const order = signal(null);
/** Names of the lots by their codes, which nobody knows by heart. @type {import("../lib.js").Signal<Map<string, any>>} */
const lots = signal(new Map());
const why = signal(/** @type {{slug: string, status: number} | null} */ (null));
const atTill = till(SLOT, () => lookAtOrder());

/** @param {unknown} problem */
const refused = (problem) => (why.value = { slug: slugOf(/** @type {any} */ (problem)), status: /** @type {any} */ (problem).status });

async function lookAtOrder() {
  const id = order.peek()?.id ?? recall(SLOT).session;
  if (!id) return;
  try {
    order.value = await read(`/passes/orders/${id}`, { fresh: true });
  } catch {
    forget(SLOT);
  }
}

/** @param {{offer: string, plate: string, begins_on: string}} wish */
async function begin(wish) {
  why.value = null;
  try {
    order.value = await send("/passes/orders", wish);
    keep(SLOT, { session: order.value.id });
  } catch (problem) {
    refused(problem);
  }
}

function another() {
  forget(SLOT);
  atTill.startAgain();
  order.value = null;
}

function Passes() {
  use(lang);
  const now = use(atTill.payment);
  const made = use(order);
  return html`
    <${Head} small=${t("pay.map")} large=${t("passes.title")} />
    ${made?.status === "paid"
      ? html`<${Bought} made=${made} />`
      : isOpen(now)
        ? html`<${Waiting} now=${now} goOn=${atTill.goOn} startAgain=${atTill.startAgain} />`
        : now && now.status !== "paid"
          ? html`<${Ended} now=${now} startAgain=${atTill.startAgain} owes=${true} />`
          : made
            ? html`<${Check} made=${made} />`
            : html`<${Choose} />`}
    <${StreetFoot} />
  `;
}

/** The date there, so many days from now: a pass counts whole days. @param {number} [ahead] */
const dateIn = (ahead = 0) => new Date(Date.now() + ahead * 86_400_000).toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" });
const LATEST_DAYS = 60;

function Choose() {
  const sold = use(offers);
  const [code, setCode] = useState(/** @type {string | null} */ (null));
  const [plate, setPlate] = useState("");
  const [from, setFrom] = useState(() => dateIn());
  const no = use(why);
  if (sold === null) return html`<p class="pay-calm" role="status">${t(no ? "street.why.error" : "passes.loading")}</p>`;
  if (!sold.length) return html`<section class="pay-card" role="status"><p class="pay-state">${t("passes.none")}</p><p class="soft">${t("passes.none.text")}</p></section>`;
  return html`
    <p class="soft">${t("passes.text")}</p>
    <div class="street-offers" role="radiogroup" aria-label=${t("passes.title")}>
      ${sold.map((offer) => html`<${Offer} offer=${offer} chosen=${offer.code === code} choose=${() => setCode(offer.code)} />`)}
    </div>
    ${code &&
    html`
      <section class="pay-card street-form">
        <h2>${t("passes.plate")}</h2>
        <${PlateForm} plate=${plate} onChange=${setPlate} />
        <label for="from">${t("passes.from")}</label>
        <input id="from" class="street-input" type="date" min=${dateIn()} max=${dateIn(LATEST_DAYS)} value=${from} onInput=${(/** @type {any} */ event) => setFrom(event.target.value)} />
        <${Why} why=${no} />
        <button class="button strong pay-way" disabled=${!isWhole(plate) || !from} onClick=${() => begin({ offer: code, plate, begins_on: from })}>${t("passes.order")}</button>
      </section>
    `}
  `;
}

/** @param {{offer: any, chosen: boolean, choose: () => void}} props */
function Offer({ offer, chosen, choose }) {
  const names = use(lots);
  const there = (offer.lots ?? []).map((/** @type {string} */ code) => (names.has(code) ? nameOf(names.get(code)) : code));
  return html`
    <button class="street-offer" role="radio" aria-checked=${chosen} onClick=${choose}>
      <b>${nameOf(offer)}</b><b class="number">${yuan(offer.price_fen)}</b>
      <span>${say(offer.windows)}</span><span>${t("passes.days", { n: offer.days })}</span>
      ${there.length > 0 && html`<small>${t("passes.where", { lots: there.join(lang.peek() === "en" ? ", " : "、") })}</small>`}
    </button>
  `;
}

/** @param {{made: any}} props */
function Check({ made }) {
  const sold = use(offers)?.find((one) => one.code === made.offer);
  if (made.status === "closed") {
    return html`<p class="pay-note" role="alert">${t("passes.closed")}</p><section class="pay-ways"><button class="button strong pay-way" onClick=${another}>${t("pay.again")}</button></section>`;
  }
  return html`
    <section class="pay-card">
      <p class="soft">${t("passes.check")}</p>
      ${sold && html`<p class="pay-state">${nameOf(sold)}</p>`}
      <p class="pay-rises">${made.plate}</p>
      <p>${t("passes.period", { from: made.begins_on, to: made.ends_on })}</p>
      <p class="pay-amount"><strong class="number">${yuan(made.price_fen)}</strong></p>
    </section>
    <${Ways} till=${atTill} fen=${made.price_fen} choose=${(/** @type {any} */ way) => atTill.pay(`/passes/orders/${made.id}/payments`, made.id, way)} />
    <section class="pay-ways"><button class="button pay-way" onClick=${another}>${t("passes.change")}</button></section>
  `;
}

/** @param {{made: any}} props */
function Bought({ made }) {
  return html`
    <section class="pay-card pay-done" role="status">
      <p class="pay-state"><span class="pay-tick"><${Icon} name="check" size=${28} /></span>${t("passes.paid")}</p>
      <p>${t("passes.paid.text", { plate: made.plate, from: made.begins_on, to: made.ends_on })}</p>
    </section>
    <section class="pay-ways"><button class="button pay-way" onClick=${another}>${t("passes.another")}</button></section>
  `;
}

render(h(Passes, null), /** @type {HTMLElement} */ (document.getElementById("pay")));
effect(() => {
  lang.value;
  document.title = t("passes.title");
  read("/passes/offers").then((sold) => (offers.value = sold.offers), refused); // their hours are worded by the server
});
read("/lots").then((all) => (lots.value = new Map(all.features.map((/** @type {any} */ lot) => [lot.properties.id, lot.properties]))), () => {});
lookAtOrder();
atTill.resume();
