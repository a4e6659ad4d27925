/* How full a lot usually is on such a day, hour by hour: an estimate, and shown only where there is enough of a past. */

import { html, use, useEffect, useState } from "../lib.js";
import { read } from "../api.js";
import { lang } from "../look.js";
import { count, t } from "../i18n.js";
import { serverNow } from "../state.js";
import { WEEKS, hourAt, typicalDay } from "../typical.js";

const DAY_MS = 86_400_000;
const TOLD_HOURS = [0, 6, 12, 18];

/** @param {{lot: import("../types").Lot}} props */
export function Typical({ lot }) {
  use(lang);
  const [past, setPast] = useState(/** @type {{zone: string, buckets: any[]} | null} */ (null));
  useEffect(() => {
    if (lot.source !== "sensors") return;
    const gone = new AbortController();
    const hour = Math.floor(serverNow() / 3_600_000) * 3_600_000;
    const wish = new URLSearchParams({ from: new Date(hour - WEEKS * 7 * DAY_MS).toISOString(), to: new Date(hour).toISOString() });
    read(`/lots/${encodeURIComponent(lot.id)}/history?${wish}`, { signal: gone.signal })
      .then(setPast)
      .catch(() => {}); // without a past there is no guess
    return () => gone.abort();
  }, [lot.id]);
  const hours = past && typicalDay(past.buckets, serverNow(), past.zone);
  if (!past || !hours) return null;
  const at = hourAt(serverNow(), past.zone);
  const later = hours.map((_, n) => hours[(at + 1 + n) % 24]).find(({ free }) => free !== null);
  return html`
    <section class="typical">
      <h3>${t("typical.title")} <span class="tag">${t("lot.estimated")}</span></h3>
      ${later && html`<p>${t("typical.next", { hour: `${later.hour}:00`, n: count(Math.round((later.free ?? 0) * lot.capacity)) })}</p>`}
      <div class="typical-bars" aria-hidden="true">
        ${hours.map(
          ({ hour, free }) => html`<i class="${hour === at ? "now" : ""} ${free === null ? "none" : ""}" style=${{ height: `${Math.round(6 + 94 * (free ?? 0))}%` }}></i>`,
        )}
      </div>
      <div class="typical-hours" aria-hidden="true">${TOLD_HOURS.map((hour) => html`<span>${hour}:00</span>`)}</div>
      <p class="unseen">${hours.filter(({ free }) => free !== null).map(({ hour, free }) => `${hour}:00 ${Math.round((free ?? 0) * lot.capacity)}`).join(t("list.comma"))}</p>
      <p class="soft small">${t("typical.how", { n: WEEKS })}</p>
    </section>
  `;
}
