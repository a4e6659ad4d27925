"""Identities of simulated sensors, of the forms that real ones have but never one that a maker gave out. Pure."""

from typing import Literal

_LOCAL_EUI = "aede4800"
"""Begins an EUI-64 whose second bit says: given locally, by no maker. A byte for the series and a number follow."""
_TEST_TAC = 100_116
"""Type allocation codes that begin with 001001 are set aside for test devices."""
_SERIAL_DIGITS = 6


class SensorIds:
    """Hands out DevEUIs (lower-case hex) and IMEIs (15 digits with check digit), each once."""

    def __init__(self, series: int = 1) -> None:
        """Identities of two series differ, so that two cities can be in one installation."""
        self._series = series
        self._given = 0

    def next(self, form: Literal["dev-eui", "imei"]) -> str:
        """The next identity in the wished form."""
        self._given += 1
        if form == "dev-eui":
            return f"{_LOCAL_EUI}{self._series:02x}{self._given:06x}"
        body = f"{_TEST_TAC + self._series:08}{self._given:0{_SERIAL_DIGITS}}"
        return f"{body}{luhn_digit(body)}"


def luhn_digit(digits: str) -> int:
    """The check digit that an IMEI ends with."""
    doubled = (int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -sum(value // 10 + value % 10 for value in doubled) % 10
