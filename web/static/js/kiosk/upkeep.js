/* Kept on the device, so that it opens without a connection; renewed when nobody stands here. */

import { effect, signal } from "../lib.js";
import { step } from "./visit.js";

const LOOK_EVERY_MS = 3_600_000;
const renewed = signal(false);

export function keepUpToDate() {
  const worker = navigator.serviceWorker;
  if (!worker) return;
  const had = Boolean(worker.controller);
  worker.register("/kiosk-worker.js", { scope: "/kiosk" }).then(
    (registration) => setInterval(() => registration.update().catch(() => {}), LOOK_EVERY_MS),
    () => {},
  );
  worker.addEventListener("controllerchange", () => (renewed.value = had));
  effect(() => {
    if (renewed.value && step.value === "idle") location.reload();
  });
}
