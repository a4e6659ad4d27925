"""Identities of simulated sensors, of the forms that real ones have but never one that a maker gave out. Pure."""

from typing import Literal

_LOCAL_EUI = "aede480001"
"""An EUI-64 whose second bit says: given locally, by no maker."""
_TEST_TAC = "00100117"
"""Type allocation codes from 001001 on are set aside for test devices."""
_SERIAL_DIGITS = 6


class SensorIds:
    """Hands out DevEUIs (lower-case hex) and IMEIs (15 digits with check digit), each once."""

    def __init__(self) -> None:
        self._given = 0

    def next(self, form: Literal["dev-eui", "imei"]) -> str:
        """The next identity in the wished form."""
        self._given += 1
        if form == "dev-eui":
            return f"{_LOCAL_EUI}{self._given:06x}"
        body = f"{_TEST_TAC}{self._given:0{_SERIAL_DIGITS}}"
        return f"{body}{luhn_digit(body)}"


def luhn_digit(digits: str) -> int:
    """The check digit that an IMEI ends with."""
    doubled = (int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -sum(value // 10 + value % 10 for value in doubled) % 10
