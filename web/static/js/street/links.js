/* To the pages where a driver pays. */

import { html } from "../lib.js";
import { t } from "../i18n.js";

const PAGES = /** @type {const} */ (["pay", "arrears", "passes"]);

/** @param {{map?: boolean}} props */
export function StreetLinks({ map = false }) {
  const here = location.pathname.slice(1);
  return html`
    <nav class="street-links" aria-label=${t("pay.pages")}>
      ${map && html`<a href="/">${t("pay.map")}</a>`}
      ${PAGES.filter((page) => page !== here).map((page) => html`<a href=${`/${page}`}>${t(`pay.page.${page}`)}</a>`)}
    </nav>
  `;
}
