/* The search field: the list and the map follow it as it is typed. */

import { html, use, useRef } from "../lib.js";
import { chosen, query, street } from "../state.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";
import { atLeastHalf } from "./panel.js";

export function Search() {
  const text = use(query);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const typed = (/** @type {Event} */ event) => {
    query.value = /** @type {HTMLInputElement} */ (event.target).value;
    street.value = null;
    chosen.value = null;
    atLeastHalf();
  };
  const clear = () => {
    query.value = "";
    street.value = null;
    field.current?.focus();
  };
  return html`
    <form class="search" role="search" onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      field.current?.blur(); // the phone's keyboard goes, the results stay
    }}>
      <label class="search-icon" for="search"><${Icon} name="search" /><span class="unseen">${t("search.label")}</span></label>
      <input
        id="search"
        ref=${field}
        type="search"
        enterkeyhint="search"
        autocomplete="off"
        autocapitalize="off"
        spellcheck=${false}
        maxlength="40"
        placeholder=${t("search.hint")}
        value=${text}
        onInput=${typed}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Escape" && clear()}
      />
      ${text && html`<button type="button" class="search-clear" onClick=${clear}><${Icon} name="close" size=${18} /><span class="unseen">${t("search.clear")}</span></button>`}
    </form>
  `;
}
