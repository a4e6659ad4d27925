/* The panel: beside the map on wide screens, a sheet of three heights below it on phones. */

import { html, signal, use, useEffect, useRef } from "../lib.js";
import { t } from "../i18n.js";

/** @typedef {"peek" | "half" | "full"} Snap */

export const snap = signal(/** @type {Snap} */ ("half"));
export const wide = matchMedia("(min-width: 900px), (min-width: 600px) and (max-height: 480px)"); // as in layouts.css

/** @type {Snap[]} */
const STEPS = ["peek", "half", "full"];

/** What is in the panel matters now: do not leave it folded away. */
export function atLeastHalf() {
  if (snap.peek() === "peek") snap.value = "half";
}

/** @param {{children: any, open?: string}} props */
export function Panel({ children, open }) {
  const at = use(snap);
  const panel = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (open) atLeastHalf();
  }, [open]);
  const expanded = at === "full";
  return html`
    <section class="panel" ref=${panel} data-snap=${at} aria-label=${t("panel.label")}>
      <button
        class="grip"
        aria-expanded=${expanded}
        onPointerDown=${(/** @type {PointerEvent} */ event) => panel.current && drag(event, panel.current)}
        onKeyDown=${byKeys}
        onClick=${(/** @type {MouseEvent} */ event) => event.detail === 0 && (snap.value = expanded ? "half" : "full")}
      >
        <span class="unseen">${t(expanded ? "panel.shrink" : "panel.expand")}</span>
      </button>
      ${children}
    </section>
  `;
}

/** @param {KeyboardEvent} event */
function byKeys(event) {
  const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  snap.value = STEPS[Math.min(2, Math.max(0, STEPS.indexOf(snap.peek()) + step))];
}

/**
 * Follow the finger; on release settle on the nearest height, or on the next one in the direction of a flick or tap.
 * @param {PointerEvent} down
 * @param {HTMLElement} panel
 */
function drag(down, panel) {
  const grip = /** @type {HTMLElement} */ (down.currentTarget);
  grip.setPointerCapture(down.pointerId);
  const start = panel.getBoundingClientRect().height;
  const room = window.innerHeight;
  let last = { y: down.clientY, at: down.timeStamp, speed: 0 };
  const move = (/** @type {PointerEvent} */ event) => {
    const pause = Math.max(1, event.timeStamp - last.at);
    last = { y: event.clientY, at: event.timeStamp, speed: (last.y - event.clientY) / pause };
    panel.classList.add("dragged");
    panel.style.height = `${Math.min(room, Math.max(80, start + down.clientY - event.clientY))}px`;
  };
  const up = () => {
    grip.removeEventListener("pointermove", move);
    const height = panel.getBoundingClientRect().height;
    panel.classList.remove("dragged");
    panel.style.height = "";
    const now = STEPS.indexOf(snap.peek());
    if (Math.abs(height - start) < 6) snap.value = now === 2 ? "half" : STEPS[now + 1];
    else if (Math.abs(last.speed) > 0.5) snap.value = STEPS[Math.min(2, Math.max(0, now + Math.sign(last.speed)))];
    else snap.value = height < room * 0.28 ? "peek" : height < room * 0.68 ? "half" : "full";
  };
  grip.addEventListener("pointermove", move);
  grip.addEventListener("pointerup", up, { once: true });
  grip.addEventListener("pointercancel", up, { once: true });
}

