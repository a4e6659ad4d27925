/* Keeps the kiosk's page on the machine: it opens without a connection, and no page of the browser's is ever seen. */

const SHELL = "kiosk-{{version}}";
const FILES = {{files}};
const PAGE = "/kiosk";
/** A connection that answers nothing for so long counts as none. */
const PATIENCE_MS = 4_000;

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(begin()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (FILES.includes(pathname)) event.respondWith(file(request));
});

async function keep() {
  await (await caches.open(SHELL)).addAll(FILES);
  await self.skipWaiting();
}

async function begin() {
  for (const name of await caches.keys()) {
    if (name.startsWith("kiosk-") && name !== SHELL) await caches.delete(name);
  }
  await self.clients.claim();
}

/** The page as it is now; as it was kept when nobody answers, or somebody answers who is not us. @param {Request} request */
async function page(request) {
  const shell = await caches.open(SHELL);
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.ok) {
      await shell.put(PAGE, answer.clone());
      return answer;
    }
  } catch {
    // kept, then
  }
  return /** @type {Response} */ (await shell.match(PAGE));
}

/** @param {Request} request */
async function file(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}
