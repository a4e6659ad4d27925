"""The words of a preview, Chinese and English, for the terminal and for paper. Pure."""

from typing import Final

from billing.phrases import Lang
from billing.preview import Preview

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("收费方案试算", "What a draft would change"),
    "draft": ("方案", "draft"),
    "period": ("驶入时间", "arrivals"),
    "rules": ("方案内容", "The draft in words"),
    "stays": ("停放次数", "stays"),
    "billed": ("现已计费", "billed"),
    "by_draft": ("按方案计费", "by the draft"),
    "difference": ("差额", "difference"),
    "dearer": ("变贵", "dearer"),
    "same": ("不变", "the same"),
    "cheaper": ("变便宜", "cheaper"),
    "lot": ("停车场", "lot"),
    "hour": ("驶入时段", "hour of arrival"),
    "length": ("停放时长", "length of stay"),
    "day": ("日期", "day"),
    "session": ("停放记录", "session"),
    "arrived": ("驶入", "arrived"),
    "left": ("驶离", "left"),
    "by_lot": ("按停车场", "By lot"),
    "by_hour": ("按驶入时段", "By hour of arrival"),
    "by_length": ("按停放时长", "By length of stay"),
    "by_day": ("按日期", "By day"),
    "dearest": ("涨幅最大的停放", "Stays that would rise most"),
    "cheapest": ("降幅最大的停放", "Stays that would fall most"),
    "total": ("合计", "total"),
    "all_lots": ("全部停车场", "all lots"),
    "nothing": ("该时段内没有已计费的停放", "no stay of that time is billed"),
}

UNCHANGED: Final = (
    "试算假定停车行为不变：真实的价格调整会改变停放时长和去向。",
    "People are taken to park as they did: a real change of price changes how long they stay, and where.",
)
NO_HISTORY: Final = (
    "同一车辆的前次停放未计入（方案中按车辆累计的免费时长、封顶和再次驶入规则按单次停放计算）。",
    "Earlier stays of the same vehicle are not looked at: rules that add up a vehicle's stays see each alone.",
)


def word(name: str, lang: Lang) -> str:
    """One word or title."""
    zh, en = WORDS[name]
    return zh if lang == "zh" else en


def notes(preview: Preview, lang: Lang) -> list[str]:
    """What whoever reads the figures must know, sentences."""
    zh = lang == "zh"
    found = [UNCHANGED[0 if zh else 1]]
    looks_back = preview.draft.reentry or any(rate.looks_back for rate in preview.draft.rates.values())
    if looks_back:
        found.append(NO_HISTORY[0 if zh else 1])
    if preview.unbilled:
        found.append(
            f"另有 {preview.unbilled} 次停放尚未计费，未计入。"
            if zh
            else f"{preview.unbilled} ended stays have no bill yet and are left out."
        )
    if preview.tally.classes_unknown:
        found.append(
            f"{preview.tally.classes_unknown} 次停放的车型在方案中没有定义，按默认车型计算。"
            if zh
            else f"{preview.tally.classes_unknown} stays are of a class the draft does not know: priced as its default."
        )
    return found


def share_text(part: int, whole: int) -> str:
    """A difference as a share of what it is measured by, ``+12.3 %``; empty where there is nothing to measure by."""
    return f"{100 * part / whole:+.1f} %" if whole else ""
