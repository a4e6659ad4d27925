"""The facts of a bill in words, Chinese and English. Pure."""

from typing import Final

from billing.lines import (
    CapReached,
    CouponTaken,
    CoveredBy,
    DecreedFree,
    Exempt,
    FlatPrice,
    FreeBand,
    FreeMinutesDeducted,
    Line,
    LinkedStaysCredited,
    LongerPriceWaits,
    OutsideWindows,
    PercentDue,
    ReachedTierCharged,
    Settled,
    TimeCharged,
    UnitsCharged,
    WithinFreeMinutes,
)
from billing.phrases import DAY, Lang, minutes_text, most_text, said, scope_text
from billing.tariff.words import VEHICLES
from core.money import yuan_text

ASSUMED: Final = {"zh": "（节假日安排未公布，按星期计）", "en": " (holidays not announced yet: by the weekday)"}
CLASS_ASSUMED: Final = {
    "zh": "车型未知，按默认车型计费",
    "en": "vehicle not known: priced as the notice's default class",
}


COVERED: Final = {
    "exempt": ("{}，不收费", "{}: not charged"),
    "pass": ("{} 号，已付费", "number {}, paid for"),
    "coupon": ("{}，不收费", "{}: not charged"),
}


def why_text(line: Line, lang: Lang, currency: str) -> str:
    """Why a line has its amount, one phrase without a full stop."""
    label = line.label[0 if lang == "zh" else 1]
    facts = _facts(line, lang, currency)
    text = f"{label}：{facts}" if lang == "zh" else f"{label}: {facts}"
    return text + (ASSUMED[lang] if line.calendar_assumed else "")


def _facts(line: Line, lang: Lang, currency: str) -> str:  # noqa: C901, PLR0911, PLR0912 - one case for each kind of fact
    zh = lang == "zh"
    match line.why:
        case UnitsCharged() as why:
            return _units(why, lang, currency)
        case TimeCharged(charged_min=charged, price_fen=price, per_min=per, step_min=step):
            each = f"{yuan_text(price, currency)}/{minutes_text(per, lang)}"
            return f"{charged} 分钟 × {each}，每 {step} 分钟计一次" if zh else f"{charged} min at {each}, by {step} min"
        case WithinFreeMinutes(free_min=free, inclusive=inclusive):
            if zh:
                return f"{minutes_text(free, lang)}{'（含）' if inclusive else '（不含）'}以内免费"
            return f"free {'up to' if inclusive else 'under'} {minutes_text(free, lang)}"
        case FreeMinutesDeducted(free_min=free, per=per):
            each = (
                "" if per == "stay" else f"（{scope_text(per, DAY, lang)}）" if zh else f" {scope_text(per, DAY, lang)}"
            )
            return f"免费 {minutes_text(free, lang)}{each}" if zh else f"{minutes_text(free, lang)} free{each}"
        case OutsideWindows():
            return "不收费" if zh else "not charged"
        case FreeBand():
            return "免费" if zh else "free"
        case DecreedFree(reason=reason):
            return f"{reason}，不收费" if zh else f"{reason}: not charged"
        case CoveredBy(kind=kind, note=note):
            return said(COVERED[kind], lang).format(note)
        case CouponTaken(kind="percent", value=value, bearer=bearer):
            return f"减免 {value}%（{bearer}）" if zh else f"{value} % off ({bearer})"
        case CouponTaken(value=value, bearer=bearer):
            off = yuan_text(value, currency)
            return f"减免至多 {off}（{bearer}）" if zh else f"up to {off} off ({bearer})"
        case CapReached(cap_fen=cap, per=per, rolling_min=rolling):
            return most_text(yuan_text(cap, currency), per, rolling, lang)
        case ReachedTierCharged() as why:
            return _reached(why, lang, currency)
        case LongerPriceWaits():
            return "按长时停放价格暂不加收" if zh else "the longer stay's price adds nothing yet"
        case FlatPrice(price_fen=price, percent=percent):
            text = f"{yuan_text(price, currency)}{_percent(percent)}"
            return f"在规定时段进出，一口价 {text}" if zh else f"came and went by its hours: {text} in all"
        case PercentDue(percent=percent):
            return f"按 {percent}% 收取" if zh else f"{percent} % is due"
        case LinkedStaysCredited(stays=stays):
            return (
                f"连续停放，减去前 {stays} 次已计费用"
                if zh
                else f"one stay with the {stays} before: what was due for it is taken off"
            )
        case Settled(to_fen=unit):
            return f"取整到 {yuan_text(unit, currency)}" if zh else f"made round to {yuan_text(unit, currency)}"
        case Exempt(vehicle=vehicle):
            name = said(VEHICLES.get(vehicle, (vehicle, vehicle)), lang)
            return f"{name}免费" if zh else f"{name}: free of charge"


def _units(why: UnitsCharged, lang: Lang, currency: str) -> str:
    price = yuan_text(why.price_fen, currency)
    percent = _percent(why.percent)
    if why.unit_min is None:
        if lang == "zh":
            return f"{price}{percent}" + ("" if why.units == 1 else "（未计）")
        return f"{price}{percent}" + ("" if why.units == 1 else " (not due)")
    unit = minutes_text(why.unit_min, lang)
    if why.units == 0:
        return f"不足 {unit}，不计费" if lang == "zh" else f"less than {unit} is not charged"
    return (
        f"{why.units} × {price}（每 {unit}）{percent}"
        if lang == "zh"
        else f"{why.units} × {price} ({unit} each){percent}"
    )


def _reached(why: ReachedTierCharged, lang: Lang, currency: str) -> str:
    price, over = yuan_text(why.price_fen, currency), minutes_text(why.over_min, lang)
    what = price if why.unit_min is None else f"{why.units} × {price}"
    percent = _percent(why.percent)
    if lang == "zh":
        each = "" if why.unit_min is None else f"（每 {minutes_text(why.unit_min, lang)}）"
        return f"超过 {over}，全程按 {what}{each}{percent}"
    each = "" if why.unit_min is None else f" ({minutes_text(why.unit_min, lang)} each)"
    return f"longer than {over}, for the whole stay {what}{each}{percent}"


def _percent(percent: int) -> str:
    return "" if percent == 100 else f" × {percent}%"  # noqa: PLR2004 - the whole price
