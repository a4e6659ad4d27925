"""A preview as one HTML file that prints well: figures, charts, tables, notes. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from billing.phrases import HOUR, Lang
from billing.preview import LENGTHS, Change, Preview, Sum, length_text
from ops.report.charts import Pair, amount_text, difference_bars, paired_bars
from ops.report.preview_words import notes, share_text, word

MOST_LOTS_DRAWN: Final = 40

CSS: Final = """
@page { size: A4; margin: 14mm 13mm }
* { box-sizing: border-box; print-color-adjust: exact; -webkit-print-color-adjust: exact }
:root { --ink: #16202c; --soft: #5b6774; --rule: #d9dee4; --before: #a9b4c0; --after: #1d5fc4; --more: #b4501b;
  --less: #1f7a56 }
body { font: 13px/1.5 system-ui, "Noto Sans CJK SC", "Noto Sans SC", sans-serif; color: var(--ink); margin: 0 auto;
  max-width: 780px; padding: 26px 30px }
h1 { font-size: 23px; line-height: 1.25; margin: 0 0 2px } h2 { font-size: 15px; margin: 26px 0 6px }
.sub { color: var(--soft); margin: 0 0 16px } ul { margin: 0; padding-left: 18px }
.figures { display: flex; border: 1px solid var(--rule); border-radius: 6px; margin: 0 0 6px }
.figures div { flex: 1; padding: 9px 14px; border-left: 1px solid var(--rule) } .figures div:first-child { border: 0 }
.figures b { display: block; font-size: 19px; font-variant-numeric: tabular-nums; white-space: nowrap }
.figures span { color: var(--soft) } .more { color: var(--more); fill: var(--more) }
.less { color: var(--less); fill: var(--less) }
section { break-inside: avoid } section.long { break-inside: auto }
.split { display: flex; height: 9px; border-radius: 5px; overflow: hidden; margin: 8px 0 4px }
.split i { display: block } .key { color: var(--soft) } .key i { display: inline-block; width: 10px; height: 10px;
  border-radius: 2px; margin: 0 5px 0 14px } .key i:first-child { margin-left: 0 }
svg { display: block; width: 100%; height: auto; font: 11px system-ui, "Noto Sans CJK SC", sans-serif }
.before { fill: var(--before); background: var(--before) } .after { fill: var(--after); background: var(--after) }
.grid { stroke: var(--rule) } .axis { stroke: var(--soft) } .tick { text-anchor: end; fill: var(--soft) }
.label { text-anchor: middle; fill: var(--soft) } svg .name, svg .value { fill: var(--ink) }
table { border-collapse: collapse; width: 100%; margin-top: 8px; font-variant-numeric: tabular-nums; font-size: 12px }
th { text-align: right; font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--ink); padding: 3px 6px }
td { text-align: right; border-bottom: 1px solid var(--rule); padding: 3px 6px; white-space: nowrap }
th:first-child, td:first-child { text-align: left; padding-left: 0 } thead { display: table-header-group }
tr { break-inside: avoid } tfoot td { font-weight: 600; border-bottom: 0 }
td.id { font: 10.5px ui-monospace, monospace } .notes { color: var(--soft); margin-top: 24px }
@media print { body { padding: 0; max-width: none } }
"""


def preview_html(preview: Preview, *, lang: Lang, lots: Sequence[str] | None, written_at: datetime) -> str:
    """The report of a preview.

    Args:
        preview: what was found.
        lang: of all words in it.
        lots: the lots that were looked at; none: all.
        written_at: shown at its end.
    """
    draft, counted = preview.draft, preview.tally
    name = draft.document.name.zh if lang == "zh" else draft.document.name.en
    zone = draft.zone
    where = ", ".join(lots) if lots is not None else word("all_lots", lang)
    parts = [
        f"<h1>{word('title', lang)}: {escape(name)}</h1>",
        (
            f'<p class="sub">{escape(draft.code)} · {word("period", lang)} {_local(preview.since, zone)} – '
            f"{_local(preview.until, zone)} ({escape(str(zone))}) · {escape(where)}</p>"
        ),
        _figures(counted.total, draft.currency, lang),
        _section(word("rules", lang), f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in draft.summary(lang))}</ul>"),
    ]
    if counted.total.stays:
        parts += _charts(preview, lang)
        parts += [_examples(name, changes, zone, preview, lang) for name, changes in _extremes(preview)]
    else:
        parts.append(f"<p>{word('nothing', lang)}</p>")
    told = "".join(f"<li>{escape(note)}</li>" for note in notes(preview, lang))
    parts.append(f'<ul class="notes">{told}</ul><p class="key">{_local(written_at, zone)}</p>')
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{word("title", lang)}: {escape(name)}</title>'
        f"<style>{CSS}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _figures(total: Sum, currency: str, lang: Lang) -> str:
    kind = "more" if total.difference_fen > 0 else "less"
    share = share_text(total.difference_fen, total.billed_fen)
    figures = (
        (f"{total.stays:,}", word("stays", lang), ""),
        (amount_text(total.billed_fen, currency), word("billed", lang), ""),
        (amount_text(total.draft_fen, currency), word("by_draft", lang), ""),
        (amount_text(total.difference_fen, currency, signed=True), f"{word('difference', lang)} {share}", kind),
    )
    cells = "".join(f'<div><b class="{kind}">{value}</b><span>{words}</span></div>' for value, words, kind in figures)
    colours = (("dearer", total.dearer, "more"), ("same", total.same, "before"), ("cheaper", total.cheaper, "less"))
    bars = "".join(
        f'<i style="flex:{number};background:var(--{colour})"></i>' for _, number, colour in colours if number
    )
    key = "".join(
        f'<i style="background:var(--{colour})"></i>{word(name, lang)} {number:,}' for name, number, colour in colours
    )
    return f'<div class="figures">{cells}</div><div class="split">{bars}</div><p class="key">{key}</p>'


def _charts(preview: Preview, lang: Lang) -> list[str]:
    counted, currency = preview.tally, preview.draft.currency
    hours = [(f"{hour:02d}", counted.by_hour.get(hour, Sum())) for hour in range(24)]
    lengths = [(length_text(index, lang), counted.by_length[index]) for index in sorted(counted.by_length)]
    days = [(f"{day:%m-%d}", counted.by_day[day]) for day in sorted(counted.by_day)]
    lots = sorted(counted.by_lot.items(), key=lambda one: (-abs(one[1].difference_fen), one[0]))
    drawn = [(lot, int(one.difference_fen)) for lot, one in lots[:MOST_LOTS_DRAWN]]
    by_lot = difference_bars(drawn, title=word("by_lot", lang), currency=currency)
    key = (
        f'<p class="key"><i class="before"></i>{word("billed", lang)}<i class="after"></i>{word("by_draft", lang)}</p>'
    )

    drawn_lengths = [(_short(index), counted.by_length[index]) for index in sorted(counted.by_length)]

    def pairs(rows: Sequence[tuple[str, Sum]], name: str) -> str:
        bars = [Pair(label=label, before_fen=one.billed_fen, after_fen=one.draft_fen) for label, one in rows]
        return paired_bars(bars, title=word(name, lang), currency=currency) + key

    busy_hours = [(f"{label}:00", one) for label, one in hours if one.stays]
    return [
        _section(
            word("by_hour", lang), pairs(hours, "by_hour"), _table("hour", busy_hours, counted.total, currency, lang)
        ),
        _section(
            word("by_length", lang),
            pairs(drawn_lengths, "by_length"),
            _table("length", lengths, counted.total, currency, lang),
        ),
        _section(word("by_day", lang), pairs(days, "by_day")),
        _section(word("by_lot", lang), by_lot, _table("lot", sorted(lots), counted.total, currency, lang), kind="long"),
    ]


def _table(first: str, rows: Iterable[tuple[str, Sum]], total: Sum, currency: str, lang: Lang) -> str:
    heads = (first, "stays", "billed", "by_draft", "difference", "", "dearer", "cheaper")
    head = "".join(f"<th>{word(name, lang) if name else ''}</th>" for name in heads)
    body = "".join(_row(label, one, currency) for label, one in rows)
    foot = _row(word("total", lang), total, currency)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody><tfoot>{foot}</tfoot></table>"


def _row(label: str, one: Sum, currency: str) -> str:
    kind = "more" if one.difference_fen > 0 else "less" if one.difference_fen < 0 else ""
    cells = (
        f"{one.stays:,}",
        amount_text(one.billed_fen, currency),
        amount_text(one.draft_fen, currency),
        f'<span class="{kind}">{amount_text(one.difference_fen, currency, signed=True)}</span>',
        share_text(one.difference_fen, one.billed_fen),
        f"{one.dearer:,}",
        f"{one.cheaper:,}",
    )
    return f"<tr><td>{escape(label)}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _extremes(preview: Preview) -> list[tuple[str, list[Change]]]:
    found = (("dearest", preview.tally.dearest), ("cheapest", preview.tally.cheapest))
    return [(name, changes) for name, changes in found if changes]


def _examples(name: str, changes: Iterable[Change], zone: ZoneInfo, preview: Preview, lang: Lang) -> str:
    currency = preview.draft.currency
    heads = ("session", "lot", "arrived", "left", "billed", "by_draft", "difference")
    head = "".join(f"<th>{word(one, lang)}</th>" for one in heads)
    body = "".join(
        f'<tr><td class="id">{escape(change.session_id)}</td><td>{escape(change.lot)}</td>'
        f"<td>{_local(change.entered_at, zone)}</td><td>{_local(change.left_at, zone)}</td>"
        f"<td>{amount_text(change.billed_fen, currency)}</td><td>{amount_text(change.draft_fen, currency)}</td>"
        f"<td>{amount_text(change.difference_fen, currency, signed=True)}</td></tr>"
        for change in changes
    )
    return _section(word(name, lang), f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _short(index: int) -> str:
    """A length of stay as narrow as a bar, such as ``15–30 min`` or ``2–4 h``."""
    begins, ends = (*LENGTHS, 0)[index : index + 2]
    unit, minutes = ("h", HOUR) if max(begins, ends) > HOUR else ("min", 1)
    if not begins or not ends:
        return f"{'<' if ends else '≥'} {(begins or ends) // minutes} {unit}"
    return f"{begins // minutes}–{ends // minutes} {unit}"


def _section(title: str, *contents: str, kind: str = "") -> str:
    return f'<section class="{kind}"><h2>{title}</h2>{"".join(contents)}</section>'


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
