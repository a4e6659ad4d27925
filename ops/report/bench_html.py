"""What benches found as one HTML file that prints well: each figure, and how it stands to what is wished. Pure."""

from collections.abc import Sequence
from html import escape
from typing import Final

from ops.bench.report import Report, Row, shown
from ops.report.preview_html import CSS

WIDTH: Final = 220
HEIGHT: Final = 14
WISH_AT: Final = 110
"""Where the wish stands in every bar: what is better reaches beyond it."""
MOST: Final = WIDTH / WISH_AT

OWN_CSS: Final = (
    CSS
    + """
td.bar { width: 230px } td.bar svg { width: 220px; height: 14px } td.note { color: var(--soft); white-space: normal }
.met { fill: var(--less) } .missed { fill: var(--more) } .wish { stroke: var(--ink); stroke-width: 1.5 }
td.note, th.note { text-align: left }
"""
)


def bench_html(reports: Sequence[Report]) -> str:
    """The report; a bar beyond its mark is better than wished, on a scale of its own."""
    wished = [row for report in reports for row in report.rows if row.is_wish_met is not None]
    met = sum(1 for row in wished if row.is_wish_met)
    machine = reports[0].machine if reports else {}
    parts = [
        "<h1>Benchmarks</h1>",
        (
            f'<p class="sub">{met} of {len(wished)} wishes met · {escape(str(machine.get("cores", "?")))} cores, '
            f"{escape(str(machine.get('system', '')))}, Python {escape(str(machine.get('python', '')))}</p>"
        ),
        *(_section(report) for report in reports),
        (
            '<p class="notes">A ratio is to what was measured in the same run. The mark in a bar is the wish; '
            "a bar that reaches beyond it is better than wished.</p>"
        ),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Benchmarks</title><style>{OWN_CSS}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _section(report: Report) -> str:
    rows = "".join(_row(row) for row in report.rows)
    heads = "".join(f"<th>{head}</th>" for head in ("", "figure", "ratio", "wish", ""))
    return (
        f"<section><h2>{escape(report.bench)}</h2>"
        f'<p class="key">{escape(report.began_at)}, load before: {report.machine["load_before"]:.1f}</p>'
        f'<table><thead><tr>{heads}<th class="note"></th></tr></thead><tbody>{rows}</tbody></table></section>'
    )


def _row(row: Row) -> str:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f} of {row.against}"
    cells = "".join(f"<td>{escape(text)}</td>" for text in (row.what, shown(row), ratio, row.wish))
    return f'<tr>{cells}<td class="bar">{_bar(row)}</td><td class="note">{escape(row.note)}</td></tr>'


def _bar(row: Row) -> str:
    if row.is_wish_met is None:
        return ""
    good = _goodness(row)
    kind = "met" if row.is_wish_met else "missed"
    long = WISH_AT * min(good, MOST)
    words = "as wished" if row.is_wish_met else "not as wished"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">'
        f'<rect class="{kind}" x="0" y="2" width="{max(long, 1):.1f}" height="{HEIGHT - 4}"/>'
        f'<line class="wish" x1="{WISH_AT}" x2="{WISH_AT}" y1="0" y2="{HEIGHT}"/></svg>'
    )


def _goodness(row: Row) -> float:
    """1 where it is just as wished, more where it is better."""
    if row.at_least is not None:
        return row.judged / row.at_least if row.at_least else MOST
    if row.at_most and row.judged > 0:
        return row.at_most / row.judged
    return MOST if row.is_wish_met else 0.0
