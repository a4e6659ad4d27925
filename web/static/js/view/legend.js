/* What the colours, shapes and marks mean; and how the page looks. */

import { html, use, useEffect, useRef } from "../lib.js";
import { chooseTheme, themeChoice } from "../look.js";
import { city } from "../state.js";
import { t } from "../i18n.js";
import { install, installable } from "../install.js";
import { Badge, Icon } from "./icons.js";

const GRADES = [["free", "24"], ["few", "3"], ["full", "0"], ["unknown", "?"], ["shut", "–"]];
const SPACES = ["f", "o", "u", "c"];
const THEMES = /** @type {const} */ (["auto", "light", "dark"]);

/** @param {{close: () => void}} props */
export function Legend({ close }) {
  const look = use(themeChoice);
  const credit = use(city)?.attribution;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    box.current?.focus();
    return () => document.getElementById("legend-button")?.focus();
  }, []);
  return html`
    <section
      class="legend"
      ref=${box}
      tabindex="-1"
      aria-label=${t("legend.title")}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Escape" && close()}
    >
      <header>
        <h2>${t("legend.title")}</h2>
        <button class="icon-button" onClick=${close}><${Icon} name="close" /><span class="unseen">${t("legend.close")}</span></button>
      </header>
      <p>${t("legend.lots")}</p>
      <ul class="legend-lots">
        ${GRADES.map(([grade, text]) => html`<li><${Badge} grade=${grade} text=${text} /><span>${t(`grade.${grade}`)}</span></li>`)}
        <li><${Badge} grade="free sum" text="210" /><span>${t("legend.sum")}</span></li>
        <li><${Badge} grade="free" text="~80" /><span>${t("legend.estimated")}</span></li>
      </ul>
      <p>${t("legend.spaces")}</p>
      <ul class="legend-spaces">
        ${SPACES.map((letter) => html`<li><span class="space ${letter}" aria-hidden="true"></span><span>${t(`space.${letter}`)}</span></li>`)}
        <li><span class="space mark"><${Icon} name="accessible" size=${16} /></span><span>${t("category.accessible")}</span></li>
        <li><span class="space mark"><${Icon} name="charging" size=${16} /></span><span>${t("category.ev_charging")}</span></li>
      </ul>
      <div class="legend-look">
        <span id="theme-label">${t("theme.label")}</span>
        <div class="segments wide" role="group" aria-labelledby="theme-label">
          ${THEMES.map((id) => html`<button aria-pressed=${look === id} onClick=${() => chooseTheme(id)}>${t(`theme.${id}`)}</button>`)}
        </div>
      </div>
      ${use(installable) && html`<button class="button" onClick=${install}>${t("app.install")}</button>`}
      ${credit && html`<p class="credit">${credit}</p>`}
    </section>
  `;
}
