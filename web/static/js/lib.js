/* The few vendored things our modules use, under one roof: their versions are written here and nowhere else. */

import { h, render } from "/vendor/preact-11.2.0/preact.mjs";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "/vendor/preact-11.2.0/hooks.mjs";
import htm from "/vendor/htm-3.1.1/htm.mjs";
import { batch, computed, effect, signal } from "/vendor/signals-core-1.14.5/signals-core.mjs";

export { batch, computed, effect, h, render, signal, useCallback, useEffect, useLayoutEffect, useRef, useState };

/** Markup as a template literal, bound to Preact. */
export const html = htm.bind(h);

/**
 * The value of a signal inside a component, which is drawn again when it changes.
 * @template T
 * @param {{value: T, peek(): T, subscribe(f: (value: T) => void): () => void}} source
 * @returns {T}
 */
export function use(source) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const seen = source.peek();
    let first = true;
    return source.subscribe((value) => {
      if (!first || value !== seen) redraw((n) => n + 1);
      first = false;
    });
  }, [source]);
  return source.peek();
}
