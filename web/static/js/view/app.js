/* The page over the map: search and tools on it, the panel beside or below it. */

import { html, use, useEffect, useState } from "../lib.js";
import { chooseElder, chooseLang, elder, lang } from "../look.js";
import { chosen, city, loading, lots, stale, totals } from "../state.js";
import { count, t, titleFor } from "../i18n.js";
import { Elder } from "./elder.js";
import { Icon } from "./icons.js";
import { Legend } from "./legend.js";
import { List } from "./list.js";
import { LotSheet } from "./lot-sheet.js";
import { MapTools } from "./map-tools.js";
import { Notices, notice } from "./notices.js";
import { Panel } from "./panel.js";
import { Search } from "./search.js";

export function App() {
  const language = use(lang); // everything below is drawn again in the other language
  const open = use(chosen);
  const lot = use(lots).get(open ?? "");
  const frame = use(city);
  const old = use(stale);
  const large = use(elder);
  const [legend, showLegend] = useState(false);
  const gone = open !== null && !lot && loading.peek() === "ready";
  useEffect(() => {
    if (!gone) return;
    chosen.value = null;
    notice.value = t("lot.gone");
  }, [gone]);
  useEffect(() => {
    document.body.classList.toggle("stale", old);
  }, [old]);
  return html`
    <a class="skip" href="#lots" onClick=${toList}>${t("page.skip")}</a>
    <header class="top">
      ${frame && html`<p class="brand"><${Icon} name="site" size=${26} />${titleFor(frame, "page.brand")}</p>`}
      ${!large && html`<${Search} />`}
      <button class="icon-button size" aria-pressed=${large} onClick=${() => chooseElder(!large)}>
        <span aria-hidden="true">${t(large ? "elder.off.short" : "elder.on.short")}</span>
        <span class="unseen">${t(large ? "elder.off" : "elder.on")}</span>
      </button>
      <button class="icon-button lang" lang=${language === "zh" ? "en" : "zh-CN"} onClick=${otherLanguage}>
        <span aria-hidden="true">${language === "zh" ? "EN" : "中"}</span>
        <span class="unseen">${t("lang.switch")}</span>
      </button>
    </header>
    ${large
      ? html`<${Elder} />`
      : html`
          <${MapTools} legend=${legend} showLegend=${showLegend} />
          ${legend && html`<${Legend} close=${() => showLegend(false)} />`}
          <${Panel} open=${lot?.id}>
            <${Notices} />
            <${List} hidden=${Boolean(lot)} />
            ${lot && html`<${LotSheet} key=${lot.id} lot=${lot} />`}
          <//>
        `}
    <${Announcer} />
  `;
}

const otherLanguage = () => chooseLang(lang.peek() === "zh" ? "en" : "zh");

/** @param {Event} event */
function toList(event) {
  event.preventDefault(); // the part after # is the view's own
  /** @type {HTMLElement | null} */ (document.querySelector("#lots button"))?.focus();
}

const QUIET_MS = 30_000;

/** The total for those who listen, at most every half minute. */
function Announcer() {
  const { available } = use(totals);
  const [said, say] = useState("");
  useEffect(() => {
    const timer = setInterval(() => say(t("total.spoken", { n: count(totals.peek().available) })), QUIET_MS);
    return () => clearInterval(timer);
  }, []);
  return html`<p class="unseen" role="status" data-available=${available}>${said}</p>`;
}
