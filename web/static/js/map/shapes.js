/* The page's lots and spaces as the map's features. Pure. */

import { gradeOf, numberOf } from "../lots.js";

/** @typedef {import("../types").Lot} Lot */
/** @typedef {import("../types").Feature} Feature */
/** @typedef {import("../types").Point} Point */

/** @param {Feature[]} features */
export const collection = (features) => ({ type: "FeatureCollection", features });

/** @param {Lot[]} lots @param {"centre" | "sign"} at */
export const points = (lots, at) =>
  collection(
    lots.map((lot) => ({
      type: "Feature",
      id: lot.number,
      geometry: { type: "Point", coordinates: lot[at] },
      properties: {
        id: lot.id,
        name: lot.name,
        name_en: lot.name_en || lot.name,
        grade: gradeOf(lot),
        text: numberOf(lot),
        available: lot.available,
        capacity: lot.capacity,
        known: lot.open_now === false ? 0 : lot.free + lot.occupied,
      },
    })),
  );

/** @param {Lot[]} lots */
export const outlines = (lots) =>
  collection(
    lots
      .filter((lot) => lot.shape.type !== "Point")
      .map((lot) => ({ type: "Feature", id: lot.number, geometry: lot.shape, properties: { id: lot.id } })),
  );

/** The spaces with the turn of each, so that a car can be drawn along it. @param {Feature[]} spaces */
export const drawn = (spaces) =>
  collection(
    spaces.map((space) => ({ ...space, properties: { ...space.properties, turn: turnOf(space.geometry) } })),
  );

/** Degrees clockwise from east of a rectangle's longer side. @param {import("../types").Geometry} shape */
function turnOf(shape) {
  if (shape.type !== "Polygon") return 0;
  const [a, b, c] = /** @type {Point[]} */ (shape.coordinates[0]);
  const stretch = Math.cos((a[1] * Math.PI) / 180);
  const side = (/** @type {Point} */ from, /** @type {Point} */ to) => [(to[0] - from[0]) * stretch, to[1] - from[1]];
  const [first, second] = [side(a, b), side(b, c)];
  const [east, north] = Math.hypot(...first) >= Math.hypot(...second) ? first : second;
  return Math.round((-Math.atan2(north, east) * 180) / Math.PI);
}
