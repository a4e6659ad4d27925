/* The list: the same lots, numbers and choices as the map, for eyes, keys and screen readers alike. */

import { html, use, useLayoutEffect, useRef } from "../lib.js";
import {
  chosen, city, contactAt, filters, here, loading, lots, metresTo, now, offline, origin, query, shown, sort, stale, street, streets,
  toggleFilter, totals,
} from "../state.js";
import { brief, count, distance, nameOf, say, t } from "../i18n.js";
import { gradeOf, numberOf } from "../lots.js";
import { categoriesOf } from "../spaces.js";
import { StreetLinks } from "../street/links.js";
import { Badge, Icon } from "./icons.js";
import { showPlace } from "./map-host.js";

/** @typedef {import("../types").Lot} Lot */

const SORTS = /** @type {const} */ (["distance", "free", "price"]);
const FILTERS = ["free", "gratis", "accessible", "charging"];

/** @param {{hidden: boolean}} props */
export function List({ hidden }) {
  const all = use(lots);
  const state = use(loading);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const kept = useRef(0);
  useLayoutEffect(() => {
    if (all.size && !performance.getEntriesByName("list").length) performance.mark("list");
  }, [all.size > 0]);
  useLayoutEffect(() => {
    // a hidden box forgets where it was scrolled to
    if (!hidden && box.current) box.current.scrollTop = kept.current;
  }, [hidden]);
  return html`
    <div class="list" hidden=${hidden}>
      <${Summary} />
      ${all.size > 0 && html`<${Choices} />`}
      <div class="scroll" ref=${box} onScroll=${() => box.current && !hidden && (kept.current = box.current.scrollTop)}>
        ${all.size > 0 ? html`<${Rows} />` : html`<${NoLots} state=${state} />`}
        <${StreetLinks} />
      </div>
    </div>
  `;
}

function Summary() {
  const { available, capacity, known, unknown } = use(totals);
  const old = use(stale);
  const past = use(offline) || old; // then nothing is "now"
  const much = unknown > 0.03 * capacity; // a few silent sensors are everyday, a silent car park is worth a word
  return html`
    <div class="summary">
      <h1>
        <span class="huge number" id="total-free">${known ? count(available) : "–"}</span>
        <span class="summary-words">${t(past ? "total.free.then" : "total.free")}<small>${t(much ? "total.of.unknown" : "total.of", { n: count(capacity), unknown: count(unknown) })}</small></span>
      </h1>
      <${Age} />
    </div>
  `;
}

/** How old the picture is; in steps, so that nothing flickers. */
export function Age() {
  const at = use(contactAt);
  const alone = use(offline);
  const seconds = Math.max(0, Math.round((use(now) - at) / 1000));
  const fresh = at > 0 && seconds < 25 && !alone;
  const words = !at
    ? t("age.connecting")
    : fresh
      ? t("age.live")
      : seconds < 90
        ? t("age.seconds", { n: Math.max(5, Math.floor(seconds / 5) * 5) })
        : t("age.minutes", { n: Math.round(seconds / 60) });
  return html`<p class="age ${fresh ? "fresh" : ""}" id="age"><i aria-hidden="true"></i>${words}</p>`;
}

function Choices() {
  const by = use(sort);
  const on = use(filters);
  const all = [...use(lots).values()];
  const priced = all.some((lot) => typeof lot.hour_fen === "number");
  use(categoriesOf);
  return html`
    <div class="choices">
      <div class="segments" role="group" aria-label=${t("sort.label")}>
        ${SORTS.filter((id) => id !== "price" || priced).map(
          (id) => html`<button aria-pressed=${by === id} onClick=${() => (sort.value = id)}>${t(`sort.${id}`)}</button>`,
        )}
      </div>
      ${FILTERS.filter((id) => id !== "gratis" || priced).map(
        (id) => html`
          <button class="chip" aria-pressed=${on.has(id)} onClick=${() => toggleFilter(id)}>
            ${(id === "accessible" || id === "charging") && html`<${Icon} name=${id} size=${16} />`}${t(`filter.${id}`)}
          </button>
        `,
      )}
    </div>
  `;
}

