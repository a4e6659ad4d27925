/* Where is the car: the number of the space, the plate, or a code to be scanned. */

import { html, use } from "../../lib.js";
import { t } from "../../i18n.js";
import { hasProvince, PlateBoxes, PlateKeys } from "../../plate-keys.js";
import { Icon } from "../../view/icons.js";
import { me } from "../device.js";
import { enough, find, spaceOf } from "../finding.js";
import { change, go, refusal, visit } from "../visit.js";
import { Onward, Refused, SpaceKeys, Typed } from "./parts.js";

const WAYS = /** @type {const} */ (["space", "plate", "code"]);

export function Find() {
  const { by = "space" } = use(visit);
  const no = use(refusal);
  return html`
    <section class="k-info">
      <p class="k-title">${t("kiosk.find.title")}</p>
      ${by === "space" && html`<${SpaceTyped} />`}
      ${by === "plate" && html`<${PlateTyped} />`}
      ${by === "code" && html`<p class="k-typed"><${Icon} name="signal" size=${72} /></p>`}
      ${no ? html`<${Refused} />` : html`<p>${t(`kiosk.find.${by}.text`)}</p>`}
    </section>
    <section class="k-controls">
      <div class="k-tabs" role="group" aria-label=${t("kiosk.find.title")}>
        ${WAYS.map((way) => html`<button class="k-button" aria-pressed=${by === way} onClick=${() => go("find", { by: way, typed: "", letters: false })}>${t(`kiosk.find.${way}`)}</button>`)}
      </div>
      ${by === "space" && html`<${BySpace} />`}
      ${by === "plate" && html`<${ByPlate} />`}
      ${by === "code" && html`<p class="k-note calm">${t("kiosk.find.code.how")}</p>`}
    </section>
  `;
}

/** Digits are enough at a machine that belongs to a car park. */
const onlyDigits = () => Boolean(me.peek()?.lot_id) && !visit.peek().letters;

function SpaceTyped() {
  const { typed = "" } = use(visit);
  return html`<${Typed} text=${typed} before=${onlyDigits() ? `${me.peek()?.lot_id}-` : ""} />`;
}

function BySpace() {
  const { typed = "", letters } = use(visit);
  const canSwitch = Boolean(me.peek()?.lot_id);
  return html`
    <div class="k-pad ${onlyDigits() ? "narrow" : ""}">
      <${SpaceKeys} text=${typed} letters=${!onlyDigits()} onChange=${(/** @type {string} */ text) => change({ typed: text })} />
      <div class="k-beside">
        ${canSwitch && html`<button class="k-button" onClick=${() => change({ letters: !letters, typed: "" })}>${t(letters ? "kiosk.find.digits" : "kiosk.find.other")}</button>`}
        <${Onward} disabled=${!typed} onClick=${() => find({ space: onlyDigits() ? spaceOf(typed) : typed })}>${t("kiosk.find.go")}<//>
      </div>
    </div>
  `;
}

function PlateTyped() {
  const { typed = "", letters } = use(visit);
  return hasProvince(typed) || !(typed || letters) ? html`<${PlateBoxes} plate=${typed} />` : html`<${Typed} text=${typed} before="…" />`;
}

function ByPlate() {
  const { typed = "" } = use(visit);
  return html`
    <div class="k-pad">
      <${PlatePad} />
      <div class="k-beside">
        <${Onward} disabled=${!enough(typed)} onClick=${() => find({ plate: typed })}>${t("kiosk.find.go")}<//>
      </div>
    </div>
  `;
}

/** The plate's keys, typing into the visit. @param {{partial?: boolean}} props */
export function PlatePad({ partial = true }) {
  const { typed = "", letters = false } = use(visit);
  const type = (/** @type {string} */ text) => change({ typed: text, letters: letters && (text !== "" || typed !== "") });
  return html`<${PlateKeys} plate=${typed} partial=${partial} letters=${letters} onLetters=${() => change({ letters: true })} onChange=${type} />`;
}
