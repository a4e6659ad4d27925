/* The kiosk: one page that is never left. */

import "./words.js";
import { effect, h, render } from "../lib.js";
import { lang } from "../look.js";
import { t } from "../i18n.js";
import { key, link, me, startDevice } from "./device.js";
import { find, learnCodes, refresh } from "./finding.js";
import { lockDown } from "./lock.js";
import { startPresence } from "./presence.js";
import { startPrinter } from "./printer.js";
import { startQueue } from "./queue.js";
import { startScanner } from "./scanner.js";
import { keepUpToDate } from "./upkeep.js";
import { look, step } from "./visit.js";
import { learnPlace } from "./place.js";
import { App } from "./view/app.js";

const root = document.documentElement;
lang.value = "zh"; // whatever the last start chose: a kiosk begins alike for everybody
render(h(App, null), /** @type {HTMLElement} */ (document.getElementById("kiosk")));
lockDown();
startPrinter();
startDevice();
startQueue();
startPresence();
startScanner((code) => key.peek() && ["idle", "find", "nothing"].includes(step.peek()) && find({ code }));
keepUpToDate();

effect(() => {
  if (me.value && link.value === "up") {
    learnCodes();
    learnPlace();
  }
});
effect(() => {
  const { large, contrast, low } = look.value;
  root.classList.toggle("large", large);
  root.classList.toggle("low", low);
  if (contrast) root.dataset.contrast = "high";
  else delete root.dataset.contrast;
});
effect(() => {
  lang.value;
  document.title = t("kiosk.title");
  if (step.peek() === "fee") refresh(); // the lines are worded by the server
});
