/* To the page of a space, for whoever has no code to scan. */

import "./words.js";
import { effect, h, html, render, use, useState } from "../lib.js";
import { lang } from "../look.js";
import { t } from "../i18n.js";
import { Head, StreetFoot } from "./frame.js";

function Find() {
  use(lang);
  const [space, setSpace] = useState("");
  const go = (/** @type {Event} */ event) => {
    event.preventDefault();
    const code = space.trim().toUpperCase();
    if (code) location.assign(`/s/${encodeURIComponent(code)}`);
  };
  return html`
    <${Head} small=${t("pay.map")} large=${t("find.title")} />
    <form class="pay-card street-form" onSubmit=${go}>
      <label for="space">${t("find.label")}</label>
      <input id="space" class="street-input" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="32" placeholder="KL-017" value=${space} onInput=${(/** @type {any} */ event) => setSpace(event.target.value)} />
      <p class="soft small">${t("find.text")}</p>
      <button class="button strong pay-way" disabled=${!space.trim()}>${t("find.go")}</button>
    </form>
    <${StreetFoot} />
  `;
}

render(h(Find, null), /** @type {HTMLElement} */ (document.getElementById("pay")));
effect(() => {
  lang.value;
  document.title = t("find.title");
});
