"""Codes to be scanned, as drawings: for pages as SVG, for paper as its dark squares. Pure."""

import io
from collections.abc import Iterator

import segno


def qr_svg(text: str, *, css_class: str) -> str:
    """An inline drawing; dark squares take the colour of the text around it, the ground is white."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgclass=css_class, lineclass=None, omitsize=True, border=3, light="#fff"
    )
    return out.getvalue().decode()


def dark_squares(text: str) -> tuple[int, Iterator[tuple[int, int]]]:
    """How many squares the code is wide, and where (from the left, from the top) they are dark."""
    code = segno.make(text, error="m", micro=False)
    rows = [bytes(row) for row in code.matrix]
    return len(rows), ((x, y) for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
