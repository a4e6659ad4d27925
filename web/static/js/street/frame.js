/* Head and foot of the pages for drivers: language and large type above, the other pages below. */

import { html, use } from "../lib.js";
import { chooseElder, chooseLang, elder, lang } from "../look.js";
import { t } from "../i18n.js";
import { StreetLinks } from "./links.js";

/** @param {{small: string, large: string}} props */
export function Head({ small, large }) {
  const big = use(elder);
  const zh = use(lang) === "zh";
  return html`
    <header class="pay-head">
      <h1 class="pay-code"><small>${small}</small><b>${large}</b></h1>
      <span class="pay-looks">
        <button class="chip" aria-pressed=${big} onClick=${() => chooseElder(!big)}>
          <span aria-hidden="true">${t(big ? "elder.off.short" : "elder.on.short")}</span><span class="unseen">${t("pay.large")}</span>
        </button>
        <button class="chip" lang=${zh ? "en" : "zh-CN"} onClick=${() => chooseLang(zh ? "en" : "zh")}>${t("lang.switch")}</button>
      </span>
    </header>
  `;
}

export const StreetFoot = () => html`<footer class="pay-foot"><${StreetLinks} map=${true} /></footer>`;
