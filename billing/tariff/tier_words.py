"""The prices of a band in plain words, Chinese and English. Pure."""

from billing.phrases import Lang, minutes_text, said
from billing.tariff.document import Band, Tier
from core.money import yuan_text


def tiers_text(band: Band, currency: str, lang: Lang) -> str:
    """The prices one after the other: ``¥3.00/hour up to 2 hours, then ¥1.00/30 min``."""
    whole = band.reached_tier != "its_part"
    text = said(("，", ", "), lang).join(_tier(tier, currency, lang, whole=whole) for tier in band.tiers)
    never_less = said(("（不低于前段费用）", " (never less than before)"), lang)
    return text + (never_less if band.reached_tier == "whole_stay_never_less" else "")


def _tier(tier: Tier, currency: str, lang: Lang, *, whole: bool = False) -> str:
    price = yuan_text(tier.price_fen, currency)
    if tier.unit_min is None:
        each = said((f"{price}/次", price if tier.to_min else f"{price} once"), lang)
    elif tier.per_min is None:
        each = f"{price}/{_unit(tier.unit_min, lang)}"
    else:
        each = f"{price}/{_unit(tier.per_min, lang)}"
    first, last = tier.from_min, tier.to_min
    if whole and first:
        over = minutes_text(first, lang)
        return said((f"超过 {over}，全程 {each}", f"longer than {over}: {each} for the whole stay"), lang)
    if last is not None:
        upto = minutes_text(last, lang)
        zh = f"{upto}内 {each}" if first == 0 else f"{minutes_text(first, lang)}至 {upto} {each}"
        return said((zh, f"{'' if first == 0 else 'then '}{each} up to {upto}"), lang)
    if first == 0:
        return each
    return said((f"超过 {minutes_text(first, lang)} {each}", f"then {each}"), lang)


def _unit(minutes: int, lang: Lang) -> str:
    text = minutes_text(minutes, lang)
    return text.removeprefix("1 ")
