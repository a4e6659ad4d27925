"""What a verification found as one HTML file that prints well: bars by fault, fees, payments, differences. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from billing.phrases import Lang
from ops.report.charts import LINE, WIDTH, WORDS_WIDTH, amount_text, opening
from ops.report.preview_html import CSS
from ops.report.verify_words import certainty_text, fault_text, sentence, way_text, word
from ops.verify.report import Difference, Payments, Report, Why

_CNY: Final = "CNY"
MOST_WRONG: Final = 40
MOST_OF_A_KIND: Final = 3
"""Of each sort of difference that nobody could have known better."""
VALUES_WIDTH: Final = 140

OWN_CSS: Final = (
    CSS
    + """
.verdict { font-size: 15px; margin: 0 0 14px; padding: 8px 12px; border-left: 4px solid var(--less) }
.verdict.bad { border-color: #b3261e; color: #b3261e }
.equal { fill: var(--less); background: var(--less) } .proved { fill: var(--before); background: var(--before) }
.neither { fill: #b3261e; background: #b3261e } .bad { color: #b3261e } svg .bad { fill: #b3261e }
td.what { white-space: normal; text-align: left } i.more { background: var(--more) }
td.left, th.left { text-align: left }
"""
)

Part = tuple[str, int]
"""A class of the style sheet, and how many."""


def verify_html(report: Report, *, lang: Lang) -> str:
    """The report.

    Args:
        report: what was found.
        lang: of all words in it.
    """
    until = f"{word('until', lang)} {report.until[:16].replace('T', ' ')} UTC"
    parts = [
        f"<h1>{word('title', lang)}</h1>",
        f'<p class="sub">{escape(" · ".join(filter(None, (report.city, report.scenario.split(" ")[0], until))))}</p>',
        _verdict(report, lang),
        _figures(report, lang),
        _by_fault(report, lang),
        _fees(report, lang),
        _certainty(report, lang),
        _payments(report.payments, lang) if report.payments else "",
        _differences("first_wrong", report.wrong()[:MOST_WRONG], lang),
        _differences("first_evident", _examples(report), lang),
    ]
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{word("title", lang)}</title>'
        f"<style>{OWN_CSS}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _verdict(report: Report, lang: Lang) -> str:
    if report.is_right:
        return f'<p class="verdict">{word("equal_all" if report.is_equal else "right", lang)}</p>'
    return f'<p class="verdict bad">{len(report.wrong()):,} {word("wrong", lang)}</p>'


def _figures(report: Report, lang: Lang) -> str:
    beyond_fen = sum(one.apart_fen for one in report.differences if one.why is Why.BEYOND)
    figures = [("stays", f"{report.stays:,}", False), ("equal", f"{report.equal:,}", False)]
    if report.readings_told:
        neither = report.stays - report.equal - report.evident
        figures.append(("proved", f"{report.evident:,}", False))
        figures.append(("neither", f"{neither:,}", neither > 0))
        figures.append(("beyond", amount_text(beyond_fen, _CNY), beyond_fen > 0))
    is_short = report.readings_sent != report.readings_stored
    figures.append(("readings", f"{report.readings_sent:,} / {report.readings_stored:,}", is_short))
    cells = "".join(
        f'<div><b class="{"bad" if is_bad else ""}">{value}</b><span>{word(name, lang)}</span></div>'
        for name, value, is_bad in figures
    )
    return f'<div class="figures">{cells}</div>'


def _by_fault(report: Report, lang: Lang) -> str:
    if not report.by_fault:
        return ""
    names = ("equal", "proved", "neither")
    bars = _bars(
        [
            (
                fault_text(one.fault, lang),
                [("equal", one.equal), ("proved", one.evident), ("neither", one.wrong)],
                f"{one.equal:,} / {one.stays:,} · {one.share:.1%}",
            )
            for one in report.by_fault
        ],
        title=word("by_fault", lang),
        is_share=True,
    )
    rows = (
        (
            escape(fault_text(one.fault, lang)),
            *(f"{number:,}" for number in (one.stays, one.equal, one.evident, one.wrong)),
            amount_text(one.true_fen, _CNY),
            amount_text(one.billed_fen, _CNY),
        )
        for one in report.by_fault
    )
    heads = ("fault", "stays", *names, "true_fee", "billed_fee")
    return _section("by_fault", _key(names, lang) + bars + _table(heads, rows, lang), lang)


def _fees(report: Report, lang: Lang) -> str:
    fees = report.fees
    if not report.fees_compared:
        return ""
    parts = (("equal", "fee_right", fees.right), ("proved", "under", fees.under), ("more", "over", fees.over))
    split = "".join(f'<i class="{kind}" style="flex:{number}"></i>' for kind, _, number in parts)
    key = "".join(f'<i class="{kind}"></i>{word(name, lang)} {number:,}' for kind, name, number in parts)
    sums = _sums({"true_fee": report.true_fen, "billed_fee": report.billed_fen}, lang)
    return _section("fees", f'<div class="split">{split}</div><p class="key">{key} · {sums}</p>', lang)


def _certainty(report: Report, lang: Lang) -> str:
    if not report.certainty:
        return ""
    ordered = sorted(report.certainty.items(), key=lambda one: (one[0] != "certain", -one[1]))
    lines = [
        (certainty_text(name, lang), [("equal" if name == "certain" else "proved", number)], f"{number:,}")
        for name, number in ordered
    ]
    return _section("certainty", _bars(lines, title=word("certainty", lang)), lang)


def _payments(paid: Payments, lang: Lang) -> str:
    lines = [
        (
            way_text(way.way, lang),
            [("equal" if way.stored_fen == way.told_fen else "neither", way.stored_fen)],
            amount_text(way.stored_fen, _CNY),
        )
        for way in paid.ways
    ]
    rows = (
        (
            escape(way_text(way.way, lang)),
            f"{way.told:,}",
            amount_text(way.told_fen, _CNY),
            f"{way.stored:,}",
            amount_text(way.stored_fen, _CNY),
        )
        for way in paid.ways
    )
    heads = ("way", "told", "told", "stored", "stored")
    broken = f'<span class="bad">{word("books_broken", lang)}: {escape(" ".join(paid.broken))}</span>'
    books = broken if paid.broken else word("books_hold", lang)
    sums = _sums({"received": paid.received_fen, "due": paid.due_fen}, lang)
    bars = _bars(lines, title=word("payments", lang))
    return _section("payments", f'{bars}{_table(heads, rows, lang)}<p class="key">{sums} · {books}</p>', lang)


def _differences(name: str, found: Sequence[Difference], lang: Lang) -> str:
    if not found:
        return ""
    heads = "".join(f'<th class="left">{word(head, lang)}</th>' for head in ("space", "at", "what", "look"))
    rows = "".join(
        f'<tr><td>{escape(one.space or "")}</td><td class="left">{escape((one.entered_at or "")[:19])}</td>'
        f'<td class="what">{escape(sentence(one, lang))}</td><td class="id left">{_command(one)}</td></tr>'
        for one in found
    )
    return (
        f'<section class="long"><h2>{word(name, lang)}</h2><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )


def _examples(report: Report) -> list[Difference]:
    """A few of each sort."""
    of_a_kind: dict[Why, list[Difference]] = {}
    for one in report.differences:
        if one.is_evident:
            of_a_kind.setdefault(one.why, []).append(one)
    return [one for found in of_a_kind.values() for one in found[:MOST_OF_A_KIND]]


def _command(difference: Difference) -> str:
    return f"parking explain<br>{escape(difference.session_id)}" if difference.session_id else ""


def _bars(lines: Sequence[tuple[str, Sequence[Part], str]], *, title: str, is_share: bool = False) -> str:
    """Lying bars of parts with a word before and a value behind; with ``is_share`` each is as long as the others."""
    most = max((sum(number for _, number in parts) for _, parts, _ in lines), default=0) or 1
    room = WIDTH - WORDS_WIDTH - VALUES_WIDTH
    height = LINE * len(lines) + 4
    drawn = [opening(title, height)]
    for index, (name, parts, value) in enumerate(lines):
        y, x = 2 + LINE * index, float(WORDS_WIDTH)
        whole = sum(number for _, number in parts) or 1
        drawn.append(f'<text class="name" x="0" y="{y + 12}">{escape(name)}</text>')
        for kind, number in parts:
            long = room * number / (whole if is_share else most)
            drawn.append(f'<rect class="{kind}" x="{x:.1f}" y="{y + 3}" width="{long:.1f}" height="{LINE - 7}"/>')
            x += long
        drawn.append(f'<text class="value" x="{x + 6:.1f}" y="{y + 12}">{escape(value)}</text>')
    return "".join([*drawn, "</svg>"])


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]], lang: Lang) -> str:
    head = "".join(f"<th>{word(name, lang)}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _key(names: Iterable[str], lang: Lang) -> str:
    return '<p class="key">' + "".join(f'<i class="{name}"></i>{word(name, lang)}' for name in names) + "</p>"


def _sums(amounts: Mapping[str, int], lang: Lang) -> str:
    return " · ".join(f"{word(name, lang)} {amount_text(fen, _CNY)}" for name, fen in amounts.items())


def _section(name: str, content: str, lang: Lang) -> str:
    return f"<section><h2>{word(name, lang)}</h2>{content}</section>"
