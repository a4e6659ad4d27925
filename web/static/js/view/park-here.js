/* In a demo: park on the space that was tapped, pay for it by its code, drive away. */

import { html, use } from "../lib.js";
import { clock, has, t } from "../i18n.js";
import { leave, letterOf, mine, order, park, speed, tapped, turns, visitTo } from "../visits.js";
import { Icon } from "./icons.js";

/** @param {{lot: import("../types").Lot}} props */
export function ParkHere({ lot }) {
  const pointed = use(tapped);
  const visits = use(mine);
  const asked = use(order);
  use(turns);
  const code = pointed?.lot === lot.id ? pointed.code : Object.keys(visits).find((one) => visits[one].lot === lot.id && visitTo(one));
  if (!code) return null;
  const now = asked?.code === code ? asked : null;
  return html`
    <section class="park-here" aria-live="polite">
      <${Space} code=${code} lot=${lot.id} visit=${visitTo(code)} now=${now} />
      ${now?.state === "refused" && html`<p class="park-no"><${Icon} name="alert" size=${18} />${whyNot(now)}</p>`}
    </section>
  `;
}

/** @param {{code: string, lot: string, visit: import("../visits.js").Visit | null, now: import("../visits.js").Order | null}} props */
function Space({ code, lot, visit, now }) {
  const letter = letterOf(code);
  const busy = now?.state === "asking";
  if (visit) return html`<${Mine} code=${code} visit=${visit} busy=${busy} turned=${letter === "o"} />`;
  if (now?.state === "left") {
    return html`<p class="park-what"><${Icon} name="check" /><strong>${t("park.left", { code })}</strong></p>
      <p class="soft small">${t(letter === "o" ? "park.turning" : "park.turned.free")}</p>`;
  }
  const isFree = letter === "f";
  return html`
    <p class="park-what"><span>${t("park.space", { code })}</span> <strong class=${isFree ? "free-text" : ""}>${t(`space.${letter}`)}</strong></p>
    ${isFree
      ? html`<button class="button strong" disabled=${busy} onClick=${() => park(code, lot)}>${t(busy ? "park.asking" : "park.here")}</button>
          <p class="soft small">${t("park.how")}<${Speed} /></p>`
      : html`<p class="soft small">${t("park.another")}</p>`}
  `;
}

/** @param {{code: string, visit: import("../visits.js").Visit, busy: boolean, turned: boolean}} props */
function Mine({ code, visit, busy, turned }) {
  return html`
    <p class="park-what"><${Icon} name="check" /><strong>${t("park.mine", { code })}</strong> <span class="soft">${t("pay.since", { from: clock(visit.at) })}</span></p>
    ${turned
      ? html`<div class="park-do">
          <a class="button strong" href=${visit.pay}>${t("park.pay")}</a>
          <button class="button" disabled=${busy} onClick=${() => leave(code)}>${t("park.leave")}</button>
        </div>
        <p class="soft small">${t("park.pay.how")}<${Speed} /></p>`
      : html`<p class="soft small">${t("park.turning")}</p>`}
  `;
}

function Speed() {
  const times = use(speed);
  return times === 1 ? null : html` ${t("park.speed", { n: times })}`;
}

/** @param {import("../visits.js").Order} refused */
function whyNot({ slug = "", seconds = 1 }) {
  return t(has(`park.no.${slug}`) ? `park.no.${slug}` : "park.no.error", { n: seconds });
}
