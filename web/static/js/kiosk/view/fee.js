/* What it costs, line by line, and how to pay it. */

import { html, use } from "../../lib.js";
import { clock, say, stayed, t, yuan } from "../../i18n.js";
import { me, serverNow } from "../device.js";
import { pay } from "../paying.js";
import { printer } from "../printer.js";
import { busy, go, visit } from "../visit.js";
import { countdown, Refused } from "./parts.js";

const MOST_LINES = 4;

export function Fee() {
  const { session: stay, plate } = use(visit);
  const owes = stay.due_fen > 0;
  const settled = !owes && stay.paid_fen > 0;
  return html`
    <section class="k-info k-bill" aria-live="polite">
      <dl class="k-facts">
        <div><dt>${t("pay.space")}</dt><dd>${stay.space_code}</dd></div>
        ${plate && html`<div><dt>${t("kiosk.fee.plate")}</dt><dd>${plate}</dd></div>`}
        <div><dt>${t("kiosk.fee.in")}</dt><dd class="number">${clock(stay.entered_at)}</dd></div>
        <div><dt>${t(stay.left_at ? "kiosk.fee.out" : "kiosk.fee.now")}</dt><dd class="number">${clock(stay.left_at ?? stay.counted_to)}</dd></div>
        <div><dt>${t("kiosk.fee.long")}</dt><dd>${stayed(stay.minutes)}</dd></div>
      </dl>
      <${Lines} stay=${stay} />
      ${stay.unsure && stay.status === "open" && html`<p class="k-note">${t("pay.unsure")}</p>`}
    </section>
    <section class="k-controls k-payment">
      <${Refused} />
      <p class="k-total"><span>${t(owes ? "kiosk.fee.total" : settled ? "kiosk.fee.paid" : "kiosk.fee.nothing")}</span><strong class="number">${yuan(owes ? stay.due_fen : settled ? stay.paid_fen : 0)}</strong></p>
      <${Rises} stay=${stay} />
      ${owes && printer.peek() !== "ready" && html`<p class="k-soft">${t("kiosk.fee.noprint")}</p>`}
      ${owes
        ? html`<h2>${t("kiosk.fee.how")}</h2><${Channels} choose=${pay} />`
        : settled && html`<button class="k-button strong k-onward" onClick=${() => go("done")}>${t("kiosk.done.receipt")}</button>`}
    </section>
  `;
}

/** Each way to pay that this installation has, all alike. @param {{choose: (channel: string) => void}} props */
export function Channels({ choose }) {
  const waits = use(busy);
  const ways = use(me)?.channels ?? ["wechat", "alipay"];
  if (!ways.length) return html`<p class="k-note">${t("pay.noway")}</p>`;
  return html`
    <div class="k-channels">
      ${ways.map((way) => html`<button class="k-button k-channel" disabled=${waits} onClick=${() => choose(way)}><i class="provider ${way}" aria-hidden="true"></i>${t(`kiosk.by.${way}`)}</button>`)}
    </div>
  `;
}

/** The lines add up to the fee; what has no room is added up in one. @param {{stay: any}} props */
export function Lines({ stay, most = MOST_LINES }) {
  const { lines, total_fen: total } = stay.fee;
  if (!lines.length) return null;
  const shown = lines.length > most ? lines.slice(0, most - 1) : lines;
  const rest = lines.slice(shown.length);
  const sum = rest.reduce((/** @type {number} */ all, /** @type {any} */ line) => all + line.amount_fen, 0);
  return html`
    <table class="k-lines">
      <tbody>
        ${shown.map((/** @type {any} */ line) => html`<tr><th scope="row">${say(line.why)} <small class="number">${clock(line.from)}–${clock(line.to)}</small></th><td class="number">${money(line.amount_fen)}</td></tr>`)}
        ${rest.length > 0 && html`<tr><th scope="row">${t("kiosk.fee.others", { n: rest.length })}</th><td class="number">${money(sum)}</td></tr>`}
        ${(stay.paid_fen > 0 || lines.length > 1) && html`<tr class="sum"><th scope="row">${t("kiosk.fee.sum")}</th><td class="number">${money(total)}</td></tr>`}
        ${stay.paid_fen > 0 && html`<tr><th scope="row">${t("kiosk.fee.before")}</th><td class="number">${money(-stay.paid_fen)}</td></tr>`}
      </tbody>
    </table>
  `;
}

/** An allowance is less than nothing. @param {number} fen */
const money = (fen) => (fen < 0 ? `−${yuan(-fen)}` : yuan(fen));

/** @param {{stay: any}} props */
function Rises({ stay }) {
  const left = (Date.parse(stay.fee.next_change_at ?? "") - use(serverNow)) / 1_000;
  const leaves = stay.status === "open" && stay.due_fen === 0 && stay.paid_fen > 0 && stay.exit_by;
  if (leaves) return html`<p class="k-rises">${t("kiosk.done.leave")} <b class="number">${clock(stay.exit_by)}</b></p>`;
  if (stay.status !== "open" || !stay.fee.next_change_at || stay.fee.next_total_fen === null) return null;
  const key = stay.due_fen === 0 && stay.paid_fen === 0 ? "pay.free.until" : "pay.rises";
  const values = { time: clock(stay.fee.next_change_at), fee: yuan(stay.fee.next_total_fen) };
  return html`<p class="k-rises">${t(key, values)}${left > 0 && left < 3_600 && html` <span class="number">(${countdown(left)})</span>`}</p>`;
}
