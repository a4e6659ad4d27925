/* What the driver sees, state by state; the state itself is the server's. */

import { html, use } from "../lib.js";
import { lang } from "../look.js";
import { clock, dayOf, say, stayed, t, timeOf, yuan } from "../i18n.js";
import { Head, StreetFoot } from "../street/frame.js";
import { Icon } from "../view/icons.js";
import { PlateEntry } from "./plate.js";
import { countdown, Ended, Refused, Waiting } from "./waiting.js";
import {
  asking,
  claim,
  code,
  goOn,
  isPaying,
  loading,
  look,
  mine,
  opened,
  pay,
  payment,
  receipt,
  refusal,
  serverNow,
  session,
  startAgain,
  trouble,
  ways,
} from "./state.js";

export function Page() {
  use(lang);
  const waits = use(loading);
  const why = use(trouble);
  const stay = use(session);
  const now = use(payment);
  const isMine = use(mine);
  return html`
    <${Head} small=${t("pay.space")} large=${code} />
    ${why === "offline" && stay && html`<p class="pay-banner" role="status">${t("pay.offline")}</p>`}
    ${waits
      ? html`<p class="pay-calm" role="status">${t("pay.loading")}</p>`
      : now && use(isPaying)
        ? html`<${Waiting} now=${now} goOn=${goOn} startAgain=${startAgain} />`
        : now && ["closed", "failed", "refunded"].includes(now.status)
          ? html`<${Ended} now=${now} startAgain=${startAgain} owes=${stay?.due_fen > 0} />`
          : !stay
            ? html`<${Nothing} why=${why} />`
            : stay.due_fen === 0 && stay.paid_fen > 0
              ? html`<${Paid} stay=${stay} now=${now} />`
              : stay.status === "ended" && !isMine
                ? html`<${WasIt} stay=${stay} />`
                : html`<${Fee} stay=${stay} />`}
    <${StreetFoot} />
  `;
}

/** @param {{stay: any}} props */
function Fee({ stay }) {
  const owes = stay.due_fen > 0;
  return html`
    <section class="pay-card" aria-live="polite">
      <p class="pay-since">${t(stay.status === "open" ? "pay.since" : "pay.from.to", { from: clock(stay.entered_at), to: stay.left_at ? clock(stay.left_at) : "" })} · ${stayed(stay.minutes)}</p>
      <p class="pay-amount">
        ${owes ? html`<strong class="number">${yuan(stay.due_fen)}</strong>` : html`<strong>${t("pay.free")}</strong>`}
      </p>
      ${stay.paid_fen > 0 && html`<p class="soft">${t("pay.already", { fee: yuan(stay.fee.total_fen), paid: yuan(stay.paid_fen) })}</p>`}
      <${Rises} stay=${stay} />
      ${stay.unsure && stay.status === "open" && html`<p class="pay-note">${t("pay.unsure")}</p>`}
      <${Lines} fee=${stay.fee} />
    </section>
    ${owes && html`<${Ways} stay=${stay} />`}
    <${PlateEntry} session=${stay.id} />
  `;
}

/** "Free until 10:32, then ¥3": with what is left until then. @param {{stay: any}} props */
function Rises({ stay }) {
  const left = (Date.parse(stay.fee.next_change_at ?? "") - use(serverNow)) / 1_000;
  if (stay.status !== "open" || !stay.fee.next_change_at || stay.fee.next_total_fen === null) return null;
  const key = stay.due_fen === 0 && stay.paid_fen === 0 ? "pay.free.until" : "pay.rises";
  const values = { time: clock(stay.fee.next_change_at), fee: yuan(stay.fee.next_total_fen) };
  return html`<p class="pay-rises">${t(key, values)}${left > 0 && left < 3_600 && html` <span class="number soft">(${countdown(left)})</span>`}</p>`;
}

