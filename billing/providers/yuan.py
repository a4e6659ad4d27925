"""Where yuan become fen and back: text such as ``6.00`` at a provider's edge, whole fen inside. Pure."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from core.money import FEN_IN_YUAN, Fen

_YUAN: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,2})?")
_FINER: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,8})?")


class NotAnAmountError(ValueError):
    """The text is not an amount of yuan with at most two decimals."""


def fen_of(text: str) -> Fen:
    """``6``, ``6.0`` and ``6.00`` are 600; a sign is kept.

    Raises:
        NotAnAmountError: anything else, a third decimal included.
    """
    if not _YUAN.fullmatch(text):
        raise NotAnAmountError(f"{text[:40]!r} is no amount in yuan")
    return Fen(int(Decimal(text) * FEN_IN_YUAN))


def exact_yuan(text: str) -> Decimal:
    """An amount that may be finer than a fen, such as the commission on a small payment; exact.

    Raises:
        NotAnAmountError: it is no plain decimal number.
    """
    if not _FINER.fullmatch(text):
        raise NotAnAmountError(f"{text[:40]!r} is no amount in yuan")
    return Decimal(text)


def rounded_fen(yuan: Decimal) -> Fen:
    """Whole fen, half a fen away from zero."""
    return Fen(int((yuan * FEN_IN_YUAN).quantize(Decimal(1), ROUND_HALF_UP)))


def yuan_of(amount: Fen) -> str:
    """600 is ``6.00``, always with two decimals; ``amount`` is not below 0."""
    whole, rest = divmod(amount, FEN_IN_YUAN)
    return f"{whole}.{rest:02d}"
