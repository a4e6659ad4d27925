/* Reading the API: JSON or a named problem. */

import { lang } from "./look.js";

/** A refusal of the API or of the network; `status` is 0 when no answer came. */
export class Problem extends Error {
  /** @param {string} message @param {number} status @param {string} [slug] @param {Record<string, any>} [facts] */
  constructor(message, status, slug, facts = {}) {
    super(message);
    this.status = status;
    this.slug = slug;
    this.facts = facts;
  }
}

/**
 * @param {string} path
 * @param {{fresh?: boolean, signal?: AbortSignal}} [options] `fresh`: ask the server even if a cached answer is young
 * @returns {Promise<any>}
 */
export const read = async (path, options) => (await readKept(path, options)).body;

/**
 * As `read`; without a connection perhaps what this device has kept, and then since when.
 * @param {string} path
 * @param {{fresh?: boolean, signal?: AbortSignal}} [options]
 * @returns {Promise<{body: any, keptAt: number | null}>}
 */
export async function readKept(path, { fresh = false, signal } = {}) {
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      headers: { "Accept-Language": lang.peek() },
      cache: fresh ? "no-cache" : "default",
      signal: signal ?? AbortSignal.timeout(15_000),
    });
  } catch (reason) {
    throw new Problem(String(reason), 0);
  }
  const body = await bodyOf(response);
  const keptAt = Date.parse(response.headers.get("X-Kept-At") ?? "");
  return { body, keptAt: Number.isNaN(keptAt) ? null : keptAt };
}

/**
 * Say something once: the same key again is answered again, not done again.
 * @param {string} path
 * @param {object} what
 * @param {string} [key]
 * @returns {Promise<any>}
 */
export async function send(path, what, key) {
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method: "POST",
      headers: {
        "Accept-Language": lang.peek(),
        "Content-Type": "application/json",
        ...(key ? { "Idempotency-Key": key } : {}),
      },
      body: JSON.stringify(what),
      signal: AbortSignal.timeout(20_000),
    });
  } catch (reason) {
    throw new Problem(String(reason), 0);
  }
  return bodyOf(response);
}

/** @param {Response} response */
async function bodyOf(response) {
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new Problem(body?.detail ?? body?.title ?? response.statusText, response.status, body?.type, body?.facts);
  return body;
}