function Rows() {
  const rows = use(shown);
  const text = use(query);
  const roads = use(streets);
  use(origin);
  return html`
    ${roads.length > 0 && html`<${Streets} roads=${roads} />`}
    ${rows.length > 0 && html`<${From} />`}
    ${text && html`<p class="unseen" role="status">${t("search.results", { n: count(rows.length) })}</p>`}
    <ul class="lots" id="lots">
      ${rows.map((lot) => html`<${Row} key=${lot.id} lot=${lot} />`)}
    </ul>
    ${rows.length === 0 && (!text || !roads.length) && html`<${NoMatch} text=${text} />`}
  `;
}

/** What the distances are measured from. */
function From() {
  const place = use(street);
  const me = use(here);
  const words = place ? t("here.street", { name: place.name }) : t(me ? "here.on" : "here.off");
  return html`<p class="from">${words}</p>`;
}

/** @param {{roads: {name: string, at: import("../types").Point}[]}} props */
function Streets({ roads }) {
  const go = (/** @type {(typeof roads)[0]} */ road) => {
    street.value = road;
    query.value = "";
    sort.value = "distance";
    showPlace(road.at, 16);
  };
  return html`
    <h2 class="from">${t("search.streets")}</h2>
    <ul class="streets">
      ${roads.map((road) => html`<li><button onClick=${() => go(road)}><${Icon} name="kerb" size=${20} />${road.name}</button></li>`)}
    </ul>
  `;
}

/** @param {{lot: Lot}} props */
function Row({ lot }) {
  const grade = gradeOf(lot);
  const far = distance(metresTo(lot));
  const kind = t(`lot.${lot.kind}`);
  const price = brief(say(lot.price_summary));
  return html`
    <li>
      <button class="row" data-lot=${lot.id} onClick=${() => (chosen.value = lot.id)}>
        <${Badge} grade=${grade} text=${numberOf(lot)} />
        <span class="row-main">
          <strong>${nameOf(lot)}</strong>
          <span class="row-facts">
            <span class="number">${far}</span>
            <span>${lot.source === "sensors" ? kind : t("lot.estimated")}</span>
            ${price && html`<span class="row-price">${price}</span>`}
          </span>
        </span>
        <span class="row-grade ${grade}">${t(`grade.${grade}`)}<small class="number">/ ${count(lot.capacity)}</small></span>
      </button>
    </li>
  `;
}

/** @param {{text: string}} props */
function NoMatch({ text }) {
  const all = () => {
    query.value = "";
    filters.value = new Set();
  };
  return html`
    <div class="nothing">
      <h2>${text ? t("search.none", { text }) : t("filter.none")}</h2>
      ${text && html`<p>${t("search.none.hint")}</p>`}
      <button class="button" onClick=${all}>${t(text ? "search.none.all" : "filter.clear")}</button>
    </div>
  `;
}

/** @param {{state: string}} props */
function NoLots({ state }) {
  use(city);
  if (state === "loading") {
    return html`
      <p class="unseen" role="status">${t("load.lots")}</p>
      <ul class="lots waiting" aria-hidden="true">${[1, 2, 3, 4].map(() => html`<li><span class="row"><span class="badge"></span><span class="row-main"><b></b><i></i></span></span></li>`)}</ul>
    `;
  }
  const failed = state === "failed";
  return html`
    <div class="nothing" role="status">
      <${Icon} name=${failed ? "alert" : "site"} size=${36} />
      <h2>${t(failed ? "load.failed" : "load.empty")}</h2>
      <p>${t(failed ? "load.failed.hint" : "load.empty.hint")}</p>
    </div>
  `;
}
