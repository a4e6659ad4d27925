"""What the features of a city file say of one another by code: duplicates, missing lots and parents, cycles. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping

from core.city.model import Area, Lot, Source, Space
from core.city.problems import Problem, Slug, nearest, quoted

Note = Callable[[Problem], None]


def check_unique(codes: Iterable[tuple[str, str]], slug: Slug, word: str, note: Note) -> None:
    """Note every code (of ``(code, where)``) that an earlier feature has."""
    first: dict[str, str] = {}
    for code, where in codes:
        earlier = first.setdefault(code, where)
        if earlier is not where:
            note(
                Problem(
                    slug=slug,
                    where=where,
                    why=f"{word} {code} is already that of {earlier}",
                    cure="Give each its own.",
                )
            )


def check_parents(areas: Iterable[tuple[Area, str]], declared: Collection[str], note: Note) -> None:
    """Note parents that do not exist, and areas that are inside themselves."""
    placed = list(areas)
    parents = {area.code: area.parent for area, _ in placed}
    for area, where in placed:
        if area.parent is None:
            continue
        if area.parent not in declared:
            why = f"there is no area {area.parent} to be its parent"
            note(Problem(slug=Slug.MISSING_PARENT, where=where, why=why, cure=_meant(area.parent, declared, "area")))
        elif cycle := _cycle(area.code, parents):
            why = f"it is its own parent: {' in '.join(cycle)}"
            note(Problem(slug=Slug.PARENT_CYCLE, where=where, why=why, cure="Remove one parent of the ring."))
            return


def check_lots_of_spaces(
    spaces: Iterable[tuple[Space, str]], lots: Mapping[str, Lot], declared: Collection[str], note: Note
) -> None:
    """Note spaces of lots that do not exist or only count, each such lot once with the number of its spaces."""
    faulty: dict[str, list[str]] = {}
    for space, where in spaces:
        lot = lots.get(space.lot)
        if space.lot not in declared or (lot and lot.source is not Source.SENSORS):
            faulty.setdefault(space.lot, []).append(where)
    for code, wheres in faulty.items():
        where = wheres[0] + (f" and {len(wheres) - 1} more" if len(wheres) > 1 else "")
        if code in declared:
            why = f"lot {code} has the source {lots[code].source} and so lists no spaces"
            cure = "Set the lot's source to sensors, or remove its spaces."
            note(Problem(slug=Slug.SPACE_IN_COUNTED_LOT, where=where, why=why, cure=cure))
        else:
            why = f"there is no lot {code} in this file"
            note(Problem(slug=Slug.MISSING_LOT, where=where, why=why, cure=_meant(code, declared, "lot")))


def check_tariffs(lots: Iterable[tuple[Lot, str]], tariffs: Collection[str] | None, note: Note) -> None:
    """Note lots whose tariff nobody knows; with None any tariff will do."""
    for lot, where in lots:
        if lot.tariff is not None and tariffs is not None and lot.tariff not in tariffs:
            why = f"there is no tariff {lot.tariff}"
            note(Problem(slug=Slug.UNKNOWN_TARIFF, where=where, why=why, cure=_meant(lot.tariff, tariffs, "tariff")))


def check_codecs(spaces: Iterable[tuple[Space, str]], codecs: Collection[str] | None, note: Note) -> None:
    """Note spaces whose codec nobody knows; with None any codec will do."""
    for space, where in spaces:
        if codecs is not None and space.codec not in codecs:
            why = f"there is no codec {space.codec}"
            note(Problem(slug=Slug.UNKNOWN_CODEC, where=where, why=why, cure=_meant(space.codec, codecs, "codec")))


def check_filling(lots: Iterable[tuple[Lot, str]], spaces: Iterable[tuple[Space, str]], note: Note) -> None:
    """Warn of lots with sensors that list no space, and of spaces that nothing watches (once a lot)."""
    blind: dict[str, list[str]] = {}
    used = set()
    for space, where in spaces:
        used.add(space.lot)
        if space.sensor_id is None:
            blind.setdefault(space.lot, []).append(where)
    for lot, where in lots:
        if lot.source is Source.SENSORS and lot.code not in used:
            why = f"lot {lot.code} lists no spaces"
            cure = "Add its spaces, or set its source to counter or feed with a capacity."
            note(Problem(slug=Slug.LOT_WITHOUT_SPACES, where=where, why=why, cure=cure))
    for code, wheres in blind.items():
        why = f"{len(wheres)} spaces of lot {code} have no sensor and will be shown as unknown"
        note(
            Problem(
                slug=Slug.SPACE_WITHOUT_SENSOR, where=wheres[0], why=why, cure="Add sensor_id when it is installed."
            )
        )


def _cycle(code: str, parents: Mapping[str, str | None]) -> list[str]:
    """The ring of parents from ``code`` back to itself; empty when there is none."""
    path = [code]
    parent = parents.get(code)
    while parent is not None and parent not in path:
        path.append(parent)
        parent = parents.get(parent)
    return [*path, code] if parent == code else []


def _meant(code: str, known: Collection[str], word: str) -> str:
    meant = nearest(code, known)
    if meant:
        return f"Is it {meant}?"
    return f"Known are {quoted(known)}." if known else f"No {word} is known yet."
