"""A price notice in plain words, Chinese and English: for the notice board, and in one line for the map. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from billing.phrases import Lang, minutes_text, most_text, said, scope_text
from billing.tariff.document import Band, Cap, Flat, Free, Plan, TariffDocument, Text, Tier, Window
from core.money import yuan_text

DAYS: Final = {
    "all": ("每天", "every day"),
    "mon": ("周一", "Mon"),
    "tue": ("周二", "Tue"),
    "wed": ("周三", "Wed"),
    "thu": ("周四", "Thu"),
    "fri": ("周五", "Fri"),
    "sat": ("周六", "Sat"),
    "sun": ("周日", "Sun"),
    "workday": ("工作日", "workdays"),
    "restday": ("休息日及节假日", "rest days and holidays"),
    "weekend": ("周末", "weekends"),
    "holiday": ("法定节假日", "public holidays"),
    "make_up": ("调休上班日", "make-up working days"),
    "other": ("其他日子", "other days"),
}
VEHICLES: Final = {
    "small": ("小型车", "small vehicles"),
    "large": ("大型车", "large vehicles"),
    "motorcycle": ("摩托车", "motorcycles"),
    "small-nev": ("小型新能源车", "small new-energy vehicles"),
    "large-nev": ("大型新能源车", "large new-energy vehicles"),
    "police": ("警车", "police"),
    "military": ("军车", "military"),
    "fire": ("消防车", "fire engines"),
    "ambulance": ("救护车", "ambulances"),
    "rescue": ("救援车", "rescue vehicles"),
    "sanitation": ("环卫车", "sanitation"),
    "utility_repair": ("市政抢修车", "utility repair on duty"),
    "disabled_certified": ("持证残疾人车辆", "certified disabled drivers"),
    "hearse": ("殡葬车", "hearses"),
    "cash_van": ("运钞车", "cash vans"),
}
WHOLE_PRICE: Final = 100


def summary(document: TariffDocument, lang: Lang) -> list[str]:
    """The rules as sentences without full stops, in the order in which a notice prints them."""
    lines: list[str] = []
    for name, plan in document.plans.items():
        whom = [vehicle_text(document, one, lang) for one in _classes_of(document, name)]
        prefix = "" if len(document.plans) == 1 else said((f"{'、'.join(whom)}：", f"{', '.join(whom)}: "), lang)
        lines += [prefix + sentence for sentence in _plan(document, plan, lang)]
    lines += _classes(document, lang)
    if document.exempt:
        exempt = [vehicle_text(document, word, lang) for word in document.exempt]
        lines.append(said((f"免费车辆：{'、'.join(exempt)}", f"free of charge: {', '.join(exempt)}"), lang))
    return lines


def price_summary(document: TariffDocument, lang: Lang) -> str:
    """The default class's price in one line for a map: free minutes, the first prices, the cap."""
    plan = document.plans[document.classes[document.default_class].plan or next(iter(document.plans))]
    parts = [_free_short(free, lang) for free in plan.free[:1]]
    charged = [band for band in plan.bands if any(tier.price_fen for tier in band.tiers)]
    if not charged:
        return said(("免费", "free"), lang)
    for band in charged[:2]:
        windows = _hours(band.windows[0]) if band.windows else ""
        parts.append(f"{windows} {_tiers_text(band, document.currency, lang)}".strip())
    parts += [_cap(plan, cap, document.currency, lang) for cap in plan.caps[:1]]
    parts += [
        f"{_text(flat.label, lang)} {yuan_text(flat.price_fen, document.currency)}"
        for flat in plan.flats[:1]
        if flat.label is not None
    ]
    return said(("；", "; "), lang).join(parts)


def windows_text(windows: Sequence[Window], lang: Lang) -> str:
    """When something holds that is not a notice's, such as a pass."""
    if not windows:
        return said(("任何时间", "at any time"), lang)
    comma = said(("、", ", "), lang)
    words = [
        f"{comma.join(said(DAYS.get(word, (word, word)), lang) for word in one.days)} {_hours(one)}".strip()
        for one in windows
    ]
    return said(("；", "; "), lang).join(words)


def vehicle_text(document: TariffDocument, word: str, lang: Lang) -> str:
    """What a vehicle class is called: the notice's own name for it, a common one, or its word."""
    rules = document.classes.get(word)
    if rules and rules.label:
        return _text(rules.label, lang)
    return said(VEHICLES.get(word, (word, word)), lang)


def days_text(document: TariffDocument, word: str, lang: Lang) -> str:
    """What a kind of day is called."""
    own = {one.name: one.label for one in document.day_classes}
    label = own.get(word)
    return _text(label, lang) if label else said(DAYS.get(word, (word, word)), lang)


