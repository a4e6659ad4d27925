/* The few buttons on the map. */

import { html, signal, use } from "../lib.js";
import { city, here, sort, street } from "../state.js";
import { metresBetween } from "../lots.js";
import { nameOf, t } from "../i18n.js";
import { Icon } from "./icons.js";
import { mapTrouble, showPlace, zoomBy } from "./map-host.js";
import { notice } from "./notices.js";

const asking = signal(false);
/** Farther from the centre than this, "near me" would sort the list by a number that helps nobody. */
const FAR_METRES = 60_000;

/** @param {{legend: boolean, showLegend: (open: boolean) => void}} props */
export function MapTools({ legend, showLegend }) {
  const waiting = use(asking);
  const trouble = use(mapTrouble);
  const me = use(here);
  return html`
    <div class="tools">
      <button class="icon-button" id="legend-button" aria-expanded=${legend} onClick=${() => showLegend(!legend)}>
        <${Icon} name="legend" /><span class="unseen">${t("legend.open")}</span>
      </button>
      ${!trouble &&
      html`
        <div class="zoom">
          <button class="icon-button" onClick=${() => zoomBy(1)}><${Icon} name="plus" /><span class="unseen">${t("map.zoom.in")}</span></button>
          <button class="icon-button" onClick=${() => zoomBy(-1)}><${Icon} name="minus" /><span class="unseen">${t("map.zoom.out")}</span></button>
        </div>
      `}
      <button class="icon-button ${me ? "on" : ""} ${waiting ? "waiting" : ""}" id="here" aria-pressed=${Boolean(me)} onClick=${findMe}>
        <${Icon} name="here" /><span class="unseen">${t(waiting ? "here.asking" : "here.label")}</span>
      </button>
    </div>
  `;
}

/** The position is asked for here and only here, when the button is tapped; it never leaves the device. */
export function findMe() {
  if (!navigator.geolocation) {
    notice.value = t("here.failed");
    return;
  }
  asking.value = true;
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      asking.value = false;
      notice.value = "";
      /** @type {[number, number]} */
      const at = [coords.longitude, coords.latitude];
      const frame = city.peek();
      if (frame?.centre && metresBetween(at, frame.centre) > FAR_METRES) {
        notice.value = t("here.far", { city: nameOf(frame) });
        return;
      }
      here.value = at;
      street.value = null;
      sort.value = "distance";
      showPlace(at, 16);
    },
    (reason) => {
      asking.value = false;
      notice.value = t(reason.code === reason.PERMISSION_DENIED ? "here.refused" : "here.failed");
    },
    { enableHighAccuracy: true, timeout: 10_000, maximumAge: 30_000 },
  );
}
