/* The buttons that lead to a cashier from here. */

import { html, use } from "../lib.js";
import { t, yuan } from "../i18n.js";
import { opened } from "../pay/device.js";
import { Refused } from "../pay/waiting.js";

/** @param {{till: import("./paying.js").Till, fen: number, choose: (way: import("../pay/device.js").Way) => void}} props */
export function Ways({ till, fen, choose }) {
  const here = use(till.ways);
  const busy = use(till.asking);
  const no = use(till.refusal);
  if (!here.length) return html`<p class="pay-note">${t("pay.noway")}</p>`;
  return html`
    <section class="pay-ways">
      <${Refused} no=${no} />
      ${here.map((way) => html`<button class="button strong pay-way" disabled=${busy} onClick=${() => choose(way)}><i class="provider ${way.provider}" aria-hidden="true"></i>${busy ? t("pay.asking") : t(`pay.by.${way.provider}`, { fee: yuan(fen) })}</button>`)}
      <p class="soft small">${t(opened() === "desktop" ? "pay.how.scan" : "street.how")}</p>
    </section>
  `;
}