/** @param {{fee: any}} props */
function Lines({ fee }) {
  if (!fee.lines.length) return null;
  return html`
    <details class="pay-lines">
      <summary>${t("stay.lines")}</summary>
      <ul>
        ${fee.lines.map(
          (/** @type {any} */ line) =>
            html`<li><span>${say(line.why)}<small>${clock(line.from)} – ${clock(line.to)}</small></span><b class="number">${yuan(line.amount_fen)}</b></li>`,
        )}
      </ul>
    </details>
  `;
}

/** The buttons that lead somewhere from here. @param {{stay: any}} props */
function Ways({ stay }) {
  const here = use(ways);
  const busy = use(asking);
  const no = use(refusal);
  if (!here.length) return html`<p class="pay-note">${t("pay.noway")}</p>`;
  return html`
    <section class="pay-ways">
      <${Refused} no=${no} />
      ${here.map(
        (way) => html`
          <button class="button strong pay-way" disabled=${busy} onClick=${() => pay(way)}>
            <i class="provider ${way.provider}" aria-hidden="true"></i>${busy ? t("pay.asking") : t(`pay.by.${way.provider}`, { fee: yuan(stay.due_fen) })}
          </button>
        `,
      )}
      <p class="soft small">${t(opened() === "desktop" ? "pay.how.scan" : "pay.how.app")}</p>
    </section>
  `;
}

/** @param {{stay: any, now: any}} props */
function Paid({ stay, now }) {
  const number = use(receipt);
  const leaves = stay.status === "open" && stay.exit_by;
  const late = leaves && Date.parse(stay.exit_by) < use(serverNow);
  return html`
    <section class="pay-card pay-done" aria-live="polite">
      <p class="pay-state"><span class="pay-tick"><${Icon} name="check" size=${28} /></span>${t("pay.paid", { fee: yuan(stay.paid_fen) })}</p>
      ${leaves && html`<p class="pay-leave"><small>${t("pay.leave")} <b>${dayOf(stay.exit_by)}</b></small><strong class="number">${timeOf(stay.exit_by)}</strong><small>${t(late ? "pay.leave.late" : "pay.leave.text")}</small></p>`}
      ${stay.status === "ended" && html`<p class="soft">${t("pay.settled")}</p>`}
      ${now?.refunded_fen > 0 && html`<p class="soft">${t("pay.back", { fee: yuan(now.refunded_fen) })}</p>`}
      <${Lines} fee=${stay.fee} />
    </section>
    <section class="pay-ways">
      ${number && html`<a class="button strong pay-way" href=${`/r/${number}`}>${t("pay.receipt")}</a>`}
    </section>
  `;
}

/** An ended stay may be somebody else's: it is asked before it is charged. @param {{stay: any}} props */
function WasIt({ stay }) {
  return html`
    <section class="pay-card">
      <p class="pay-state">${t("pay.wasit", { time: clock(stay.left_at) })}</p>
      <p class="soft">${t("pay.wasit.text", { length: stayed(stay.minutes), fee: yuan(stay.due_fen) })}</p>
    </section>
    <section class="pay-ways">
      <button class="button strong pay-way" onClick=${claim}>${t("pay.wasit.yes")}</button>
      <a class="button pay-way" href="/">${t("pay.wasit.no")}</a>
    </section>
  `;
}

const TROUBLES = new Set(["no-session", "wrong-code", "space-not-found", "too-many-requests", "offline"]);
/** Looking again would be answered alike. */
const REFUSED = new Set(["wrong-code", "space-not-found"]);

/** @param {{why: string | null}} props */
function Nothing({ why }) {
  const key = why && TROUBLES.has(why) ? why : "error";
  return html`
    <section class="pay-card" role="status">
      <p class="pay-state">${t(`pay.none.${key}`)}</p>
      <p class="soft">${t(`pay.none.${key}.text`)}</p>
    </section>
    <section class="pay-ways">
      ${REFUSED.has(key)
        ? html`<a class="button strong pay-way" href="/pay">${t("pay.type")}</a>`
        : html`<button class="button strong pay-way" onClick=${look}>${t("pay.look")}</button>`}
    </section>
  `;
}
