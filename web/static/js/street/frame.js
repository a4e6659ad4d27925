/* Head and foot of the pages for drivers: language and large type above, the other pages below. */

import { html, use } from "../lib.js";
import { chooseElder, chooseLang, elder, lang } from "../look.js";
import { t } from "../i18n.js";

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

const PAGES = /** @type {const} */ (["pay", "arrears", "passes"]);

export function StreetFoot() {
  const here = location.pathname.slice(1);
  return html`
    <footer class="pay-foot">
      <nav aria-label=${t("pay.pages")}>
        <a href="/">${t("pay.map")}</a>
        ${PAGES.filter((page) => page !== here).map((page) => html`<a href=${`/${page}`}>${t(`pay.page.${page}`)}</a>`)}
      </nav>
    </footer>
  `;
}
