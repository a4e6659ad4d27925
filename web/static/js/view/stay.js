/* "How long will you stay?" and what that costs, line by line, by the same engine that will bill it. */

import { html, use, useEffect, useState } from "../lib.js";
import { read } from "../api.js";
import { lang } from "../look.js";
import { serverNow } from "../state.js";
import { clock, say, t, yuan } from "../i18n.js";

const STAYS = [30, 60, 120, 240, 480];

/** @param {{lot: import("../types").Lot}} props */
export function Stay({ lot }) {
  const [minutes, setMinutes] = useState(120);
  const [fee, setFee] = useState(/** @type {import("../types").Fee | "failed" | null} */ (null));
  const language = use(lang);
  const [enter] = useState(() => Math.floor(serverNow() / 60_000) * 60_000);
  const leave = enter + minutes * 60_000;
  useEffect(() => {
    const gone = new AbortController();
    const times = new URLSearchParams({ enter: new Date(enter).toISOString(), leave: new Date(leave).toISOString() });
    read(`/lots/${encodeURIComponent(lot.id)}/quote?${times}`, { signal: gone.signal })
      .then(setFee)
      .catch(() => gone.signal.aborted || setFee("failed"));
    return () => gone.abort();
  }, [lot.id, minutes, language]);
  return html`
    <section class="stay">
      <h3 id="stay-title">${t("stay.title")}</h3>
      <div class="segments wide" role="group" aria-labelledby="stay-title">
        ${STAYS.map(
          (n) => html`<button aria-pressed=${n === minutes} onClick=${() => setMinutes(n)}>${n < 60 ? t("span.minutes", { n }) : t("span.hours", { n: n / 60 })}</button>`,
        )}
      </div>
      <div class="stay-fee" aria-live="polite">
        ${fee === "failed" ? html`<p class="soft">${t("stay.failed")}</p>` : fee && html`<${Answer} fee=${fee} leave=${leave} />`}
      </div>
    </section>
  `;
}

/** @param {{fee: import("../types").Fee, leave: number}} props */
function Answer({ fee, leave }) {
  return html`
    <p class="stay-total">
      <strong class="number">${fee.total_fen ? yuan(fee.total_fen) : t("stay.free")}</strong>
      <span class="soft">${t("stay.from", { time: clock(leave) })}</span>
    </p>
    ${fee.next_change_at &&
    fee.next_total_fen !== null &&
    html`<p class="soft small">${t("stay.rises", { time: clock(fee.next_change_at), fee: yuan(fee.next_total_fen) })}</p>`}
    ${fee.lines.length > 0 &&
    html`
      <details>
        <summary>${t("stay.lines")}</summary>
        <ul class="fee-lines">
          ${fee.lines.map(
            (line) => html`<li><span>${say(line.why)}<small>${clock(line.from)} – ${clock(line.to)}</small></span><b class="number">${yuan(line.amount_fen)}</b></li>`,
          )}
        </ul>
      </details>
    `}
  `;
}
