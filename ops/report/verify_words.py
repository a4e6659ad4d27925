"""The words of a verification on paper, Chinese and English. Pure."""

from typing import Final

from billing.phrases import Lang
from billing.receipts.wording import PROVIDERS
from core.money import yuan_text
from ops.verify.report import Difference, Why

_SECOND_MS: Final = 1_000

WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("与事实核对", "Held against what really happened"),
    "until": ("截至", "until"),
    "right": (
        "全部与事实一致；读数无法说明之处与读数所能证明的一致，没有一分钱超出证据。",
        (
            "Everything is as it really was or, where no reading could say that, as the readings prove; "
            "nothing is charged beyond them."
        ),
    ),
    "equal_all": (
        "全部与事实一致，精确到毫秒和分。",
        "Everything is as it really was, to the millisecond and the fen.",
    ),
    "wrong": ("处不符，证据不能解释", "differences that the evidence does not account for"),
    "stays": ("停放", "stays"),
    "equal": ("与事实一致", "as it was"),
    "proved": ("与证据一致", "as proved"),
    "neither": ("都不一致", "neither"),
    "beyond": ("超出证据收费", "beyond the evidence"),
    "readings": ("读数（发出 / 入库）", "readings sent / stored"),
    "by_fault": ("按故障的准确度", "Accuracy by fault"),
    "fault": ("故障", "fault"),
    "true_fee": ("应收", "true"),
    "billed_fee": ("已计", "billed"),
    "fees": ("费用", "Fees"),
    "fee_right": ("相符", "right"),
    "under": ("少计", "under"),
    "over": ("多计", "over"),
    "certainty": ("停放记录的确定程度", "Ended sessions by certainty"),
    "payments": ("付款（按方式）", "Payments by way"),
    "way": ("方式", "way"),
    "told": ("付款人所记", "as people tell"),
    "stored": ("入账", "stored and booked"),
    "books": ("账簿", "Books"),
    "received": ("已收", "received"),
    "due": ("未付", "due"),
    "books_hold": ("账簿的每条不变式都成立", "every invariant of the books holds"),
    "books_broken": ("不成立的不变式", "broken invariants"),
    "first_wrong": ("首先要看的不符之处", "What to look at first"),
    "first_evident": ("读数无法说明的差别（举例）", "Where no reading could say what was so (some)"),
    "space": ("车位", "space"),
    "at": ("时间", "at"),
    "what": ("说明", "what"),
    "look": ("查看", "look"),
    "none": ("无故障", "none"),
    "certain": ("确定", "certain"),
}

FAULTS: Final = {
    "repeated": "重复发送",
    "late": "迟到",
    "lost": "丢失",
    "flapping": "抖动",
    "stuck": "卡住不变",
    "dying-battery": "电池耗尽",
    "drifting-clock": "时钟漂移",
    "reset-counter": "计数器复位",
    "gateway-outage": "网关中断",
    "power-cut": "断电",
}
DOUBTS: Final[dict[str, tuple[str, str]]] = {
    "arrival-not-reported": ("到达未报", "arrival not reported"),
    "departure-not-reported": ("离开未报", "departure not reported"),
    "silent-inside": ("其间失联", "silent inside"),
    "mostly-gap": ("空隙多于停放", "more gap than stay"),
}
_HOW: Final[dict[str, tuple[str, str]]] = {
    "native": ("扫码", "code"),
    "precreate": ("扫码", "code"),
    "h5": ("浏览器", "browser"),
    "wap": ("浏览器", "browser"),
    "jsapi": ("应用内", "in the app"),
}
_WHY_ZH: Final = {
    Why.MISSING: "有车停放，没有记录",
    Why.EXTRA: "没有车来过，却有记录",
    Why.BEGIN: "开始时间不符",
    Why.END: "结束时间不符",
    Why.NOT_ENDED: "车已离开，记录仍未结束",
    Why.ENDED_EARLY: "车还在，记录已经结束",
    Why.UNSURE: "标为不确定",
    Why.NOT_BILLED: "尚未计费",
    Why.FEE: "费用不符",
    Why.VOID_CHARGED: "作废的记录仍在收费",
    Why.READINGS: "读数没有恰好各存一次",
    Why.UNPROVED: "记录与读数所证明的不一致",
    Why.BEYOND: "收费超出证据",
    Why.SHORT: "收费低于证据",
    Why.PAYMENT_MISSING: "已付的款没有入库",
    Why.PAYMENT_DIFFERS: "付款与所付不符",
    Why.PAID_BY_NOBODY: "有一笔没有人付过的款",
    Why.NOT_BOOKED: "付款没有恰好入账一次",
    Why.BOOKS: "账簿的不变式不成立",
}


def word(name: str, lang: Lang) -> str:
    """One word or title."""
    zh, en = WORDS[name]
    return zh if lang == "zh" else en


def fault_text(fault: str, lang: Lang) -> str:
    """A fault's name; in English as scenarios and the truth have it."""
    if fault == "none":
        return word("none", lang)
    return FAULTS.get(fault, fault) if lang == "zh" else fault


def certainty_text(name: str, lang: Lang) -> str:
    """``certain``, or the reason to be unsure."""
    if name in WORDS:
        return word(name, lang)
    zh, en = DOUBTS.get(name, (name, name))
    return zh if lang == "zh" else en


def way_text(channel: str, lang: Lang) -> str:
    """A way to pay: the provider, and how, where whoever pays has chosen that too."""
    provider, _, how = channel.partition("_")
    pairs = [PROVIDERS.get(provider, (provider, provider)), *([_HOW.get(how, (how, how))] if how else [])]
    return " · ".join(pair[0 if lang == "zh" else 1] for pair in pairs)


def sentence(difference: Difference, lang: Lang) -> str:
    """What is not as it should be."""
    if lang == "en":
        return f"{difference.why}: {difference.detail}"
    told = _WHY_ZH[difference.why]
    if difference.apart_ms:
        told += f"：{'晚' if difference.apart_ms > 0 else '早'} {abs(difference.apart_ms) / _SECOND_MS:,.3f} 秒"
    if difference.apart_fen:
        told += f"：{'多' if difference.apart_fen > 0 else '少'} {yuan_text(abs(difference.apart_fen))}"
    return told
