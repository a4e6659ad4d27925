/* The plate that a driver may add to a stay. */

import { html, useState } from "../lib.js";
import { send } from "../api.js";
import { t } from "../i18n.js";
import { PlateBoxes, PlateKeys, SHORTEST } from "../plate-keys.js";

/** @param {{session: string}} props */
export function PlateEntry({ session }) {
  const [plate, setPlate] = useState("");
  const [state, setState] = useState(/** @type {"typing" | "sending" | "kept" | "wrong" | "failed"} */ ("typing"));
  const type = (/** @type {string} */ text) => {
    setState("typing");
    setPlate(text);
  };
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
  return html`
    <details class="plate">
      <summary>${t("plate.title")}</summary>
      <p class="soft small">${t("plate.why")}</p>
      <${PlateBoxes} plate=${plate} />
      ${(state === "wrong" || state === "failed") && html`<p class="pay-note" role="alert">${t(`plate.${state}`)}</p>`}
      <${PlateKeys} plate=${plate} onChange=${type} />
      <button class="button pay-way" disabled=${plate.length < SHORTEST || state === "sending"} onClick=${keepIt}>${t("plate.keep")}</button>
    </details>
  `;
}
