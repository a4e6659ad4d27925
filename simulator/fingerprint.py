"""One number for a set of readings, whatever their order, so that those sent and those stored can be compared. Pure."""

from hashlib import blake2b

_MODULUS = 2**64


class Fingerprint:
    """The sum of its readings' hashes: a missing, strange or doubled reading changes it, their order does not."""

    __slots__ = ("_sum",)

    def __init__(self, hexadecimal: str = "") -> None:
        self._sum = int(hexadecimal or "0", 16)

    def add(self, reading: int) -> None:
        """Count one ``reading_hash`` in."""
        self._sum = (self._sum + reading) % _MODULUS

    @staticmethod
    def between(before: str, after: str) -> str:
        """Of the readings that were counted in between two of one sum, as hexadecimals."""
        return f"{(int(after or '0', 16) - int(before or '0', 16)) % _MODULUS:016x}"

    def __str__(self) -> str:
        return f"{self._sum:016x}"


def reading_hash(sensor: str, at_ms: int, boot: int, seq: int, *, occupied: bool, kind: str) -> int:
    """Of what a reading is identified by: sensor, ``at``, ``boot``, ``seq``, ``occupied`` and ``kind``."""
    identity = f"{sensor}\x1f{at_ms}\x1f{boot}\x1f{seq}\x1f{occupied:d}\x1f{kind}"
    return int.from_bytes(blake2b(identity.encode(), digest_size=8).digest(), "big")