def _plan(document: TariffDocument, plan: Plan, lang: Lang) -> Iterator[str]:
    for free in plan.free:
        yield _free(plan, free, lang)
    for band in plan.bands:
        when = said(("、", ", "), lang).join(_window(document, one, lang) for one in band.windows or (Window(),))
        what = _tiers_text(band, document.currency, lang) if band.tiers else said(("免费", "free"), lang)
        yield said((f"{when}：{what}", f"{when}: {what}"), lang)
    if plan.outside == "free":
        yield said(("其他时间不收费", "other hours are not charged"), lang)
    for cap in plan.caps:
        yield _cap(plan, cap, document.currency, lang)
    for flat in plan.flats:
        yield _flat(document, flat, lang)
    if plan.rounding.mode == "down":
        yield said(("不足一个计费单位的不计费", "an incomplete unit is not charged"), lang)


def _classes(document: TariffDocument, lang: Lang) -> Iterator[str]:
    for word, rules in document.classes.items():
        name = vehicle_text(document, word, lang)
        if rules.percent != WHOLE_PRICE:
            yield said((f"{name}：按 {rules.percent}% 计费", f"{name}: {rules.percent} % of these prices"), lang)
        plan = document.plans[rules.plan or next(iter(document.plans))]
        for free in rules.free:
            yield said(("{}：{}", "{}: {}"), lang).format(name, _free(plan, free, lang))
        if rules.reduced_to_percent != WHOLE_PRICE:
            percent = rules.reduced_to_percent
            yield said((f"{name}：按 {percent}% 收取", f"{name}: {percent} % of what is due"), lang)


def _classes_of(document: TariffDocument, plan: str) -> list[str]:
    only = next(iter(document.plans))
    return [name for name, rules in document.classes.items() if (rules.plan or only) == plan]


def _free(plan: Plan, free: Free, lang: Lang) -> str:
    length = minutes_text(free.minutes, lang)
    per = "" if free.per == "stay" else scope_text(free.per, plan.rolling_min, lang)
    if free.stays == "first_of_day":
        per = said(("当日首次停放", "the first stay of a day"), lang)
    if free.disc_min is not None:
        disc = minutes_text(free.disc_min, lang)
        return said(
            (
                f"停车盘：自下一个整 {disc} 起 {length}内免费",
                f"by disc: free for {length} from the next full {disc} on",
            ),
            lang,
        )
    if free.mode == "deducted":
        return said((f"{per}前 {length}免费", f"first {length}{f' of {per}' if per else ''} free"), lang)
    zh = f"{per}不超过 {length}（含）免费" if free.boundary == "inclusive" else f"{per}不足 {length}免费"
    each = f", in each {per}" if free.per == "rolling" else f", {per}" if per else ""
    return said((zh, f"{'up to' if free.boundary == 'inclusive' else 'under'} {length} free{each}"), lang)


def _free_short(free: Free, lang: Lang) -> str:
    length = minutes_text(free.minutes, lang)
    return said((f"免费 {length}", f"{length} free"), lang)


def _window(document: TariffDocument, window: Window, lang: Lang) -> str:
    days = said(("、", ", "), lang).join(days_text(document, word, lang) for word in window.days)
    return f"{days} {_hours(window)}".strip()


def _hours(window: Window) -> str:
    if (window.opens, window.closes) in {("00:00", "24:00"), ("00:00", "00:00")}:
        return ""
    return f"{window.opens}-{window.closes}"


def _cap(plan: Plan, cap: Cap, currency: str, lang: Lang) -> str:
    text = most_text(yuan_text(cap.amount_fen, currency), cap.per, cap.rolling_min or plan.rolling_min, lang)
    first, last = cap.from_period, cap.to_period
    if first == 1 and last is None:
        return text
    if last is None:
        return said((f"第 {first} 个周期起，{text}", f"from period {first} on {text}"), lang)
    if first == last:
        return said((f"第 {first} 个周期，{text}", f"in period {first} {text}"), lang)
    return said((f"第 {first} 至 {last} 个周期，{text}", f"in periods {first} to {last} {text}"), lang)


def _flat(document: TariffDocument, flat: Flat, lang: Lang) -> str:
    arrives = said(("、", ", "), lang).join(_window(document, one, lang) for one in flat.arrives)
    price = yuan_text(flat.price_fen, document.currency)
    later, since = flat.leaves_by_days_later, flat.leaves_from
    day = said(
        ("次日 " if later == 1 else f"{later} 天后 ", " the next day" if later == 1 else f" {later} days later"), lang
    )
    if lang == "zh":
        leaves = (f"{since} 至 " if since else "") + f"{flat.leaves_by} 前"
        least = "" if flat.applies == "always" else "至多"
        return f"{arrives} 到达、{day if later else ''}{leaves}离开：{least}{price}"
    leaves = f"{f'between {since} and' if since else 'by'} {flat.leaves_by}{day if later else ''}"
    return f"arriving {arrives}, leaving {leaves}: {'' if flat.applies == 'always' else 'at most '}{price} in all"


def _tiers_text(band: Band, currency: str, lang: Lang) -> str:
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


def _text(label: Text, lang: Lang) -> str:
    return label.zh if lang == "zh" else label.en
