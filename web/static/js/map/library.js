/* The map library, under one roof like the rest in ../lib.js, but loaded only when there is a map to draw. */

import * as maplibre from "/vendor/maplibre-gl-6.17.0/maplibre-gl.mjs";

/** @type {any} */
const library = maplibre;
library.prewarm(); // its workers load while the town's outline is on its way
export const Canvas = library.Map;
export const LngLatBounds = library.LngLatBounds;
export const Credit = library.AttributionControl;

const STYLES = "/vendor/maplibre-gl-6.17.0/maplibre-gl.css";

/** Its style sheet, once. */
export function addStyles() {
  if (document.querySelector(`link[href="${STYLES}"]`)) return;
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: STYLES }));
}
