"""A price notice in plain words, Chinese and English: for the notice board, and in one line for the map. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from billing.phrases import Lang, minutes_text, most_text, said, scope_text
from billing.tariff.document import Cap, Flat, Free, Plan, Reentry, TariffDocument, Text, Window
from billing.tariff.tier_words import tiers_text
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
    if document.reentry:
        lines.append(_reentry(document.reentry, lang))
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
        parts.append(f"{windows} {tiers_text(band, document.currency, lang)}".strip())
    parts += [_cap(document, plan, cap, lang) for cap in plan.caps[:1]]
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
        yield _only(document, plan, free, lang) + _free(plan, free, lang)
    for band in plan.bands:
        when = said(("、", ", "), lang).join(_window(document, one, lang) for one in band.windows or (Window(),))
        what = tiers_text(band, document.currency, lang) if band.tiers else said(("免费", "free"), lang)
        yield said((f"{when}：{what}", f"{when}: {what}"), lang)
    if plan.outside == "free":
        yield said(("其他时间不收费", "other hours are not charged"), lang)
    for cap in plan.caps:
        yield _cap(document, plan, cap, lang)
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
            yield said(("{}：{}", "{}: {}"), lang).format(
                name, _only(document, plan, free, lang) + _free(plan, free, lang)
            )
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


def _only(document: TariffDocument, plan: Plan, rule: Free | Cap, lang: Lang) -> str:
    """Which hours or arrivals a rule is for, where it is not for all."""
    comma = said(("、", ", "), lang)
    windows = [one for band in plan.bands if band.name in rule.bands for one in band.windows or (Window(),)]
    words = [comma.join(_window(document, one, lang) for one in windows)] if windows else []
    if rule.arrives:
        arrives = comma.join(_window(document, one, lang) for one in rule.arrives)
        words.append(said((f"{arrives} 到达", f"arriving {arrives}"), lang))
    return "".join(said((f"{word}：", f"{word}: "), lang) for word in words)


def _reentry(reentry: Reentry, lang: Lang) -> str:
    length, under = minutes_text(reentry.within_min, lang), reentry.boundary == "exclusive"
    soon = said(
        (f"离开{'不足' if under else '不超过'} {length}又返回", f"back {'in under' if under else 'within'} {length}"),
        lang,
    )
    if reentry.effect == "no_new_free_time":
        return said((f"{soon}：不再享有免费时长", f"{soon}: no new free time"), lang)
    away = said(("，离开的时间不计", ", without the time away"), lang) if reentry.absence == "does_not_count" else ""
    return said((f"{soon}：自首次到达起计", f"{soon}: counted from the first arrival"), lang) + away


def _cap(document: TariffDocument, plan: Plan, cap: Cap, lang: Lang) -> str:
    amount = yuan_text(cap.amount_fen, document.currency)
    text = _only(document, plan, cap, lang) + most_text(amount, cap.per, cap.rolling_min or plan.rolling_min, lang)
    if cap.stays == "shared":
        text += said(("（同一车辆各次停放合计）", ", all stays of a vehicle together"), lang)
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


def _text(label: Text, lang: Lang) -> str:
    return label.zh if lang == "zh" else label.en
