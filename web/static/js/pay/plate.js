/* A Chinese plate, typed: province first, then letters and digits without I and O, an eighth place for new energy. */

import { html, useState } from "../lib.js";
import { send } from "../api.js";
import { t } from "../i18n.js";

const PROVINCES = [..."浙沪苏皖赣闽京津冀晋蒙辽吉黑鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"]; // 中: the plates' own characters
const KEYS = [..."1234567890", ..."QWERTYUPASDFGHJKLZXCVBNM"];
const ENDINGS = [..."学警港澳领挂"]; // 中: of special plates
const LONGEST = 8;
const SHORTEST = 7;

/** @param {{session: string}} props */
export function PlateEntry({ session }) {
  const [plate, setPlate] = useState("");
  const [state, setState] = useState(/** @type {"typing" | "sending" | "kept" | "wrong" | "failed"} */ ("typing"));
  const type = (/** @type {string} */ key) => {
    setState("typing");
    setPlate((/** @type {string} */ text) => (text.length < LONGEST ? text + key : text));
  };
  const remove = () => setPlate((/** @type {string} */ text) => text.slice(0, -1));
  const keepIt = async () => {
    setState("sending");
    try {
      await send(`/sessions/${session}/plate`, { plate });
      setState("kept");
    } catch (problem) {
      setState(/** @type {any} */ (problem).status === 422 ? "wrong" : "failed");
    }
  };
  if (state === "kept") return html`<p class="pay-note" role="status">${t("plate.kept")}</p>`;
  const keys = plate.length === 0 ? PROVINCES : plate.length === SHORTEST - 1 ? [...KEYS, ...ENDINGS] : KEYS;
  return html`
    <details class="plate">
      <summary>${t("plate.title")}</summary>
      <p class="soft small">${t("plate.why")}</p>
      <div class="plate-boxes" role="img" aria-label=${t("plate.typed", { plate: plate || "–" })}>
        ${Array.from({ length: LONGEST }, (_, n) => html`<span class=${[n === plate.length ? "next" : "", n === LONGEST - 1 ? "green" : ""].join(" ")}>${plate[n] ?? (n === LONGEST - 1 ? "+" : "")}</span>`)}
      </div>
      ${(state === "wrong" || state === "failed") && html`<p class="pay-note" role="alert">${t(`plate.${state}`)}</p>`}
      <div class="plate-keys" role="group" aria-label=${t("plate.keys")}>
        ${keys.map((key) => html`<button disabled=${plate.length >= LONGEST || (plate.length === 1 && /\d/.test(key))} onClick=${() => type(key)}>${key}</button>`)}
        <button class="wide" disabled=${plate.length === 0} onClick=${remove}>${t("plate.delete")}</button>
      </div>
      <button class="button pay-way" disabled=${plate.length < SHORTEST || state === "sending"} onClick=${keepIt}>${t("plate.keep")}</button>
    </details>
  `;
}
