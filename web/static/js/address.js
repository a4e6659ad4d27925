/* The part of the address after `#`: what a shared link shows, and what the back button leaves. */

import { effect } from "./lib.js";
import { chosen, filters, query, sort, toggleFilter } from "./state.js";

/** @typedef {{zoom: number, centre: [number, number]}} View */

/** @type {View | null} */
let view = null;

/** The map's view in the address, if a link brought one. @returns {View | null} */
export function viewInAddress() {
  const [zoom, lat, lon] = (new URLSearchParams(location.hash.slice(1)).get("at") ?? "").split("/").map(Number);
  return Number.isFinite(zoom + lat + lon) && lat !== undefined ? { zoom, centre: [lon, lat] } : null;
}

/** @param {View} next */
export function rememberView(next) {
  view = next;
  history.replaceState(history.state, "", address());
}

/** Take the address as it is now, and keep it in step from here on. */
export function keepAddress() {
  take();
  window.addEventListener("popstate", take);
  let last = chosen.peek();
  effect(() => {
    const lot = chosen.value;
    [query.value, sort.value, filters.value]; // read, so that this runs again when one changes
    const next = address();
    const opened = lot && !last;
    last = lot;
    if (next === location.hash || (next === "#" && !location.hash)) return;
    // opening a lot is a step that "back" undoes; everything else is the same place seen differently
    if (opened) history.pushState({ ours: true }, "", next);
    else history.replaceState(history.state, "", next);
  });
}

/** Leave the open lot, by the browser's own "back" where that is how it was reached. */
export function leaveLot() {
  if (history.state?.ours) history.back();
  else chosen.value = null;
}

function take() {
  const params = new URLSearchParams(location.hash.slice(1));
  view = viewInAddress() ?? view;
  query.value = params.get("q") ?? "";
  sort.value = /** @type {any} */ (["free", "price"].includes(params.get("sort") ?? "") ? params.get("sort") : "distance");
  const wanted = new Set((params.get("show") ?? "").split(",").filter(Boolean));
  for (const id of ["free", "accessible", "charging", "gratis"]) {
    if (wanted.has(id) !== filters.peek().has(id)) toggleFilter(id);
  }
  chosen.value = params.get("lot");
}

function address() {
  const parts = [];
  if (view) parts.push(`at=${view.zoom.toFixed(2)}/${view.centre[1].toFixed(5)}/${view.centre[0].toFixed(5)}`);
  if (chosen.peek()) parts.push(`lot=${encodeURIComponent(chosen.peek() ?? "")}`);
  if (query.peek()) parts.push(`q=${encodeURIComponent(query.peek())}`);
  if (sort.peek() !== "distance") parts.push(`sort=${sort.peek()}`);
  if (filters.peek().size) parts.push(`show=${[...filters.peek()].join(",")}`);
  return `#${parts.join("&")}`;
}
