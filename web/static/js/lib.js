/* The few vendored things our modules use, under one roof: their versions are written here and nowhere else. */

import { h, render } from "/vendor/preact-11.2.0/preact.mjs";
import { useEffect, useLayoutEffect, useRef, useState as anyState } from "/vendor/preact-11.2.0/hooks.mjs";
import htm from "/vendor/htm-3.1.1/htm.mjs";
import * as signals from "/vendor/signals-core-1.14.5/signals-core.mjs";

export { h, render, useEffect, useLayoutEffect, useRef };

/** @template T @typedef {{value: T, peek(): T, subscribe(f: (value: T) => void): () => void}} Signal */

// the vendored modules come without types: said here once, for everybody who asks a type checker
/** @type {any} */
const core = signals;
/** A value that others can follow. @type {<T>(value: T) => Signal<T>} */
export const signal = core.signal;
/** A value that follows from others. @type {<T>(compute: () => T) => Signal<T>} */
export const computed = core.computed;
/** Run now, and again whenever a signal that was read changes. @type {(run: () => void) => () => void} */
export const effect = core.effect;
/** Change several signals as one. @type {(change: () => void) => void} */
export const batch = core.batch;
/** @type {<T>(first: T | (() => T)) => [T, (next: T | ((last: T) => T)) => void]} */
export const useState = anyState;

/** Markup as a template literal, bound to Preact. */
export const html = htm.bind(h);

/**
 * The value of a signal inside a component, which is drawn again when it changes.
 * @template T
 * @param {Signal<T>} source
 * @returns {T}
 */
export function use(source) {
  const [, redraw] = useState(0);
  const drawn = source.peek();
  useEffect(() => {
    let first = true; // it may have changed since it was drawn
    return source.subscribe((value) => {
      if (!first || value !== drawn) redraw((n) => n + 1);
      first = false;
    });
  }, [source]);
  return drawn;
}
