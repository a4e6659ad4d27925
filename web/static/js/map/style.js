/* The built-in style: a quiet drawing of the town from its own few shapes, in the page's colours. Pure. */

/** @typedef {import("../types").Tokens} Tokens */

export const GRADES = ["free", "few", "full", "unknown", "shut"];
/** From here on single spaces are drawn and a lot's bubble becomes a sign at its edge. */
export const SPACES_ZOOM = 16;
const MARKS_ZOOM = 17.5;
const FONT = ["Noto Sans Regular"];
const BOLD = ["Noto Sans Bold"];

/** @param {string} what */
const context = (what) => ["==", ["get", "what"], what];
/** @param {any[]} stops zoom, width, zoom, width, ... */
const byZoom = (...stops) => ["interpolate", ["exponential", 1.6], ["zoom"], ...stops];
const STATE = ["coalesce", ["feature-state", "s"], "u"];
const GRADE = ["coalesce", ["feature-state", "grade"], "unknown"];

/** A value by the grade of a lot. @param {any} of @param {(grade: string) => any} value */
const perGrade = (of, value) => ["match", of, ...GRADES.slice(0, 3).flatMap((grade) => [grade, value(grade)]), value("unknown")];

/**
 * @param {Tokens} c colours by their names in tokens.css
 * @param {{english: boolean}} words
 * @returns {any} a MapLibre style
 */
export function styleOf(c, { english }) {
  return {
    version: 8,
    sources: {
      county: empty(),
      context: empty(),
      shapes: empty(),
      spaces: empty(),
      signs: empty(),
      lots: {
        ...empty(),
        cluster: true,
        clusterRadius: 44,
        clusterMaxZoom: SPACES_ZOOM - 1,
        clusterProperties: {
          available: ["+", ["get", "available"]],
          known: ["+", ["get", "known"]],
        },
      },
      here: empty(),
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": c["map-outside"] } },
      ...town(c),
      ...shapes(c),
      ...spaces(c),
      ...labels(c),
      ...bubbles(c, english ? "name_en" : "name"),
      ...you(c),
    ],
  };
}

const empty = () => ({ type: "geojson", data: { type: "FeatureCollection", features: [] } });

/** The filters that ring one lot, or none for an empty id. @param {string} id @returns {Record<string, any>} */
export function chosenFilters(id) {
  const it = ["==", ["get", "id"], id];
  return { "chosen-ring": it, "chosen-site": ["all", it, polygon], "chosen-kerb": ["all", it, ["!", polygon]] };
}

/** @param {Tokens} c */
function town(c) {
  const street = { "line-cap": "round", "line-join": "round" };
  return [
    { id: "county", type: "fill", source: "county", paint: { "fill-color": c["map-land"] } },
    {
      id: "county-edge", type: "line", source: "county",
      paint: { "line-color": c["map-border"], "line-width": byZoom(7, 0.8, 14, 2.2), "line-dasharray": [4, 2, 1, 2] },
    },
    { id: "green", type: "fill", source: "context", filter: context("green"), paint: { "fill-color": c["map-green"] } },
    { id: "square", type: "fill", source: "context", filter: context("square"), paint: { "fill-color": c["map-square"] } },
    {
      id: "water", type: "fill", source: "context", filter: ["all", context("water"), polygon],
      paint: { "fill-color": c["map-water"] },
    },
    {
      id: "river", type: "line", source: "context", filter: ["all", context("water"), ["!", polygon]], layout: street,
      paint: { "line-color": c["map-water"], "line-width": byZoom(10, 2, 14, 12, 18, 90) },
    },
    {
      id: "street-edge", type: "line", source: "context", filter: context("street"), layout: street, minzoom: 11,
      paint: { "line-color": c["map-street-edge"], "line-width": byZoom(11, 1.4, 14, named(6.5, 4), 18, named(58, 34)) },
    },
    {
      id: "street", type: "line", source: "context", filter: context("street"), layout: street, minzoom: 11,
      paint: { "line-color": c["map-street"], "line-width": byZoom(11, 0.8, 14, named(5, 2.8), 18, named(54, 31)) },
    },
  ];
}

const polygon = ["in", ["geometry-type"], ["literal", ["Polygon", "MultiPolygon"]]];
/** Streets with a name are the ones people drive by. @param {number} main @param {number} minor */
const named = (main, minor) => ["case", ["!=", ["coalesce", ["get", "name"], ""], ""], main, minor];

