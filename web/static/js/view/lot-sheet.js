/* One lot: how full, what it costs for my stay, when it is open, how old the numbers are, and the way there. */

import { html, use, useEffect, useRef, useState } from "../lib.js";
import { leaveLot } from "../address.js";
import { read } from "../api.js";
import { hoursInWords } from "../hours.js";
import { lang } from "../look.js";
import { gradeOf, numberOf } from "../lots.js";
import { metresTo } from "../state.js";
import { categoriesOf, spacesWanted } from "../spaces.js";
import { clock, count, distance, has, nameOf, say, t } from "../i18n.js";
import { Go } from "./go.js";
import { Badge, Icon } from "./icons.js";
import { ParkHere } from "./park-here.js";
import { Stay } from "./stay.js";
import { Typical } from "./typical.js";

/** @typedef {import("../types").Lot} Lot */

/** @param {{lot: Lot}} props */
export function LotSheet({ lot }) {
  const title = useRef(/** @type {HTMLElement | null} */ (null));
  const [more, setMore] = useState(/** @type {any} */ (null));
  useEffect(() => {
    title.current?.focus({ preventScroll: true });
    spacesWanted();
    const gone = new AbortController();
    read(`/lots/${encodeURIComponent(lot.id)}`, { signal: gone.signal })
      .then((feature) => setMore(feature.properties ?? feature))
      .catch(() => {}); // what the list knows is shown all the same
    return () => {
      gone.abort();
      /** @type {HTMLElement | null} */ (document.querySelector(`[data-lot="${CSS.escape(lot.id)}"]`))?.focus({ preventScroll: true });
    };
  }, [lot.id]);
  const grade = gradeOf(lot);
  return html`
    <article class="lot scroll" aria-labelledby="lot-name">
      <header class="lot-head">
        <button class="icon-button" onClick=${leaveLot}><${Icon} name="back" /><span class="unseen">${t("lot.back")}</span></button>
        <div>
          <h2 id="lot-name" tabindex="-1" ref=${title}>${nameOf(lot)}</h2>
          <p class="soft">${t(`lot.${lot.kind}`)} · ${distance(metresTo(lot))}</p>
        </div>
      </header>
      <${ParkHere} lot=${lot} />
      <div class="lot-now">
        <${Badge} grade=${grade} text=${numberOf(lot)} />
        <p>
          <strong class="${grade}-text">${t(`grade.${grade}`)}</strong>
          <span class="soft">${t("lot.free.of", { free: numberOf(lot), n: count(lot.capacity) })}${lot.source === "sensors" ? "" : ` · ${t("lot.estimated")}`}</span>
        </p>
        <${Trend} trend=${lot.trend} />
      </div>
      <${Bar} lot=${lot} />
      ${lot.source !== "sensors" && html`<p class="soft small">${t("lot.estimated.long")}</p>`}
      <${Go} lot=${lot} entrances=${more?.entrances} />
      <${Price} lot=${lot} more=${more} />
      <${Stay} lot=${lot} />
      <${Typical} lot=${lot} />
      <${Facts} lot=${lot} more=${more} />
    </article>
  `;
}

/** @param {{trend: string | null}} props */
function Trend({ trend }) {
  if (!trend || !has(`lot.trend.${trend}`)) return null;
  return html`<p class="trend">${trend !== "steady" && html`<${Icon} name=${trend} size=${18} />`}${t(`lot.trend.${trend}`)}</p>`;
}

/** The four kinds of spaces as lengths of one bar, and in words. @param {{lot: Lot}} props */
function Bar({ lot }) {
  const parts = /** @type {const} */ (["free", "occupied", "unknown", "closed"]).filter((part) => lot[part] > 0);
  return html`
    <div class="bar" aria-hidden="true">
      ${parts.map((part) => html`<span class=${part} style=${{ flexGrow: lot[part] }}></span>`)}
    </div>
    <dl class="bar-words">
      ${parts.map((part) => html`<div><dt><i class=${part}></i>${t(`lot.${part}`)}</dt><dd class="number">${count(lot[part])}</dd></div>`)}
    </dl>
  `;
}

/** @param {{lot: Lot, more: any}} props */
function Price({ lot, more }) {
  /** @type {string[]} */
  const words = more?.tariff?.summary?.[lang.peek()] ?? [];
  const short = say(lot.price_summary);
  return html`
    <section class="fact">
      <${Icon} name="money" />
      <div>
        <h3>${t("lot.price")}</h3>
        ${words.length
          ? html`<ul class="lines">${words.map((line) => html`<li>${line}</li>`)}</ul>`
          : html`<p>${short || t("lot.price.none")}</p>`}
      </div>
    </section>
  `;
}


/** @param {{opening: {hours: string, open_now: boolean, next_change_at: string | null}}} props */
function Hours({ opening }) {
  const { hours, open_now, next_change_at } = opening;
  return html`
    <section class="fact">
      <${Icon} name="clock" />
      <div>
        <h3>${t("lot.hours")}</h3>
        <p>${hours === "24/7" ? t("lot.hours.always") : hoursInWords(hours, lang.peek())}</p>
        ${next_change_at &&
        html`<p class="soft small">${t(open_now ? "lot.hours.until" : "lot.hours.from", { time: clock(next_change_at) })}</p>`}
      </div>
    </section>
  `;
}

/** @param {{lot: Lot, more: any}} props */
function Facts({ lot, more }) {
  const special = use(categoriesOf).get(lot.id) ?? {};
  const kinds = Object.entries(special).filter(([kind]) => kind !== "standard" && has(`category.${kind}`));
  return html`
    ${more?.opening && html`<${Hours} opening=${more.opening} />`}
    ${kinds.length > 0 &&
    html`<section class="fact"><${Icon} name="accessible" /><div><h3>${t("lot.special")}</h3>
      <p>${kinds.map(([kind, n]) => `${t(`category.${kind}`)} ${n}`).join(t("list.comma"))}</p></div></section>`}
    ${more?.operator &&
    html`<section class="fact"><${Icon} name="operator" /><div><h3>${t("lot.operator")}</h3><p>${say(more.operator)}</p></div></section>`}
    <section class="fact soft"><${Icon} name="signal" /><div>
      <p>${lot.heard_at ? t("lot.heard", { time: clock(lot.heard_at) }) : t("lot.heard.never")}</p></div></section>
  `;
}
