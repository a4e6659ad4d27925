"""Bars as inline SVG: two prices side by side, and differences to the left and right of nothing. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from core.money import FEN_IN_YUAN, SYMBOLS, UNDIVIDED

WIDTH: Final = 720
HEIGHT: Final = 230
LEFT, RIGHT, TOP, BOTTOM = 80, 6, 8, 26
TICKS: Final = 4
LINE: Final = 18
"""Height of one horizontal bar with its words."""
WORDS_WIDTH: Final = 150
VALUE_WIDTH: Final = 96
MOST_LABELS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two amounts under one label."""

    label: str
    before_fen: int
    after_fen: int


def paired_bars(pairs: Sequence[Pair], *, title: str, currency: str) -> str:
    """A chart of upright bars, two for each label, with an axis of money from 0."""
    most = max((max(pair.before_fen, pair.after_fen) for pair in pairs), default=0)
    step = _step(most)
    top = step * TICKS
    high, wide = HEIGHT - TOP - BOTTOM, WIDTH - LEFT - RIGHT
    slot = wide / max(len(pairs), 1)
    bar = min(slot * 0.4, 26)
    drawn = [opening(title, HEIGHT)]
    for tick in range(TICKS + 1):
        y = TOP + high * (1 - tick / TICKS)
        drawn.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 3.5:.1f}">{_axis(tick * step, currency)}</text>')
    every = -(-len(pairs) // MOST_LABELS)
    for index, pair in enumerate(pairs):
        middle = LEFT + slot * (index + 0.5)
        for kind, left, fen in (("before", middle - bar, pair.before_fen), ("after", middle, pair.after_fen)):
            tall = high * fen / top
            hint = f"{pair.label}: {amount_text(fen, currency)}"
            drawn.append(
                f'<rect class="{kind}" x="{left:.1f}" y="{TOP + high - tall:.1f}" width="{bar:.1f}" '
                f'height="{tall:.1f}"><title>{escape(hint)}</title></rect>'
            )
        if index % every == 0:
            drawn.append(f'<text class="label" x="{middle:.1f}" y="{HEIGHT - 9}">{escape(pair.label)}</text>')
    return "".join([*drawn, "</svg>"])


def difference_bars(differences: Sequence[tuple[str, int]], *, title: str, currency: str) -> str:
    """A chart of lying bars to the right for more and to the left for less, each with its amount."""
    most = max((abs(fen) for _, fen in differences), default=0) or 1
    middle = WORDS_WIDTH + (WIDTH - WORDS_WIDTH) / 2
    room = (WIDTH - WORDS_WIDTH) / 2 - VALUE_WIDTH
    height = LINE * len(differences) + 4
    drawn = [opening(title, height)]
    for index, (label, fen) in enumerate(differences):
        y = 2 + LINE * index
        long = room * abs(fen) / most
        left = middle if fen >= 0 else middle - long
        kind, at, anchor = ("more", left + long + 5, "start") if fen >= 0 else ("less", left - 5, "end")
        drawn.append(f'<text class="name" x="0" y="{y + 12}">{escape(label)}</text>')
        drawn.append(f'<rect class="{kind}" x="{left:.1f}" y="{y + 3}" width="{long:.1f}" height="{LINE - 7}"/>')
        drawn.append(
            f'<text class="value" text-anchor="{anchor}" x="{at:.1f}" y="{y + 12}">'
            f"{amount_text(fen, currency, signed=True)}</text>"
        )
    drawn.append(f'<line class="axis" x1="{middle}" x2="{middle}" y1="0" y2="{height}"/></svg>')
    return "".join(drawn)


def amount_text(fen: int, currency: str, *, signed: bool = False) -> str:
    """An amount with its thousands apart: ``¥12,345.60``, and with ``signed`` also ``+¥1.00``."""
    sign = "-" if fen < 0 else "+" if signed and fen > 0 else ""
    symbol = SYMBOLS.get(currency, f"{currency} ")
    if currency in UNDIVIDED:
        return f"{sign}{symbol}{abs(fen):,}"
    whole, cents = divmod(abs(fen), FEN_IN_YUAN)
    return f"{sign}{symbol}{whole:,}.{cents:02d}"


def _axis(fen: int, currency: str) -> str:
    return amount_text(fen, currency).removesuffix(".00")


def _step(most_fen: int) -> int:
    """A round amount of which four cover the most."""
    power = FEN_IN_YUAN
    while True:
        for digit in (1, 2, 3, 5):
            if digit * power * TICKS >= most_fen:
                return digit * power
        power *= 10


def opening(title: str, height: int) -> str:
    """The begin of a chart as wide as a page, with its title for those who cannot see it."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}"'
        ' xmlns="http://www.w3.org/2000/svg">'
    )
