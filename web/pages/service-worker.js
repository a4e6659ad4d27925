/* Keeps the page and its newest picture on the device, so that the installed map opens without a connection.
 *
 * The page comes from the network first, its files (whose address changes with their content) from the device first. A
 * kept picture is given only to a page that has just been opened and cannot reach us, marked with when it was taken:
 * whoever asks for something fresh gets it from us or not at all. */

const SHELL = "parking-{{version}}";
const PICTURE = "parking-picture";
const FILES = {{files}};
const PICTURES = ["/api/v1/lots", "/api/v1/city"];
/** A connection that answers nothing for so long counts as none. */
const PATIENCE_MS = 5_000;

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(begin()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (pathname === "/") event.respondWith(page(request));
  } else if (pathname.startsWith("/static/") || pathname.startsWith("/vendor/")) {
    event.respondWith(file(request));
  } else if (PICTURES.includes(pathname) && !new URL(request.url).search) {
    event.respondWith(picture(event));
  }
});

async function keep() {
  const [shell, pictures] = await Promise.all([caches.open(SHELL), caches.open(PICTURE)]);
  await shell.addAll(FILES);
  await pictures.addAll(PICTURES).catch(() => {}); // the page brings them once it is open
  await self.skipWaiting();
}

async function begin() {
  for (const name of await caches.keys()) {
    if (name.startsWith("parking-") && name !== SHELL && name !== PICTURE) await caches.delete(name);
  }
  await self.clients.claim();
}

/** @param {Request} request */
async function page(request) {
  try {
    const answer = await soon(request);
    if (answer.ok) (await caches.open(SHELL)).put("/", answer.clone());
    return answer;
  } catch (reason) {
    const kept = await (await caches.open(SHELL)).match("/");
    if (kept) return kept;
    throw reason;
  }
}

/** @param {Request} request */
async function file(request) {
  return (await caches.match(request)) ?? fetch(request);
}

/** @param {FetchEvent} event */
async function picture({ request }) {
  const pictures = await caches.open(PICTURE);
  const fallback = request.cache !== "no-cache" && (await pictures.match(request, { ignoreVary: true }));
  try {
    const answer = await (fallback ? soon(request) : fetch(request));
    if (answer.ok) await pictures.put(request.url, answer.clone());
    return answer;
  } catch (reason) {
    if (!fallback) throw reason;
    const headers = new Headers(fallback.headers);
    headers.set("X-Kept-At", headers.get("Date") ?? "");
    return new Response(await fallback.blob(), { headers });
  }
}

/** An answer within our patience. @param {Request} request */
function soon(request) {
  return fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
}
