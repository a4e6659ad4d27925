"""From a scenario's file to a ``Scenario``: every word is checked, and a wrong one named with its line."""

from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Final, get_args

from pydantic import ValidationError

from core.errors import InvalidError
from simulator.drivers.habits import Habit
from simulator.faults import Fault, Faults, Spell
from simulator.faults.description import DAY_MINUTES, OF_LOTS, OF_SENSORS
from simulator.gateway.faults import CallFault, NoticeFault, Rule, Script
from simulator.rhythms import RHYTHMS
from simulator.scenarios.reading import ScenarioInvalidError, Written, plain, read_yaml
from simulator.scenarios.scenario import DAYS, Arrivals, PriceChange, ProviderTrouble, Scenario

FOLDER: Final = Path(__file__).parent
NOTICES: Final = FOLDER / "notices"

_MEMBERS: Final = (
    "zh", "en", "begins", "speed", "minutes", "history", "seed", "arrivals", "faults", "paying", "by-map", "provider",
    "prices",
)  # fmt: skip
_PLACES: Final = tuple(rhythm.name for rhythm in RHYTHMS)
_MINUTE_MS: Final = 60_000
_LEAST_SHARES, _MOST_SHARES = 0.999, 1.001


def load_scenario(name_or_path: str | Path) -> Scenario:
    """A shipped scenario by its name, or one of one's own by its file.

    Raises:
        ScenarioInvalidError: something in it is wrong; names the line and the nearest valid word.
        InvalidError: there is no such scenario; names the nearest.
    """
    text = str(name_or_path)
    path = FOLDER / f"{text}.yaml" if "/" not in text and not text.endswith((".yaml", ".yml")) else Path(text)
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InvalidError(_unknown(text)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidError(f"{path} cannot be read: {error}") from error
    return _scenario(read_yaml(content, path.name), path.stem, sha256(content.encode()).hexdigest()[:12])


def list_scenarios() -> list[Scenario]:
    """The shipped ones, by name."""
    return [load_scenario(path.stem) for path in sorted(FOLDER.glob("*.yaml"))]


def notice_of(change: PriceChange) -> bytes:
    """The price notice that a scenario brings, without the day on which it begins."""
    return (NOTICES / f"{change.notice}.json").read_bytes()


def _unknown(text: str) -> str:
    names = [path.stem for path in sorted(FOLDER.glob("*.yaml"))]
    near = get_close_matches(text, names, n=1, cutoff=0.5)
    meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    return f"there is no scenario {text!r}; {meant}"


def _scenario(written: Written, name: str, digest: str) -> Scenario:
    members = written.members(_MEMBERS)
    for wanted in ("zh", "en"):
        if wanted not in members:
            written.refuse(f"{wanted!r} is missing: what the scenario is called")
    day, minute = _begins(members["begins"]) if "begins" in members else (None, None)
    defaults = Scenario(name=name, zh="-", en="-")
    return Scenario(
        name=name,
        zh=members["zh"].text(),
        en=members["en"].text(),
        day=day,
        begins_minute=minute,
        speed=members["speed"].number(0.1, 3_600) if "speed" in members else defaults.speed,
        minutes=members["minutes"].number(0.1, 10_080) if "minutes" in members else None,
        history_ms=members["history"].milliseconds() if "history" in members else defaults.history_ms,
        seed=int(members["seed"].number(0, 2**31)) if "seed" in members else defaults.seed,
        arrivals=_arrivals(members["arrivals"]) if "arrivals" in members else defaults.arrivals,
        faults=_faults(members["faults"]) if "faults" in members else defaults.faults,
        paying=_paying(members["paying"]) if "paying" in members else {},
        by_map=members["by-map"].share() if "by-map" in members else None,
        provider=tuple(_provider(members["provider"])) if "provider" in members else (),
        prices=tuple(_prices(members["prices"])) if "prices" in members else (),
        digest=digest,
    )


def _begins(written: Written) -> tuple[str | None, int | None]:
    """``saturday 18:00``, ``2026-10-01 09:00``, ``18:00`` or ``saturday``."""
    words = written.text().lower().split()
    minute = written.minute_of_day(words.pop()) % DAY_MINUTES if ":" in words[-1] else None
    if not words:
        return None, minute
    if len(words) > 1:
        written.refuse("write a day and a time: saturday 18:00")
    day = words[0]
    if day not in DAYS:
        try:
            date.fromisoformat(day)
        except ValueError:
            near = get_close_matches(day, DAYS, n=1)
            meant = f"did you mean {near[0]!r}?" if near else "write monday to sunday, or 2026-10-01"
            written.refuse(f"{day!r} is no day; {meant}")
    return day, minute


def _arrivals(written: Written) -> Arrivals:
    members = dict(written.members(("all", "holiday", *_PLACES)))
    holiday = members.pop("holiday").is_true() if "holiday" in members else False
    factors = {place: factor.number(0, 20) for place, factor in members.items()}
    return Arrivals(factor=factors.pop("all", 1.0), by_place=factors, holiday=holiday)


# --- faults -------------------------------------------------------------------------------------------------------


def _faults(written: Written) -> Faults:
    members = written.members(tuple(fault.value for fault in Fault))
    of_air = {Fault.REPEATED: "repeat", Fault.LATE: "late", Fault.LOST: "lost"}
    settings: dict[str, float] = {}
    spells: dict[Fault, Spell] = {}
    for name, value in members.items():
        fault = Fault(name)
        if fault in of_air:
            late = value.members(("share", "up-to")) if fault is Fault.LATE and value.is_mapping else {}
            settings[of_air[fault]] = late.get("share", value).share()
            if "up-to" in late:
                settings["late_up_to_ms"] = late["up-to"].milliseconds()
        elif fault is Fault.RECONNECT_STORM:
            settings["storms_a_day"] = value.members(("a-day",))["a-day"].number(0, 1_000)
        elif fault is Fault.STRANGERS:
            settings["strangers_an_hour"] = value.members(("an-hour",))["an-hour"].number(0, 1_000_000)
        else:
            spells[fault], drift_ms = _spell(value, fault)
            if drift_ms is not None:
                settings["drift_up_to_ms"] = drift_ms
    return written.built(lambda: Faults(spells=spells or None, **settings))  # type: ignore[arg-type]  # whole where it must be


def _spell(written: Written, fault: Fault) -> tuple[Spell, int | None]:
    assert fault in (*OF_LOTS, *OF_SENSORS)  # noqa: S101 - the others are read by the caller
    known = ("share", "lasts", "between", "up-to") if fault is Fault.DRIFTING_CLOCK else ("share", "lasts", "between")
    members = written.members(known)
    if "share" not in members:
        written.refuse("share is missing: of all sensors or lots, those that suffer it on a day")
    defaults = Spell(share=0)
    between = _between(members["between"]) if "between" in members else defaults.between
    share = members["share"].share()
    lasts_ms = members["lasts"].milliseconds() if "lasts" in members else defaults.lasts_ms
    drift_ms = members["up-to"].milliseconds() if "up-to" in members else None
    return written.built(lambda: Spell(share=share, lasts_ms=lasts_ms, between=between)), drift_ms


def _between(written: Written) -> tuple[int, int]:
    begin, dash, end = written.text().partition("-")
    if not dash:
        written.refuse("write two times of one day: 20:00-23:00")
    return written.minute_of_day(begin), written.minute_of_day(end)


# --- people, provider, prices -------------------------------------------------------------------------------------


def _paying(written: Written) -> Mapping[str, float]:
    shares = {habit: share.share() for habit, share in written.members(tuple(one.value for one in Habit)).items()}
    if not _LEAST_SHARES <= sum(shares.values()) <= _MOST_SHARES:
        written.refuse(f"together these shares are {sum(shares.values()):.1%}, not 100%")
    return shares


def _provider(written: Written) -> Iterator[ProviderTrouble]:
    for trouble in written.each():
        members = trouble.members(("from", "until", "rules"))
        for wanted in ("from", "until", "rules"):
            if wanted not in members:
                trouble.refuse(f"{wanted!r} is missing")
        begin, end = members["from"].minute_of_day(), members["until"].minute_of_day()
        if begin >= end:
            members["until"].refuse("it ends before it begins")
        yield ProviderTrouble(from_ms=begin * _MINUTE_MS, until_ms=end * _MINUTE_MS, script=_script(members["rules"]))


def _script(written: Written) -> dict[str, object]:
    rules = list(written.each())
    for rule in rules:
        members = rule.members(tuple(Rule.model_fields))
        if "do" in members:
            members["do"].one_of((*get_args(CallFault), *get_args(NoticeFault)))
        try:
            Script.model_validate({"rules": [plain(rule.node)]})
        except ValidationError as error:
            first = error.errors()[0]
            rule.refuse(f"{'.'.join(map(str, first['loc'][2:]))}: {first['msg']}")
    return Script.model_validate({"rules": [plain(rule.node) for rule in rules]}).model_dump(mode="json")


def _prices(written: Written) -> Iterator[PriceChange]:
    notices = tuple(path.stem for path in sorted(NOTICES.glob("*.json")))
    for change in written.each():
        members = change.members(("of", "become", "at"))
        for wanted in ("of", "become"):
            if wanted not in members:
                change.refuse(f"{wanted!r} is missing")
        if "at" in members:
            members["at"].one_of(("midnight",))
        yield PriceChange(code=members["of"].text(), notice=members["become"].one_of(notices))


__all__ = ["ScenarioInvalidError", "list_scenarios", "load_scenario", "notice_of"]
