/* What an operator has set to be drawn under the town, and in which datum; nothing by default. */

import { fromGcj02, toGcj02 } from "../gcj02.js";

/** @typedef {import("../types").Point} Point */
/** @typedef {import("../types").Geometry} Geometry */

const PATIENCE_MS = 8_000;
const told = document.getElementById("map")?.dataset ?? {};
const shifted = told.datum === "gcj02";

/** From our WGS-84 to where the basemap draws it. @param {Point} point @returns {Point} */
export const onto = (point) => (shifted ? toGcj02(point) : point);
/** And back. @param {Point} point @returns {Point} */
export const off = (point) => (shifted ? fromGcj02(point) : point);

/** Features moved onto the basemap; the same object where nothing has to move. @template T @param {T} features @returns {T} */
export function laid(features) {
  if (!shifted) return features;
  const { type, ...rest } = /** @type {any} */ (features);
  if (type === "FeatureCollection") return /** @type {any} */ ({ type, ...rest, features: rest.features.map(laid) });
  return /** @type {any} */ ({ type, ...rest, geometry: moved(rest.geometry) });
}

/** @param {Geometry} geometry @returns {Geometry} */
function moved(geometry) {
  /** @param {any} part @returns {any} */
  const each = (part) => (typeof part[0] === "number" ? onto([part[0], part[1]]) : part.map(each));
  return { ...geometry, coordinates: each(geometry.coordinates) };
}

/**
 * The style that lies under ours, or null where there is none or it does not come: the town is then drawn from its own
 * few shapes. Its labels are drawn with fonts of the device, as ours are.
 * @returns {Promise<any>}
 */
export async function basemapStyle() {
  if (!told.basemap) return null;
  if (told.basemap.includes("{z}")) return rasterStyle(told.basemap);
  try {
    const response = await fetch(told.basemap, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    const { glyphs: _, ...style } = await response.json();
    return withCredit(style);
  } catch (reason) {
    console.warn("the basemap did not come:", reason);
    return null;
  }
}

/** @param {string} tiles */
function rasterStyle(tiles) {
  return withCredit({
    version: 8,
    sources: { basemap: { type: "raster", tiles: [tiles], tileSize: 256, maxzoom: 18 } },
    layers: [{ id: "basemap", type: "raster", source: "basemap" }],
  });
}

/** @param {any} style */
function withCredit(style) {
  const [first] = Object.values(style.sources ?? {});
  if (told.credit && first && !first.attribution) first.attribution = told.credit;
  return style;
}

/**
 * Our layers over those of the basemap; our own drawing of the ground and its labels gives way to it.
 * @param {any} ours
 * @param {any} base
 */
export function over(ours, base) {
  if (!base) return ours;
  const gone = new Set(["ground", "county", "green", "square", "water", "river", "street-edge", "street", "street-name", "water-name", "place-name"]);
  const under = base.layers.map((/** @type {any} */ layer) => ({ ...layer, id: `under-${layer.id}` }));
  return {
    ...base,
    sources: { ...base.sources, ...ours.sources },
    layers: [...under, ...ours.layers.filter((/** @type {any} */ layer) => !gone.has(layer.id))],
  };
}
