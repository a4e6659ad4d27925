"""The labels that are glued on posts: the space's number and the code that opens its page, eight on a sheet of A4."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from fpdf import FPDF

from billing.receipts.fonts import Font
from billing.receipts.qr import dark_squares
from core.tokens import space_token

FAMILY: Final = "label"
ACROSS, DOWN = 2, 4
WIDTH, HEIGHT = 95.0, 68.0
LEFT, TOP = 10.0, 12.5
QR: Final = 44.0
SCAN: Final = ("扫码缴费 · 查看费用", "Scan to see the fee and pay")
INK, SOFT, CUT = (22, 32, 42), (82, 96, 109), (190, 196, 202)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One space's."""

    space_code: str
    lot_name: str


def address_of(label: Label, *, public_url: str, secret_key: str) -> str:
    """What its code says: the page of the space, with the token that proves somebody stood before it."""
    token = quote(space_token(secret_key, label.space_code))
    return f"{public_url.rstrip('/')}/s/{quote(label.space_code)}?k={token}"


def labels_pdf(labels: Sequence[Label], *, public_url: str, secret_key: str, font: Font) -> bytes:
    """The sheets, in the given order, row by row, with lines to cut along."""
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(auto=False)
    pdf.add_font(FAMILY, fname=font.path, collection_font_number=font.face)
    pdf.set_title(f"{labels[0].lot_name}: {len(labels)} labels" if labels else "labels")
    for index, label in enumerate(labels):
        place = index % (ACROSS * DOWN)
        if place == 0:
            pdf.add_page()
        left, top = LEFT + place % ACROSS * WIDTH, TOP + place // ACROSS * HEIGHT
        _draw(pdf, label, left, top, address_of(label, public_url=public_url, secret_key=secret_key))
    return bytes(pdf.output())


def _draw(pdf: FPDF, label: Label, left: float, top: float, address: str) -> None:
    pdf.set_draw_color(*CUT)
    pdf.set_line_width(0.1)
    pdf.rect(left, top, WIDTH, HEIGHT)
    _text(pdf, left + 4, top + 5, WIDTH - 8, label.space_code, size=30, colour=INK)
    wide, squares = dark_squares(address)
    side = QR / wide
    pdf.set_fill_color(0, 0, 0)
    for x, y in squares:
        pdf.rect(left + 4 + x * side, top + 19 + y * side, side, side, style="F")
    beside = left + QR + 8
    for offset, words, size, colour in (
        (24, label.lot_name, 12, INK),
        (38, SCAN[0], 11, INK),
        (45, SCAN[1], 8, SOFT),
    ):
        _text(pdf, beside, top + offset, WIDTH - QR - 12, words, size=size, colour=colour)


def _text(
    pdf: FPDF, x: float, y: float, width: float, words: str, *, size: float, colour: tuple[int, int, int]
) -> None:
    pdf.set_font(FAMILY, size=size)
    pdf.set_text_color(*colour)
    pdf.set_xy(x, y)
    pdf.multi_cell(width, size * 0.45, words, align="L")
