/* One step back, where there is one. */

import { isOpen } from "../paying.js";
import { go } from "../visit.js";

/**
 * @param {import("../visit.js").Step} at
 * @param {import("../visit.js").Visit} visit
 * @returns {(() => void) | null}
 */
export function backFrom(at, visit) {
  switch (at) {
    case "choose":
    case "nothing":
      return () => go("find", { typed: "" });
    case "confirm":
      return () => go(visit.matches ? "choose" : "find", { typed: "" });
    case "fee":
      return () => go("find", { typed: "", session: undefined });
    case "pay":
      return isOpen(visit.payment) ? null : () => go(visit.debt ? "debts" : "fee", { payment: undefined });
    case "debts":
      return () => go("plate", { typed: "", debts: undefined });
    default:
      return null;
  }
}
