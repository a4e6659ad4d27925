/* Hand-over to the navigator on the driver's phone, to the entrance, in the coordinates each of them expects. */

import { html, useEffect, useState } from "../lib.js";
import { read } from "../api.js";
import { toGcj02 } from "../gcj02.js";
import { nameOf, t } from "../i18n.js";
import { Icon } from "./icons.js";

/** @typedef {import("../types").Point} Point */

/** @param {{lot: import("../types").Lot, entrances?: (Point | {coordinates: Point})[], plain?: boolean}} props */
export function Go({ lot, entrances, plain = false }) {
  const [open, setOpen] = useState(false);
  const [done, setDone] = useState(false);
  const [found, setFound] = useState(/** @type {Point[] | undefined} */ (undefined));
  useEffect(() => {
    if (!open || entrances || found) return;
    read(`/lots/${encodeURIComponent(lot.id)}`).then((feature) => setFound(feature.properties.entrances), () => {});
  }, [open]);
  const first = (entrances ?? found)?.[0];
  const at = (Array.isArray(first) ? first : first?.coordinates) ?? lot.centre;
  const share = async () => {
    const link = { title: nameOf(lot), url: location.href };
    if (navigator.share) return navigator.share(link).catch(() => {});
    if (!(await copied(link.url))) return prompt(t("lot.share"), link.url);
    setDone(true);
    setTimeout(() => setDone(false), 4_000);
  };
  return html`
    <div class="go">
      <button class="button strong" aria-expanded=${open} onClick=${() => setOpen(!open)}><${Icon} name="go" />${t("lot.go")}</button>
      ${!plain && html`<button class="button" onClick=${share}><${Icon} name=${done ? "check" : "share"} /><span aria-live="polite">${t(done ? "lot.copied" : "lot.share")}</span></button>`}
    </div>
    ${open &&
    html`
      <div class="go-with">
        <p class="soft" id=${`go-with-${lot.number}`}>${t("lot.go.with")}</p>
        <ul aria-labelledby=${`go-with-${lot.number}`}>
          ${navigators(at, nameOf(lot)).map(
            ([id, url]) => html`<li><a class="button" href=${url} target="_blank" rel="noopener noreferrer">${t(`lot.go.${id}`)}</a></li>`,
          )}
        </ul>
      </div>
    `}
  `;
}

/** Put a text where it can be pasted from; a page without TLS has no clipboard, so the old way is tried, too. @param {string} text */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const box = Object.assign(document.createElement("textarea"), { value: text, className: "unseen" });
    document.body.append(box);
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    return done;
  }
}

/**
 * AMap and Baidu convert WGS-84 themselves when told so, `geo:` is WGS-84 by definition; the map of China that Apple
 * shows is shifted, and its links are taken as shifted too.
 * @param {Point} at
 * @param {string} name
 * @returns {[string, string][]}
 */
function navigators(at, name) {
  const [lon, lat] = at;
  const place = encodeURIComponent(name);
  const shifted = toGcj02(at).map((degrees) => degrees.toFixed(6));
  return [
    ["amap", `https://uri.amap.com/navigation?to=${lon},${lat},${place}&mode=car&coordinate=wgs84&callnative=1`],
    ["baidu", `https://api.map.baidu.com/direction?destination=latlng:${lat},${lon}|name:${place}&mode=driving&coord_type=wgs84&output=html&src=parking`],
    ["apple", `https://maps.apple.com/?daddr=${shifted[1]},${shifted[0]}&dirflg=d`],
    ["other", `geo:${lat},${lon}?q=${lat},${lon}(${place})`],
  ];
}
