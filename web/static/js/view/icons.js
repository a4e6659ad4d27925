/* The line symbols of the pages, drawn here for a 24-unit square. */

import { html } from "../lib.js";

/** @type {Record<string, any>} */
const shapes = {
  search: html`<circle cx="10.5" cy="10.5" r="6.5" /><path d="m15.5 15.5 5 5" />`,
  close: html`<path d="M5 5l14 14M19 5 5 19" />`,
  back: html`<path d="M15 4 7 12l8 8" />`,
  up: html`<path d="m5 15 7-7 7 7" />`,
  here: html`<circle cx="12" cy="12" r="3.2" /><path d="M12 2.5v4M12 17.5v4M2.5 12h4M17.5 12h4" /><circle cx="12" cy="12" r="7.2" />`,
  legend: html`<circle cx="6" cy="6.5" r="2.2" /><circle cx="6" cy="17.5" r="2.2" /><path d="M12 6.5h8M12 17.5h8M12 12h8" /><circle cx="6" cy="12" r="2.2" />`,
  plus: html`<path d="M12 5v14M5 12h14" />`,
  minus: html`<path d="M5 12h14" />`,
  go: html`<path d="M12 2.8 21 12l-9 9.2L3 12z" /><path d="M9 14.5v-2.3a1.7 1.7 0 0 1 1.7-1.7H15M12.8 8.2l2.4 2.3-2.4 2.3" />`,
  share: html`<path d="M12 15V3.5M8 7l4-3.8L16 7M6 11H4.8v9.5h14.4V11H18" />`,
  filling: html`<path d="m4 16 5.5-5.5 4 4L20 8M20 8h-5M20 8v5" />`,
  emptying: html`<path d="m4 8 5.5 5.5 4-4L20 16M20 16h-5M20 16v-5" />`,
  clock: html`<circle cx="12" cy="12" r="8.5" /><path d="M12 7v5.3l3.3 2" />`,
  money: html`<path d="m6.5 4 5.5 8 5.5-8M12 12v8.5M7 13h10M7 16.8h10" />`,
  signal: html`<circle cx="12" cy="12" r="1.6" /><path d="M8.2 15.8a5.4 5.4 0 0 1 0-7.6M15.8 8.2a5.4 5.4 0 0 1 0 7.6M5.3 18.7a9.5 9.5 0 0 1 0-13.4M18.7 5.3a9.5 9.5 0 0 1 0 13.4" />`,
  accessible: html`<circle cx="11" cy="4.5" r="1.7" /><path d="M11 8v6.5h5l2.5 5M11 10.5h4.5M8.5 11.5a5 5 0 1 0 6.3 6.3" />`,
  charging: html`<path d="M13.5 2.5 5.5 13.5h5.5l-1.5 8 9-11.5h-6z" />`,
  kerb: html`<path d="M5.5 21 8.5 3M18.5 21l-3-18M12 4.5v2.5M12 10.5v3M12 17v3" />`,
  site: html`<rect x="4" y="4" width="16" height="16" rx="3" /><path d="M10 17V7.5h3a2.750 2.750 0 0 1 0 5.5h-3" />`,
  alert: html`<path d="M12 3.5 22 20.5H2z" /><path d="M12 10v5M12 17.8v.1" />`,
  check: html`<path d="m4.5 12.5 5 5 10-11" />`,
  operator: html`<path d="M4 20.5V9l8-5.5L20 9v11.5M9 20.5v-6h6v6" />`,
};

/** @param {{name: string, size?: number}} props */
export function Icon({ name, size = 22 }) {
  return html`<svg viewBox="0 0 24 24" width=${size} height=${size} aria-hidden="true">${shapes[name]}</svg>`;
}

/** The number of a lot on the shape of its grade, as on the map. @param {{grade: string, text: string}} props */
export function Badge({ grade, text }) {
  return html`<span class="badge ${grade} ${text.length > 3 ? "long" : ""}"><span>${text}</span></span>`;
}
