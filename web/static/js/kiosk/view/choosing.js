/* Several fit, or none: nobody's stay is shown to somebody who does not know it. */

import { html, use } from "../../lib.js";
import { clock, t } from "../../i18n.js";
import { PlateBoxes } from "../../plate-keys.js";
import { Icon } from "../../view/icons.js";
import { me } from "../device.js";
import { choose, confirm, isWhole, spaceOf } from "../finding.js";
import { change, go, refusal, visit } from "../visit.js";
import { PlatePad } from "./find.js";
import { Onward, PhoneCode, Refused, SpaceKeys, Typed } from "./parts.js";

export function Choose() {
  const { matches = [], more } = use(visit);
  return html`
    <section class="k-info">
      <p class="k-title">${t("kiosk.choose.title")}</p>
      <p>${t(more ? "kiosk.choose.more" : "kiosk.choose.text")}</p>
    </section>
    <section class="k-controls">
      <${Refused} />
      <div class="k-matches">
        ${matches.map(
          (match) => html`
            <button class="k-button k-match" onClick=${() => choose(match)}>
              ${match.plate && html`<b class="number">${match.plate}</b>`}
              ${match.session && html`<span>${t("kiosk.choose.space", { code: match.session.space_code })} · ${t("pay.since", { from: clock(match.session.entered_at) })}</span>`}
            </button>
          `,
        )}
      </div>
      <button class="k-button" onClick=${() => go("nothing")}>${t("kiosk.choose.none")}</button>
    </section>
  `;
}

export function Confirm() {
  const { chosen, typed = "", by, letters } = use(visit);
  const no = use(refusal);
  const digits = Boolean(me.peek()?.lot_id) && !letters;
  const bySpace = by === "space";
  const turn = (/** @type {"space" | "plate"} */ way) => () => change({ by: way, typed: "", letters: false });
  const fact = () => (bySpace ? { space: digits ? spaceOf(typed) : typed } : { plate: typed });
  return html`
    <section class="k-info">
      <p class="k-title">${t("kiosk.confirm.title")}</p>
      ${no ? html`<${Refused} />` : html`<p>${t("kiosk.confirm.text", { plate: chosen.plate })}</p>`}
      ${bySpace ? html`<${Typed} text=${typed} before=${digits ? `${me.peek()?.lot_id}-` : ""} />` : html`<${PlateBoxes} plate=${typed} />`}
    </section>
    <section class="k-controls">
      <div class="k-tabs two" role="group" aria-label=${t("kiosk.confirm.title")}>
        <button class="k-button" aria-pressed=${bySpace} onClick=${turn("space")}>${t("kiosk.find.space")}</button>
        <button class="k-button" aria-pressed=${!bySpace} onClick=${turn("plate")}>${t("kiosk.find.plate")}</button>
      </div>
      <div class="k-pad ${bySpace && digits ? "narrow" : ""}">
        ${bySpace
          ? html`<${SpaceKeys} text=${typed} letters=${!digits} onChange=${(/** @type {string} */ text) => change({ typed: text })} />`
          : html`<${PlatePad} partial=${false} />`}
        <div class="k-beside">
          <${Onward} disabled=${bySpace ? !typed : !isWhole(typed)} onClick=${() => confirm(fact())}>${t("kiosk.confirm.go")}<//>
        </div>
      </div>
    </section>
  `;
}

/** Never a dead end. */
export function Nothing() {
  const ways = /** @type {const} */ (["space", "plate", "code"]);
  return html`
    <section class="k-info" role="status">
      <p class="k-title"><${Icon} name="search" size=${48} />${t("kiosk.nothing.title")}</p>
      <p>${t("kiosk.nothing.text")}</p>
    </section>
    <section class="k-controls k-split">
      <div class="k-list">
        ${ways.map((way) => html`<button class="k-button" onClick=${() => go("find", { by: way, typed: "", letters: false })}>${t(`kiosk.find.${way}`)}</button>`)}
      </div>
      <div class="k-aside"><${PhoneCode} /><p>${t("kiosk.down.here")}</p></div>
    </section>
  `;
}
