"""Money in whole fen. Pure.

Nothing here or elsewhere is a float: fen in, fen out, and yuan only as text for people.
"""

from typing import Final, Literal, NewType

Fen = NewType("Fen", int)
"""The smallest unit of a currency: fen, cent, yen. Negative in a line that takes something off."""

Halves = Literal["up", "down", "half_up", "half_even"]
"""What becomes of the part that is left over when an amount is made round."""

SYMBOLS: Final = {"CNY": "¥", "USD": "$", "EUR": "€", "AUD": "A$", "GBP": "£"}
FEN_IN_YUAN: Final = 100
UNDIVIDED: Final = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
)
"""Currencies that ISO 4217 gives no smaller unit."""


def round_to(numerator: int, denominator: int, mode: Halves) -> int:
    """``numerator / denominator`` as a whole number, exact and without a float; ``denominator`` is above 0.

    ``up`` and ``down`` mean towards plus and minus infinity; ``half_up`` takes a half upwards.
    """
    whole, rest = divmod(numerator, denominator)
    match mode:
        case "down":
            return whole
        case "up":
            return whole + (rest > 0)
        case "half_up":
            return whole + (2 * rest >= denominator)
        case "half_even":
            return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def yuan_text(amount: int, currency: str = "CNY") -> str:
    """An amount for people, such as ``¥3.00``, ``-¥0.50`` or ``JPY 300``; one without a symbol is named by its code."""
    sign = "-" if amount < 0 else ""
    symbol = SYMBOLS.get(currency, f"{currency} ")
    if currency in UNDIVIDED:
        return f"{sign}{symbol}{abs(amount)}"
    whole, cents = divmod(abs(amount), FEN_IN_YUAN)
    return f"{sign}{symbol}{whole}.{cents:02d}"
