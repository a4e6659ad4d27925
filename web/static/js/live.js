/* The live stream: opened, watched, closed while nobody looks, opened again. Knows nothing of lots or maps. */

import { read } from "./api.js";

/** @typedef {import("./types").Snapshot} Snapshot */
/** @typedef {import("./types").Changes} Changes */

/** No event for this long: ask the server whether it is there and whether something was missed. */
const QUIET_MS = 20_000;
/** A hidden page keeps its stream for this long, so that switching back and forth costs nothing. */
const HIDDEN_MS = 30_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/**
 * Follow the city until the page goes.
 * @param {{
 *   snapshot(body: Snapshot): void,
 *   changes(body: Changes): void,
 *   contact(): void,
 * }} on  `contact`: the server has just shown that it is there and that nothing was missed
 */
export function follow(on) {
  /** @type {EventSource | null} */
  let stream = null;
  let version = -1;
  let attempt = 0;
  let quiet = 0;
  let retry = 0;
  let hidden = 0;

  const rest = () => {
    clearTimeout(quiet);
    quiet = window.setTimeout(ask, QUIET_MS);
  };

  const heard = () => {
    attempt = 0;
    on.contact();
    rest();
  };

  const open = () => {
    clearTimeout(retry);
    stream?.close();
    stream = new EventSource("/api/v1/live");
    stream.addEventListener("snapshot", (event) => {
      const body = JSON.parse(event.data);
      version = body.version;
      on.snapshot(body);
      heard();
    });
    stream.addEventListener("changes", (event) => {
      const body = JSON.parse(event.data);
      version = body.version;
      on.changes(body);
      heard();
    });
    // a broken connection is mended by the browser itself; only a refusal closes it for good
    stream.addEventListener("error", () => {
      if (stream?.readyState === EventSource.CLOSED) later();
    });
    rest();
  };

  const later = () => {
    clearTimeout(retry);
    retry = window.setTimeout(open, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
    attempt += 1;
  };

  const close = () => {
    for (const timer of [quiet, retry]) clearTimeout(timer);
    stream?.close();
    stream = null;
  };

  // quiet may be a still night or a dead connection: one small conditional request tells which
  const ask = async () => {
    rest();
    try {
      const body = await read("/spaces/state", { fresh: true });
      if (body.version === version) return heard();
      version = body.version;
      on.snapshot(body);
      heard();
      open();
    } catch {
      if (stream?.readyState !== EventSource.OPEN) open();
    }
  };

  document.addEventListener("visibilitychange", () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = window.setTimeout(close, HIDDEN_MS);
    else if (!stream) open();
  });
  window.addEventListener("online", open);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