/** @param {Tokens} c */
function shapes(c) {
  return [
    {
      id: "site", type: "fill", source: "shapes", filter: polygon, minzoom: 14,
      paint: { "fill-color": c["map-lot"], "fill-opacity": ["interpolate", ["linear"], ["zoom"], 14, 0, 15, 1] },
    },
    {
      id: "site-edge", type: "line", source: "shapes", filter: polygon, minzoom: 14,
      paint: { "line-color": c["map-lot-edge"], "line-width": byZoom(14, 0.6, 18, 2) },
    },
    {
      id: "kerb", type: "line", source: "shapes", filter: ["!", polygon], minzoom: 13, maxzoom: SPACES_ZOOM,
      layout: { "line-cap": "round" },
      paint: { "line-color": perGrade(GRADE, (grade) => c[grade]), "line-width": byZoom(12, 2, 16, 7), "line-opacity": 0.8 },
    },
    {
      id: "chosen-kerb", type: "line", source: "shapes", minzoom: 14, filter: chosenFilters("")["chosen-kerb"],
      layout: { "line-cap": "round" },
      paint: { "line-color": c.ink, "line-opacity": 0.11, "line-width": ["interpolate", ["exponential", 2], ["zoom"], 14, 10, 20, 260] },
    },
    {
      id: "chosen-site", type: "line", source: "shapes", minzoom: 14, filter: chosenFilters("")["chosen-site"],
      paint: { "line-color": c.ink, "line-width": byZoom(14, 1.5, 18, 3) },
    },
  ];
}

/** @param {Tokens} c */
function spaces(c) {
  const fill = ["match", STATE, "f", c.free, "o", c["full-tint"], c["unknown-tint"]];
  const edge = ["match", STATE, "f", c["free-text"], "o", c.full, c.unknown];
  /** @param {string} letters */
  const only = (letters) => ["match", STATE, [...letters], 1, 0];
  const size = ["interpolate", ["exponential", 2], ["zoom"], 17, 0.25, 22, 8]; // a picture of 40 is 5 metres long
  const mark = { "icon-rotation-alignment": "map", "icon-allow-overlap": true, "icon-ignore-placement": true, "icon-size": size };
  return [
    { id: "spaces", type: "fill", source: "spaces", minzoom: SPACES_ZOOM - 0.5, paint: { "fill-color": fill } },
    {
      id: "spaces-hatch", type: "fill", source: "spaces", minzoom: SPACES_ZOOM,
      paint: { "fill-pattern": "hatch", "fill-opacity": only("u") },
    },
    {
      id: "spaces-edge", type: "line", source: "spaces", minzoom: SPACES_ZOOM,
      paint: { "line-color": edge, "line-width": byZoom(16, 0.6, 18, 1.3, 20, 2.5) },
    },
    {
      id: "spaces-car", type: "symbol", source: "spaces", minzoom: MARKS_ZOOM,
      layout: { ...mark, "icon-image": "car", "icon-rotate": ["get", "turn"] },
      paint: { "icon-opacity": only("o") },
    },
    {
      id: "spaces-closed", type: "symbol", source: "spaces", minzoom: MARKS_ZOOM,
      layout: { ...mark, "icon-image": "cross", "icon-rotate": ["get", "turn"] },
      paint: { "icon-opacity": only("c") },
    },
    {
      id: "spaces-kind", type: "symbol", source: "spaces", minzoom: MARKS_ZOOM,
      filter: ["in", ["get", "category"], ["literal", ["accessible", "ev_charging", "motorcycle", "large"]]],
      layout: {
        ...mark, "icon-image": ["concat", "kind-", ["get", "category"]], "icon-rotation-alignment": "viewport",
        "icon-size": ["interpolate", ["exponential", 2], ["zoom"], 17, 0.22, 20, 1, 22, 2],
      },
      paint: { "icon-opacity": only("f") },
    },
    {
      id: "chosen-space", type: "line", source: "spaces", minzoom: SPACES_ZOOM, filter: ["==", ["get", "code"], ""],
      paint: { "line-color": c.ink, "line-width": byZoom(17, 1.5, 19, 3) },
    },
  ];
}

