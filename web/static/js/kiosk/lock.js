/* What a passer-by could do with a browser, and here cannot: menus, selections, zoom, shortcuts, dragging, double taps. */

const SHORTCUTS = /^(F\d+|BrowserBack|BrowserForward|BrowserHome|ContextMenu)$/;

/** @param {Event} event */
const refuse = (event) => event.preventDefault();

export function lockDown() {
  for (const kind of ["contextmenu", "selectstart", "dragstart", "drop", "dragover", "gesturestart"]) {
    addEventListener(kind, refuse, { capture: true });
  }
  addEventListener("wheel", (event) => event.ctrlKey && event.preventDefault(), { capture: true, passive: false });
  addEventListener("touchmove", (event) => event.touches.length > 1 && event.preventDefault(), { capture: true, passive: false });
  addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement; // the key is pasted when the machine is set up
    if (SHORTCUTS.test(event.key) || event.altKey || ((event.ctrlKey || event.metaKey) && !typing)) event.preventDefault();
  }, { capture: true });
  addEventListener("click", ignoreSecondTap, { capture: true });
}

const SAME_TAP_MS = 400;
const SAME_PLACE = 40;
let last = { at: -Infinity, x: 0, y: 0, keys: /** @type {Element | null} */ (null) };

/** The second half of a double tap was not meant for what the first one brought; only keyboards are for fast fingers. @param {MouseEvent} event */
function ignoreSecondTap(event) {
  if (event.detail === 0) return; // by keys
  const { timeStamp: at, clientX: x, clientY: y } = event;
  const keys = /** @type {Element} */ (event.target).closest?.("[data-repeats]") ?? null;
  const same = at - last.at < SAME_TAP_MS && Math.hypot(x - last.x, y - last.y) < SAME_PLACE;
  const typing = keys !== null && keys === last.keys;
  last = { at, x, y, keys };
  if (!same || typing) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}
