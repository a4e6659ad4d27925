/* The map's small pictures, drawn on canvases: bubbles by grade, the hatch, marks on spaces. */

/** @typedef {import("../types").Tokens} Tokens */

const RATIO = 2; // pixels of a picture for each pixel of the page
const SIDE = 52; // of a bubble at icon-size 1

/**
 * All pictures in the colours given.
 * @param {Tokens} c
 * @returns {{name: string, data: ImageData, options: {pixelRatio: number}}[]}
 */
export function images(c) {
  const grades = ["free", "few", "full", "unknown", "shut"];
  return [
    ...grades.map((grade) => picture(`lot-${grade}`, SIDE, (pen) => bubble(pen, c, grade, false))),
    ...grades.map((grade) => picture(`sum-${grade}`, SIDE, (pen) => bubble(pen, c, grade, true))),
    picture("hatch", 8, (pen) => lines(pen, 8, c.unknown, 8)),
    picture("car", 40, (pen) => car(pen, c)),
    picture("cross", 24, stroke(c["unknown-text"], "M6 6l12 12M18 6 6 18")),
    picture("kind-accessible", 24, stroke(c["on-free"], ACCESSIBLE)),
    picture("kind-ev_charging", 24, solid(c["on-free"], "M13.5 2 5 13.5h5.5L9 22l10-12h-6.2z")),
    picture("kind-motorcycle", 24, stroke(c["on-free"], "M2 16a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0M15 16a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0M5.5 16l4-6h5l4 6M13 7h3l1 3")),
    picture("kind-large", 24, stroke(c["on-free"], "M3 8h12v9H3zM15 11h3.5l2.5 3v3h-6")),
  ];
}

const ACCESSIBLE = "M11 2.5a1.8 1.8 0 1 0 .1 0M11 8v6.5h5l2.5 5.5M11 10.5h4.5M8.5 11.5a5 5 0 1 0 6.3 6.3";

/**
 * @param {string} name
 * @param {number} side
 * @param {(pen: CanvasRenderingContext2D) => void} draw in a square of that side
 */
function picture(name, side, draw) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side * RATIO;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  pen.scale(RATIO, RATIO);
  pen.lineCap = pen.lineJoin = "round";
  draw(pen);
  return { name, data: pen.getImageData(0, 0, canvas.width, canvas.height), options: { pixelRatio: RATIO } };
}

/**
 * Each grade has its own outline, so that none needs its colour to be told: free a plain disc, few a disc with a dark
 * ring, full a square, unknown a hatched disc with a broken ring, shut the same without the hatch. A sum of several
 * lots has a second, pale ring.
 * @param {CanvasRenderingContext2D} pen
 * @param {Tokens} c
 * @param {string} grade
 * @param {boolean} sum
 */
function bubble(pen, c, grade, sum) {
  const middle = SIDE / 2;
  const radius = 20;
  const shape = (/** @type {number} */ r) => {
    pen.beginPath();
    if (grade === "full") pen.roundRect(middle - r, middle - r * 0.88, 2 * r, 2 * r * 0.88, r * 0.36);
    else pen.arc(middle, middle, r, 0, 2 * Math.PI);
  };
  const colour = c[grade] ?? c.unknown;
  if (sum) {
    shape(radius + 5);
    pen.globalAlpha = 0.3;
    pen.fillStyle = colour;
    pen.fill();
    pen.globalAlpha = 1;
  }
  pen.save();
  pen.shadowColor = "rgb(0 0 0 / 35%)";
  pen.shadowBlur = 4 * RATIO;
  pen.shadowOffsetY = RATIO;
  shape(radius + 2);
  pen.fillStyle = c.surface;
  pen.fill();
  pen.restore();
  shape(radius);
  pen.fillStyle = colour;
  pen.fill();
  if (grade === "few") {
    shape(radius - 0.5);
    pen.lineWidth = 3;
    pen.strokeStyle = c["few-edge"];
    pen.stroke();
  }
  if (grade === "unknown" || grade === "shut") {
    shape(radius - 1);
    pen.save();
    pen.clip();
    if (grade === "unknown") lines(pen, SIDE, "rgb(255 255 255 / 22%)", 6);
    pen.restore();
    shape(radius - 1);
    pen.setLineDash([3, 4]);
    pen.lineWidth = 2;
    pen.strokeStyle = c["on-unknown"];
    pen.stroke();
  }
}

/** Rising lines that meet at the picture's edges. @param {CanvasRenderingContext2D} pen @param {number} side @param {string} colour @param {number} step */
function lines(pen, side, colour, step) {
  pen.strokeStyle = colour;
  pen.lineWidth = 1.4;
  pen.beginPath();
  for (let x = -side; x < 2 * side; x += step) {
    pen.moveTo(x, side);
    pen.lineTo(x + side, 0);
  }
  pen.stroke();
}

/**
 * A car from above, nose to the right, as long as the picture is wide less a little air.
 * @param {CanvasRenderingContext2D} pen
 * @param {Tokens} c
 */
function car(pen, c) {
  const box = (/** @type {number[]} */ ...[x, y, width, height, round]) => {
    pen.beginPath();
    pen.roundRect(x, y, width, height, round);
    pen.fill();
  };
  pen.fillStyle = c.full;
  box(3, 12, 34, 16, 5.5);
  pen.fillStyle = c["full-tint"];
  box(24, 14.4, 4.5, 11.2, 2);
  box(8, 15, 3, 10, 1.5);
}

/** @param {string} colour @param {string} path @returns {(pen: CanvasRenderingContext2D) => void} */
function stroke(colour, path) {
  return (pen) => {
    pen.strokeStyle = colour;
    pen.lineWidth = 2.4;
    pen.stroke(new Path2D(path));
  };
}

/** @param {string} colour @param {string} path @returns {(pen: CanvasRenderingContext2D) => void} */
function solid(colour, path) {
  return (pen) => {
    pen.fillStyle = colour;
    pen.fill(new Path2D(path));
  };
}
