"""A receipt as the body of a page: everything escaped, no script needed to read it. Pure."""

from html import escape

from billing.phrases import Lang, said
from billing.receipts.content import Receipt
from billing.receipts.qr import qr_svg
from billing.receipts.wording import SCAN, Amount, word


def receipt_body(receipt: Receipt, lang: Lang, *, url: str, pdf_url: str, token: str) -> str:
    """The inside of ``main``; ``token`` is drawn as a code that a device checks without a network."""
    worded = word(receipt, lang)
    parts = [f"<h1>{escape(worded.title)}</h1>"]
    if worded.leave_by is not None:
        label, time, after = worded.leave_by
        parts.append(
            f'<p class="leave-by"><span>{escape(label)}</span><strong class="number">{escape(time)}</strong>'
            f"<small>{escape(after)}</small></p>"
        )
    facts = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in worded.facts)
    parts.append(f'<dl class="facts">{facts}</dl>')
    parts.extend(_table(amounts) for amounts in (worded.fee, worded.settled))
    parts.append(_codes(lang, url, token))
    parts.extend(f'<p class="note">{escape(note)}</p>' for note in worded.notes)
    other = ("English", "en", "en") if lang == "zh" else ("中文", "zh", "zh-CN")
    parts.append(
        '<p class="actions">'
        f'<a class="button strong" href="{escape(pdf_url)}" download>{said(("下载 PDF", "PDF"), lang)}</a>'
        f'<a class="button" href="?lang={other[1]}" lang="{other[2]}" hreflang="{other[2]}">{other[0]}</a></p>'
    )
    return "\n".join(parts)


def _table(amounts: tuple[Amount, ...]) -> str:
    return f'<table class="amounts"><tbody>{"".join(_row(one) for one in amounts)}</tbody></table>'


def _row(one: Amount) -> str:
    strong = ' class="strong"' if one.strong else ""
    return f'<tr{strong}><th scope="row">{escape(one.label)}</th><td class="number">{escape(one.amount)}</td></tr>'


def _codes(lang: Lang, url: str, token: str) -> str:
    offline = said(("离线核验码", "Checked without a network"), lang)
    return (
        '<div class="codes">'
        f"<figure>{qr_svg(url, css_class='qr')}<figcaption>{escape(said(SCAN, lang))}</figcaption></figure>"
        f"<figure>{qr_svg(token, css_class='qr')}<figcaption>{escape(offline)}</figcaption></figure></div>"
    )
