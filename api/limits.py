"""One rate limiter: token buckets in memory, bounded, by whoever asks. Pure but for being mutable."""

import ipaddress
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Final

from core.errors import TooManyRequestsError

BUCKETS: Final = 50_000
"""Most callers remembered; the one not seen for longest is forgotten first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How often somebody may do something."""

    name: str
    burst: int
    """At once, after a rest."""
    per_minute: float
    """In the long run."""


READS = Allowance(name="reads", burst=120, per_minute=1_200)
"""Answers computed for one caller. Prepared ones are not counted: refusing costs as much as answering."""
TYPED_CODES = Allowance(name="typed-codes", burst=6, per_minute=6)
"""Sessions asked for by a typed number, without what is printed beside it."""
WRONG_CODES = Allowance(name="wrong-codes", burst=10, per_minute=5)
"""Tokens that were never printed."""
LOGINS_OF_ONE = Allowance(name="logins", burst=5, per_minute=1)
"""Attempts for one login from one address."""
LOGINS_OF_ADDRESS = Allowance(name="logins-from-here", burst=20, per_minute=6)
LOGINS_OF_NAME = Allowance(name="logins-of-this-name", burst=30, per_minute=3)
"""Attempts for one login from anywhere."""
DEVICE_CALLS = Allowance(name="device-calls", burst=60, per_minute=600)
PAYMENTS = Allowance(name="payments", burst=20, per_minute=20)
"""Payments begun from one address; many phones may share one."""
PAPERS = Allowance(name="papers", burst=10, per_minute=20)
"""Receipts as PDF: half a second of work each."""
CLAIMS = Allowance(name="claims", burst=10, per_minute=6)
"""Plates typed from one address."""
COUPON_CODES = Allowance(name="coupon-codes", burst=10, per_minute=6)
"""Codes of coupons typed from one address."""
VALIDATIONS = Allowance(name="validations", burst=30, per_minute=30)
"""Stays validated by one merchant."""
ORDERS = Allowance(name="orders", burst=10, per_minute=10)
"""Passes ordered from one address."""
KIOSK_SPACES = Allowance(name="kiosk-spaces", burst=15, per_minute=6)
"""Numbers typed and codes scanned at one kiosk: more than people can, fewer than who walks through a lot needs."""
KIOSK_PLATES = Allowance(name="kiosk-plates", burst=10, per_minute=6)
"""Parts of plates typed at one kiosk."""
KIOSK_WRONG = Allowance(name="kiosk-wrong", burst=6, per_minute=1)
"""Wrong answers to choices at one kiosk."""
ARREARS = Allowance(name="arrears", burst=6, per_minute=4)
"""Plates whose debts are asked for, from one address or kiosk."""
VISITS = Allowance(name="visits", burst=20, per_minute=30)
"""Vehicles parked and driven away by the map of a demo, from one address."""
DISPUTES = Allowance(name="disputes", burst=4, per_minute=1)
"""Debts that somebody denies, from one address or kiosk."""
FORGERIES = Allowance(name="forgeries", burst=60, per_minute=60)
"""Notifications with a wrong signature, from one address: after these even the answer is short."""
UPLINKS = Allowance(name="uplinks", burst=10_000, per_minute=30_000)
"""Messages pushed by one platform: a city of sensors reports at once after a power cut."""
BAD_KEYS = Allowance(name="bad-keys", burst=10, per_minute=5)
"""Device keys that are unknown or revoked, from one address."""


class Limiter:
    """Buckets that fill with time and are emptied by asking."""

    def __init__(self, size: int = BUCKETS) -> None:
        """Remember at most ``size`` callers."""
        self._size = size
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, allowance: Allowance, caller: str, now: float) -> None:
        """Use one of the caller's tokens; ``now`` in seconds, never running backwards.

        Raises:
            TooManyRequestsError: none is left; carries ``retry_after_seconds``.
        """
        left = self._left(allowance, caller, now)
        if left < 1:
            wait = ceil((1 - left) * 60 / allowance.per_minute)
            raise TooManyRequestsError(
                f"too many requests; the next one is answered in {wait} s",
                allowance=allowance.name,
                retry_after_seconds=wait,
            )
        self._put(allowance, caller, left - 1, now)

    def give_back(self, allowance: Allowance, caller: str, now: float) -> None:
        """Return a token that was taken for something that turned out right."""
        self._put(allowance, caller, min(allowance.burst, self._left(allowance, caller, now) + 1), now)

    def _left(self, allowance: Allowance, caller: str, now: float) -> float:
        left, then = self._buckets.get((allowance.name, caller), (float(allowance.burst), now))
        return min(float(allowance.burst), left + (now - then) * allowance.per_minute / 60)

    def _put(self, allowance: Allowance, caller: str, left: float, now: float) -> None:
        key = (allowance.name, caller)
        self._buckets[key] = (left, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._size:
            self._buckets.popitem(last=False)


class Proxies:
    """Whose word about the caller's address is believed."""

    def __init__(self, trusted: Iterable[str]) -> None:
        """Trust these addresses and networks."""
        self._networks = [ipaddress.ip_network(text, strict=False) for text in trusted]

    def caller(self, peer: str, forwarded_for: str) -> str:
        """The caller's address: the last one that no trusted proxy added. One IPv6 household counts as one."""
        address = peer
        for hop in reversed([hop.strip() for hop in forwarded_for.split(",") if hop.strip()]):
            if not self.trusts(address):
                break
            address = hop
        return _household(address)

    def trusts(self, address: str) -> bool:
        """Whether this is one of our own proxies."""
        if not self._networks:
            return False
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip.version == network.version and ip in network for network in self._networks)


def _household(address: str) -> str:
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False))
    except ValueError:
        return "unknown"
