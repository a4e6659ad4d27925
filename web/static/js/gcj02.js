/* WGS-84 to the shifted coordinates some navigators in China expect. Pure.
 *
 * The published approximation (often credited to "wandergis/coordtransform" and "googollee/eviltransform"), which
 * agrees with the navigators to within a metre or two. Inside, every coordinate of ours is WGS-84. */

const AXIS = 6_378_245;
const ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943;

/** @param {[number, number]} point longitude, latitude @returns {[number, number]} */
export function toGcj02([lon, lat]) {
  if (lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271) return [lon, lat];
  const [x, y] = [lon - 105, lat - 35];
  const angle = (lat * Math.PI) / 180;
  const magic = 1 - ECCENTRICITY_SQUARED * Math.sin(angle) ** 2;
  const north = (waveLat(x, y) * 180) / (((AXIS * (1 - ECCENTRICITY_SQUARED)) / (magic * Math.sqrt(magic))) * Math.PI);
  const east = (waveLon(x, y) * 180) / ((AXIS / Math.sqrt(magic)) * Math.cos(angle) * Math.PI);
  return [lon + east, lat + north];
}

/** Back again, to a millimetre, by approaching. @param {[number, number]} point @returns {[number, number]} */
export function fromGcj02([lon, lat]) {
  /** @type {[number, number]} */
  let guess = [lon, lat];
  for (let n = 0; n < 8; n += 1) {
    const there = toGcj02(guess);
    guess = [guess[0] - (there[0] - lon), guess[1] - (there[1] - lat)];
  }
  return guess;
}

/** @param {number} x */
const ripple = (x) => (20 * (Math.sin(6 * x * Math.PI) + Math.sin(2 * x * Math.PI)) * 2) / 3;

/** @param {number} x @param {number} y */
function waveLat(x, y) {
  return (
    -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x)) + ripple(x) +
    ((20 * Math.sin(y * Math.PI) + 40 * Math.sin((y / 3) * Math.PI)) * 2) / 3 +
    ((160 * Math.sin((y / 12) * Math.PI) + 320 * Math.sin((y * Math.PI) / 30)) * 2) / 3
  );
}

/** @param {number} x @param {number} y */
function waveLon(x, y) {
  return (
    300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x)) + ripple(x) +
    ((20 * Math.sin(x * Math.PI) + 40 * Math.sin((x / 3) * Math.PI)) * 2) / 3 +
    ((150 * Math.sin((x / 12) * Math.PI) + 300 * Math.sin((x / 30) * Math.PI)) * 2) / 3
  );
}
