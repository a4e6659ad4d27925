/* A scanner that types what it reads, as a keyboard does: fast, and with Enter at the end. */

const FASTEST_HAND_MS = 60;
const SHORTEST_CODE = 6;

/** @param {(text: string) => void} onCode */
export function startScanner(onCode) {
  let text = "";
  let last = 0;
  addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLInputElement) return; // setting the machine up
    const fast = event.timeStamp - last < FASTEST_HAND_MS;
    last = event.timeStamp;
    if (event.key === "Enter") {
      if (fast && text.length >= SHORTEST_CODE) {
        event.preventDefault(); // no button that happens to have the focus is meant
        onCode(text);
      }
      text = "";
    } else if (event.key.length === 1) {
      text = (fast ? text : "") + event.key;
    }
  }, { capture: true });
}
