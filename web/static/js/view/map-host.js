/* The map as the rest of the page sees it: loaded late, perhaps not there at all. */

import { signal } from "../lib.js";

/** Why there is no map, if there is none. */
export const mapTrouble = signal(/** @type {null | "no-webgl" | "failed"} */ (null));

/** @type {import("../map/map.js").CityMap | null} */
let map = null;

/**
 * Load the map's code while the city's frame is on its way, then draw.
 * @param {Promise<void>} [framed]
 */
export async function startMap(framed) {
  if (map) return map.resize();
  document.body.dataset.mapReady = "";
  if (!document.createElement("canvas").getContext("webgl2")) return give("no-webgl");
  mapTrouble.value = null;
  document.body.classList.remove("no-map");
  try {
    const [{ CityMap, basemapStyle }] = await Promise.all([import("../map/map.js"), framed]);
    map = new CityMap(/** @type {HTMLElement} */ (document.getElementById("map")), await basemapStyle());
  } catch (reason) {
    console.warn("the map could not be started:", reason);
    give("failed");
  }
}

/** @param {"no-webgl" | "failed"} trouble */
function give(trouble) {
  mapTrouble.value = trouble;
  document.body.classList.add("no-map");
  document.body.dataset.mapReady = "none";
}

/** @param {[number, number]} at @param {number} zoom */
export const showPlace = (at, zoom) => map?.show(at, zoom);

/** @param {number} steps */
export const zoomBy = (steps) => map?.zoomBy(steps);
