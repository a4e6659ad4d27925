/* The frame of every screen: what it is about above, what to touch below, help and language always. */

import { html, use } from "../../lib.js";
import { lang } from "../../look.js";
import { t } from "../../i18n.js";
import { Icon } from "../../view/icons.js";
import { key, link, me, refused, serverNow } from "../device.js";
import { place } from "../place.js";
import { asks } from "../presence.js";
import { note } from "../queue.js";
import { busy, forget, help, look, refusal, step, visit } from "../visit.js";
import { Choose, Confirm, Nothing } from "./choosing.js";
import { Debts, DebtsPlate } from "./debts.js";
import { Done } from "./done.js";
import { Fee } from "./fee.js";
import { Find } from "./find.js";
import { Closed, Down, Idle, Setup } from "./outside.js";
import { Help, StillThere } from "./over.js";
import { Pay } from "./pay.js";
import { backFrom } from "./way-back.js";

/** @type {Record<import("../visit.js").Step, any>} */
const SCREENS = {
  idle: Idle, find: Find, choose: Choose, confirm: Confirm, nothing: Nothing, fee: Fee, pay: Pay, done: Done,
  plate: DebtsPlate, debts: Debts,
};
/** Steps that mean something without a connection: a code on the screen can still be paid, what is paid stays paid. */
const OFFLINE_STEPS = new Set(["pay", "done"]);

export function App() {
  use(lang); // everything below is drawn again in the other language
  const at = use(step);
  const machine = use(key);
  const unknown = use(refused);
  const line = use(link);
  const known = use(me);
  const overlay = use(asks) ? StillThere : use(help) ? Help : null;
  const waits = use(busy);
  const Screen = !machine || !known // who was never known is being set up
    ? Setup
    : unknown
      ? Closed
      : line === "down" && !OFFLINE_STEPS.has(at)
        ? Down
        : SCREENS[at];
  return html`
    <div class="k-screen" data-step=${Screen === SCREENS[at] ? at : Screen.name.toLowerCase()} inert=${Boolean(overlay)}>
      <${Head} />
      <main class="k-main" aria-busy=${waits}>
        <${Screen} key=${Screen.name + at} />
      </main>
      <${Foot} at=${Screen === SCREENS[at] ? at : "idle"} />
    </div>
    ${overlay && html`<${overlay} />`}
  `;
}

function Head() {
  const now = new Date(use(serverNow));
  const time = now.toLocaleTimeString("en-GB", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit" });
  return html`
    <header class="k-head">
      <h1><${Icon} name="site" size=${40} />${use(place) || t("kiosk.title")}</h1>
      <time class="number">${time}</time>
    </header>
  `;
}

/** @param {{at: import("../visit.js").Step}} props */
function Foot({ at }) {
  const seen = use(look);
  const machine = use(me);
  const now = use(visit);
  const flip = (/** @type {"large" | "contrast" | "low"} */ what) => () => (look.value = { ...seen, [what]: !seen[what] });
  const back = backFrom(at, now);
  return html`
    <footer class="k-foot">
      ${at !== "idle" &&
      html`
        <div class="k-way">
          ${back && html`<button class="k-button" onClick=${back}><${Icon} name="back" size=${28} />${t("kiosk.back")}</button>`}
          <button class="k-button" onClick=${forget}><${Icon} name="close" size=${26} />${t("kiosk.end")}</button>
        </div>
      `}
      <div class="k-looks">
        <button class="k-button" lang=${lang.peek() === "zh" ? "en" : "zh-CN"} onClick=${otherLanguage}>${t("lang.switch")}</button>
        <button class="k-button" aria-pressed=${seen.large} onClick=${flip("large")}>${t("kiosk.large")}</button>
        <button class="k-button" aria-pressed=${seen.contrast} onClick=${flip("contrast")}>${t("kiosk.contrast")}</button>
        <button class="k-button" aria-pressed=${seen.low} onClick=${flip("low")}>${t("kiosk.low")}</button>
      </div>
      <button class="k-button k-help" onClick=${askForHelp}>
        <b>${t("kiosk.help")}</b>
        <span class="number">${machine?.help_phone || ""} ${machine?.number !== undefined ? t("kiosk.machine", { number: machine.number }) : ""}</span>
      </button>
    </footer>
  `;
}

/** Only for this driver, and the step stays. */
const otherLanguage = () => (lang.value = lang.peek() === "zh" ? "en" : "zh");

function askForHelp() {
  help.value = true;
  note("help", { step: step.peek(), code: refusal.peek()?.slug ?? null });
}