/** @param {Tokens} c */
function labels(c) {
  const halo = { "text-halo-color": c["map-halo"], "text-halo-width": 1.6 };
  return [
    {
      id: "street-name", type: "symbol", source: "context", minzoom: 13.5,
      filter: ["all", context("street"), ["!=", ["coalesce", ["get", "name"], ""], ""]],
      layout: {
        "symbol-placement": "line", "symbol-spacing": 280, "text-field": ["get", "name"], "text-font": FONT,
        "text-size": ["interpolate", ["linear"], ["zoom"], 13.5, 11, 17, 15], "text-letter-spacing": 0.08,
      },
      paint: { "text-color": c["map-label"], ...halo },
    },
    {
      id: "water-name", type: "symbol", source: "context", minzoom: 12.5,
      filter: ["all", context("water"), ["!=", ["coalesce", ["get", "name"], ""], ""]],
      layout: {
        "symbol-placement": "line", "symbol-spacing": 500, "text-field": ["get", "name"], "text-font": FONT, "text-size": 13,
        "text-letter-spacing": 0.2,
      },
      paint: { "text-color": c["map-water-label"] },
    },
    {
      id: "place-name", type: "symbol", source: "context", minzoom: 13,
      filter: ["in", ["get", "what"], ["literal", ["square", "green"]]],
      layout: { "text-field": ["coalesce", ["get", "name"], ""], "text-font": FONT, "text-size": 12, "text-max-width": 7 },
      paint: { "text-color": c["map-label"], ...halo },
    },
  ];
}

/** @param {Tokens} c @param {string} name */
function bubbles(c, name) {
  const many = ["has", "point_count"];
  // a sum is of what is known: one lot that says nothing does not make its neighbours unknown
  const sum = [
    "case",
    ["<=", ["get", "known"], 0], "unknown",
    ["<=", ["get", "available"], 0], "full",
    ["<=", ["get", "available"], ["min", 20, ["max", 3, ["*", 0.15, ["get", "known"]]]]], "few",
    "free",
  ];
  const grade = ["case", many, sum, ["get", "grade"]];
  const weight = ["sqrt", ["case", many, ["get", "known"], ["get", "capacity"]]];
  const size = ["interpolate", ["linear"], weight, 4, 0.62, 12, 0.78, 32, 1.05, 50, 1.25];
  const ink = perGrade(grade, (of) => c[`on-${of}`]);
  const bubble = {
    "icon-image": ["concat", ["case", many, "sum-", "lot-"], grade],
    "icon-size": size,
    "icon-allow-overlap": true,
    "icon-padding": 0,
    "text-allow-overlap": true,
    "text-field": ["case", many, ["to-string", ["get", "available"]], ["get", "text"]],
    "text-font": BOLD,
    "text-size": ["interpolate", ["linear"], weight, 4, 13, 32, 16],
    "symbol-sort-key": ["get", "available"],
  };
  const label = {
    "text-field": ["get", name], "text-font": FONT, "text-size": 13, "text-max-width": 9, "text-optional": true,
  };
  const halo = { "text-color": c.ink, "text-halo-color": c["map-halo"], "text-halo-width": 1.8 };
  return [
    {
      id: "lot-name", type: "symbol", source: "lots", filter: ["!", many], minzoom: 14, maxzoom: SPACES_ZOOM,
      layout: { ...label, "text-anchor": "top", "text-offset": [0, 1.75] }, paint: halo,
    },
    {
      id: "sign-name", type: "symbol", source: "signs", minzoom: SPACES_ZOOM,
      layout: { ...label, "text-size": 14, "text-anchor": "left", "text-offset": [1.7, -1.9], "text-justify": "left" }, paint: halo,
    },
    {
      id: "chosen-ring", type: "circle", source: "lots", maxzoom: SPACES_ZOOM, filter: ["==", ["get", "id"], ""],
      paint: { "circle-radius": 30, "circle-color": c.ink, "circle-opacity": 0.16, "circle-stroke-width": 2.5, "circle-stroke-color": c.ink },
    },
    { id: "bubble", type: "symbol", source: "lots", maxzoom: SPACES_ZOOM, layout: bubble, paint: { "text-color": ink } },
    {
      id: "sign", type: "symbol", source: "signs", minzoom: SPACES_ZOOM, layout: bubble,
      paint: { "text-color": ink, "icon-translate": [0, -26], "text-translate": [0, -26] },
    },
  ];
}

/** @param {Tokens} c */
function you(c) {
  return [
    {
      id: "here", type: "circle", source: "here",
      paint: { "circle-radius": 8, "circle-color": c.link, "circle-stroke-color": c.surface, "circle-stroke-width": 3 },
    },
  ];
}
