/* Large type and three things: the nearest places with room, how many spaces are free there, and the way. */

import { html, use } from "../lib.js";
import { chooseElder } from "../look.js";
import { here, loading, lots, metresTo, origin } from "../state.js";
import { count, distance, nameOf, t, yuan } from "../i18n.js";
import { gradeOf, nearestWithRoom, numberOf } from "../lots.js";
import { StreetLinks } from "../street/links.js";
import { Go } from "./go.js";
import { Badge, Icon } from "./icons.js";
import { Age } from "./list.js";
import { findMe } from "./map-tools.js";
import { Notices } from "./notices.js";

const PLACES = 3;

export function Elder() {
  const all = [...use(lots).values()];
  const state = use(loading);
  const me = use(here);
  const places = nearestWithRoom(all, use(origin), PLACES);
  return html`
    <div class="elder">
      <${Notices} />
      <header class="elder-head">
        <h1>${t("elder.title")}</h1>
        <${Age} />
      </header>
      <button class="button elder-here" id="here" aria-pressed=${Boolean(me)} onClick=${findMe}>
        <${Icon} name="here" size=${30} />${t(me ? "elder.here.on" : "elder.here")}
      </button>
      <p class="soft">${t(me ? "here.on" : "here.off")}</p>
      <ol class="elder-places" id="lots">
        ${places.map((lot) => html`<${Place} key=${lot.id} lot=${lot} />`)}
      </ol>
      ${!places.length && html`<p class="elder-none" role="status">${t(state === "ready" ? "elder.none" : state === "failed" ? "load.failed" : "load.lots")}</p>`}
      <button class="button elder-all" onClick=${() => chooseElder(false)}>${t("elder.leave")}</button>
      <${StreetLinks} />
    </div>
  `;
}

/** @param {{lot: import("../types").Lot}} props */
function Place({ lot }) {
  const price = lot.hour_fen;
  return html`
    <li class="elder-place" data-lot=${lot.id}>
      <h2>${nameOf(lot)}</h2>
      <div class="elder-facts">
        <${Badge} grade=${gradeOf(lot)} text=${numberOf(lot)} />
        <p>
          <strong>${t("elder.free", { n: count(lot.available) })}</strong>
          <span>${distance(metresTo(lot))}${typeof price === "number" ? ` · ${price ? t("elder.hour", { fee: yuan(price) }) : t("elder.hour.free")}` : ""}</span>
          ${lot.source !== "sensors" && html`<span class="soft">${t("lot.estimated")}</span>`}
        </p>
      </div>
      <${Go} lot=${lot} plain=${true} />
    </li>
  `;
}
