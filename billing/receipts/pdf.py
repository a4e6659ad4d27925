"""A receipt on paper: A5, both languages' words in one font that is embedded as far as it is used."""

from datetime import UTC
from typing import Final

from fpdf import FPDF, XPos, YPos

from billing.phrases import Lang
from billing.receipts.content import Receipt
from billing.receipts.fonts import Font
from billing.receipts.qr import dark_squares
from billing.receipts.wording import SCAN, Amount, Worded, word

FAMILY: Final = "receipt"
WIDTH, HEIGHT = 148.0, 210.0
MARGIN: Final = 12.0
BOTTOM: Final = 8.0
INNER: Final = WIDTH - 2 * MARGIN
LABEL: Final = 30.0
QR: Final = 26.0
INK, SOFT, RULE, GROUND = (22, 32, 42), (82, 96, 109), (220, 225, 229), (227, 240, 246)


def receipt_pdf(receipt: Receipt, lang: Lang, *, url: str, font: Font) -> bytes:
    """The document; the same receipt gives the same text. ``url`` is what its code opens."""
    return _Paper(word(receipt, lang), receipt, lang, url=url, font=font).draw()


class _Paper:
    """One sheet being written, millimetres from the top left."""

    def __init__(self, worded: Worded, receipt: Receipt, lang: Lang, *, url: str, font: Font) -> None:
        self._worded = worded
        self._lang = lang
        self._url = url
        self._pdf = FPDF(format=(WIDTH, HEIGHT))
        self._pdf.set_margin(MARGIN)
        self._pdf.set_auto_page_break(auto=True, margin=BOTTOM)
        self._pdf.add_font(FAMILY, fname=font.path, collection_font_number=font.face)
        self._pdf.set_title(f"{worded.title} {worded.number}")
        self._pdf.set_lang("zh-CN" if lang == "zh" else "en")
        self._pdf.set_creation_date(receipt.issued_at.astimezone(UTC))
        self._pdf.add_page()

    def draw(self) -> bytes:
        """All of it, top to bottom."""
        self._head()
        self._leave_by()
        for label, text in self._worded.facts:
            self._fact(label, text)
        self._rule()
        self._amounts(self._worded.fee)
        self._rule()
        self._amounts(self._worded.settled)
        self._rule()
        self._foot()
        return bytes(self._pdf.output())

    def _head(self) -> None:
        self._text(self._worded.title, size=18)
        self._pdf.ln(2)

    def _leave_by(self) -> None:
        if self._worded.leave_by is None:
            return
        label, time, after = self._worded.leave_by
        top, height = self._pdf.get_y(), 30.0
        self._pdf.set_fill_color(*GROUND)
        self._pdf.rect(MARGIN, top, INNER, height, style="F", round_corners=True, corner_radius=3)
        for offset, size, words, colour in ((3, 10, label, INK), (8, 34, time, INK), (23.5, 8, after, SOFT)):
            self._pdf.set_xy(MARGIN, top + offset)
            self._pdf.set_font(FAMILY, size=size)
            self._pdf.set_text_color(*colour)
            self._pdf.cell(INNER, size * 0.42, words, align="C")
        self._pdf.set_xy(MARGIN, top + height + 4)

    def _fact(self, label: str, text: str) -> None:
        self._pdf.set_font(FAMILY, size=9)
        self._pdf.set_text_color(*SOFT)
        self._pdf.cell(LABEL, 4.9, label, new_x=XPos.RIGHT, new_y=YPos.TOP)
        self._pdf.set_text_color(*INK)
        self._pdf.multi_cell(INNER - LABEL, 4.9, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _amounts(self, amounts: tuple[Amount, ...]) -> None:
        for one in amounts:
            size = 12 if one.strong else 9
            height = 6.6 if one.strong else 5.0
            self._pdf.set_font(FAMILY, size=size)
            self._pdf.set_text_color(*INK)
            top, page = self._pdf.get_y(), self._pdf.page
            self._pdf.multi_cell(INNER - LABEL, height, one.label, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            below, last = self._pdf.get_y(), self._pdf.page
            if page == last:
                self._pdf.set_xy(MARGIN + INNER - LABEL, top)
            else:
                self._pdf.set_xy(MARGIN + INNER - LABEL, below - height)
            self._pdf.cell(LABEL, height, one.amount, align="R")
            self._pdf.set_xy(MARGIN, below)

    def _rule(self) -> None:
        self._pdf.ln(2)
        self._pdf.set_draw_color(*RULE)
        self._pdf.line(MARGIN, self._pdf.get_y(), MARGIN + INNER, self._pdf.get_y())
        self._pdf.ln(2)

    def _foot(self) -> None:
        if self._pdf.will_page_break(QR):
            self._pdf.add_page()
        top = self._pdf.get_y()
        self._code(MARGIN, top)
        self._pdf.set_xy(MARGIN + QR + 5, top + 2)
        for words in (SCAN[0] if self._lang == "zh" else SCAN[1], *self._worded.notes):
            self._pdf.set_x(MARGIN + QR + 5)
            self._text(words, size=9, width=INNER - QR - 5)
        self._pdf.set_x(MARGIN + QR + 5)
        self._pdf.set_text_color(*SOFT)
        self._pdf.set_font(FAMILY, size=7)
        self._pdf.multi_cell(INNER - QR - 5, 4, self._url, align="L", link=self._url)

    def _code(self, left: float, top: float) -> None:
        wide, squares = dark_squares(self._url)
        side = QR / wide
        self._pdf.set_fill_color(0, 0, 0)
        for x, y in squares:
            self._pdf.rect(left + x * side, top + y * side, side, side, style="F")

    def _text(self, words: str, *, size: float, width: float = INNER) -> None:
        self._pdf.set_font(FAMILY, size=size)
        self._pdf.set_text_color(*INK)
        self._pdf.multi_cell(width, size * 0.55, words, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
