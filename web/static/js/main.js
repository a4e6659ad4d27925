/* The map page: the list first, then the map, then the stream; each useful without the next. */

import { keepAddress } from "./address.js";
import { city, keepLots, news, now, readCity } from "./state.js";
import { effect, h, render } from "./lib.js";
import { follow } from "./live.js";
import { elder, lang } from "./look.js";
import { t, titleFor } from "./i18n.js";
import { App } from "./view/app.js";
import { startMap } from "./view/map-host.js";

keepAddress();
render(h(App, null), /** @type {HTMLElement} */ (document.getElementById("app")));

const framed = readCity();
effect(() => {
  if (!elder.value) startMap(framed); // large type needs no map; whoever leaves it gets one
});
keepLots();
follow(news);
setInterval(() => {
  now.value = Date.now();
}, 1_000);
// the installed map opens without a connection, too; where that is not possible nothing is missing
navigator.serviceWorker?.register("/service-worker.js").catch(() => {});

effect(() => {
  lang.value;
  document.title = city.value ? titleFor(city.value) : t("page.title.plain");
});
