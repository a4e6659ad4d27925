"""Small words that bills, tables and summaries share, Chinese and English. Pure."""

from typing import Final, Literal

Lang = Literal["zh", "en"]

HOUR: Final = 60
DAY: Final = 24 * HOUR

SCOPES: Final = {
    "stay": ("每次停放", "a stay"),
    "window": ("每个时段", "a window"),
    "calendar_day": ("每日", "a day"),
    "rolling": ("每周期", "a period"),
    "calendar_week": ("每周", "a week"),
    "calendar_month": ("每月", "a month"),
}


def said(pair: tuple[str, str], lang: Lang) -> str:
    """One of a Chinese and an English phrase."""
    return pair[0] if lang == "zh" else pair[1]


def minutes_text(minutes: int, lang: Lang) -> str:
    """A length of time as a notice prints it: ``30 min``, ``1 hour``, ``24 hours``, ``2 days``, ``1 h 15 min``."""
    hours, rest = divmod(minutes, HOUR)
    if minutes > DAY and minutes % DAY == 0:
        return f"{minutes // DAY} 天" if lang == "zh" else f"{minutes // DAY} days"
    if hours == 0:
        return f"{minutes} 分钟" if lang == "zh" else f"{minutes} min"
    if rest == 0:
        return f"{hours} 小时" if lang == "zh" else f"{hours} hour{'' if hours == 1 else 's'}"
    return f"{hours} 小时 {rest} 分" if lang == "zh" else f"{hours} h {rest} min"


def most_text(amount: str, per: str, rolling_min: int, lang: Lang) -> str:
    """A cap: ``at most ¥20.00 a day``, ``at most ¥30.00 in 24 hours``."""
    within = scope_text(per, rolling_min, lang)
    return said((f"{within}最高 {amount}", f"at most {amount} {'in ' if per == 'rolling' else ''}{within}"), lang)


def scope_text(per: str, rolling_min: int, lang: Lang) -> str:
    """``a day``, ``24 hours``: what a cap or free minutes go by."""
    return minutes_text(rolling_min, lang) if per == "rolling" else said(SCOPES[per], lang)
