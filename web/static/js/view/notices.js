/* Honest lines above the list: old data, silent sensors, a map that cannot be drawn, a refused position. */

import { html, signal, use } from "../lib.js";
import { chosen, contactAt, now, offline, silentSince, stale } from "../state.js";
import { mine, tapped, turns, visitTo } from "../visits.js";
import { clock, span, t } from "../i18n.js";
import { Icon } from "./icons.js";
import { mapTrouble, startMap } from "./map-host.js";

/** One passing message, such as a refused position; the next replaces it. */
export const notice = signal("");

export function Notices() {
  use(turns);
  const parked = Object.entries(use(mine)).find(([code]) => visitTo(code));
  const open = use(chosen);
  const old = use(stale);
  const alone = use(offline);
  const silent = use(silentSince);
  const trouble = use(mapTrouble);
  const message = use(notice);
  use(now);
  const at = contactAt.peek();
  return html`
    <div class="notices" role="status">
      ${old &&
      html`<div class="notice" id="stale">
        <${Icon} name="alert" /><p><strong>${t("stale.title", { age: span((now.peek() - at) / 1000) })}</strong> ${t(alone ? "stale.offline" : "stale.text", { time: clock(at) })}</p>
      </div>`}
      ${alone && !old && at > 0 &&
      html`<div class="notice" id="offline">
        <${Icon} name="alert" /><p><strong>${t("offline.title")}</strong> ${t("offline.text", { time: clock(at) })}</p>
      </div>`}
      ${silent !== null &&
      html`<div class="notice" id="silent">
        <${Icon} name="signal" /><p><strong>${t("silent.title", { time: clock(silent) })}</strong> ${t("silent.text")}</p>
      </div>`}
      ${trouble &&
      html`<div class="notice" id="map-trouble">
        <${Icon} name="alert" /><p><strong>${t(trouble === "no-webgl" ? "map.none" : "map.failed")}</strong> ${t("map.none.use")}</p>
        ${trouble === "failed" && html`<button class="button" onClick=${() => startMap()}>${t("map.retry")}</button>`}
      </div>`}
      ${parked && !open &&
      html`<div class="notice" id="parked">
        <${Icon} name="check" /><p><strong>${t("park.mine", { code: parked[0] })}</strong></p>
        <button class="button" onClick=${() => showVisit(parked[0], parked[1].lot)}>${t("park.show")}</button>
      </div>`}
      ${message &&
      html`<div class="notice">
        <p>${message}</p>
        <button class="notice-close" onClick=${() => (notice.value = "")}><${Icon} name="close" size=${18} /><span class="unseen">${t("legend.close")}</span></button>
      </div>`}
    </div>
  `;
}

/** @param {string} code @param {string} lot */
function showVisit(code, lot) {
  chosen.value = lot;
  tapped.value = { code, lot };
}
