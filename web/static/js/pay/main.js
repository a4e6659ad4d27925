/* The page behind the code on a space: what it costs, pay it, leave in time. */

import { effect, h, render } from "../lib.js";
import { lang } from "../look.js";
import { t } from "../i18n.js";
import { begin, code } from "./state.js";
import { Page } from "./page.js";

render(h(Page, null), /** @type {HTMLElement} */ (document.getElementById("pay")));
begin();

effect(() => {
  lang.value;
  document.title = t("pay.title", { code });
});
