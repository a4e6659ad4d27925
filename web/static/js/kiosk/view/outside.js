/* The screens outside a visit: waiting for somebody, without a connection, out of service, not set up. */

import { html, use, useState } from "../../lib.js";
import { t } from "../../i18n.js";
import { Icon } from "../../view/icons.js";
import { link, me, refused, useKey } from "../device.js";
import { go } from "../visit.js";
import { words } from "../words.js";
import { PhoneCode } from "./parts.js";

export function Idle() {
  return html`
    <section class="k-info k-welcome">
      ${both("kiosk.what")}
    </section>
    <section class="k-controls k-begin">
      <button class="k-button strong k-start" onClick=${() => go("find", { by: "space", typed: "" })}>
        ${both("kiosk.start")} ${both("kiosk.touch")}
      </button>
      <button class="k-button k-second" onClick=${() => go("plate", { typed: "" })}>${both("kiosk.owe")}</button>
    </section>
  `;
}

/** Nobody has chosen a language yet. @param {string} key */
const both = (key) => html`<span class="k-both"><b lang="zh-CN">${words[key][0]}</b><span lang="en">${words[key][1]}</span></span>`;

export function Down() {
  const machine = use(me);
  return html`
    <section class="k-info" role="status">
      <p class="k-title"><${Icon} name="alert" size=${48} />${t("kiosk.down.title")}</p>
      <p>${t("kiosk.down.text")}</p>
    </section>
    <section class="k-controls k-split">
      <div class="k-works">
        <h2>${t("kiosk.down.works")}</h2>
        <ul>
          <li><${Icon} name="check" size=${32} />${t("kiosk.down.phone")}</li>
          <li><${Icon} name="check" size=${32} />${t("kiosk.down.here")}</li>
          ${machine?.help_phone && html`<li><${Icon} name="check" size=${32} /><span>${t("kiosk.down.call")} <b class="number">${machine.help_phone}</b></span></li>`}
        </ul>
      </div>
      <${PhoneCode} />
    </section>
  `;
}

export function Closed() {
  return html`
    <section class="k-info" role="status">
      <p class="k-title"><${Icon} name="alert" size=${48} />${t("kiosk.closed.title")}</p>
      <p>${t("kiosk.closed.text")}</p>
    </section>
    <section class="k-controls"><${PhoneCode} /></section>
  `;
}

export function Setup() {
  const [typed, setTyped] = useState("");
  const wrong = use(refused);
  const down = use(link) === "down";
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (typed.trim()) useKey(typed);
  };
  return html`
    <section class="k-info">
      <p class="k-title">${t("kiosk.setup.title")}</p>
      <p>${t("kiosk.setup.text")}</p>
    </section>
    <form class="k-controls k-setup" onSubmit=${submit}>
      ${(wrong || down) && html`<p class="k-note" role="alert">${t(down ? "kiosk.setup.offline" : "kiosk.setup.wrong")}</p>`}
      <label>
        <span>${t("kiosk.setup.key")}</span>
        <input type="password" autocomplete="off" spellcheck="false" value=${typed} onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} />
      </label>
      <button class="k-button strong k-onward" disabled=${!typed.trim()}>${t("kiosk.setup.use")}</button>
    </form>
  `;
}
