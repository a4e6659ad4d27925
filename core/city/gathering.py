"""The features of one city file, gathered by kind, and the checks among them. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from core.city import places, relations
from core.city.features import PROPERTIES, read_area, read_city, read_contexts, read_lot, read_space
from core.city.fields import Fields, shown
from core.city.geometry import Shapes
from core.city.model import Area, City, CityFile, Context, Geometry, Lot, Space
from core.city.problems import Problem, Slug, nearest, quoted

Value = TypeVar("Value", City, Area, Lot, Space, Context)


@dataclass(slots=True)
class Kind(Generic[Value]):
    """The features of one kind that were found right alone, each with its place in the file."""

    values: list[Value] = field(default_factory=list)
    wheres: list[str] = field(default_factory=list)
    declared: list[tuple[str, str]] = field(default_factory=list)
    """``(code, where)`` of every feature of the kind, also of refused ones: one mistake shall give one problem."""

    def add(self, value: Value | None, where: str) -> None:
        """Keep a value, unless its feature was refused."""
        if value is not None:
            self.values.append(value)
            self.wheres.append(where)

    def placed(self) -> list[tuple[Value, str]]:
        """Each value with its place."""
        return list(zip(self.values, self.wheres, strict=True))

    def codes(self) -> set[str]:
        """Every code that was declared."""
        return {code for code, _ in self.declared}


class Gathering:
    """One pass over the features, then the checks among them. Every problem goes to ``note``."""

    def __init__(self, note: Callable[[Problem], None]) -> None:
        self._note = note
        self._cities: Kind[City] = Kind()
        self._areas: Kind[Area] = Kind()
        self._lots: Kind[Lot] = Kind()
        self._spaces: Kind[Space] = Kind()
        self._contexts: Kind[Context] = Kind()
        self._sensors: list[tuple[str, str]] = []

    def read(self, index: int, feature: object) -> None:
        """Read one feature; note what is wrong with it alone."""
        where = f"features[{index}]"
        if not isinstance(feature, Mapping) or feature.get("type") != "Feature":
            self._refuse(Slug.NOT_A_FEATURE, where, "it is no GeoJSON Feature", 'Give it "type": "Feature".')
            return
        properties = feature.get("properties")
        if not isinstance(properties, Mapping):
            self._refuse(Slug.NOT_A_FEATURE, where, "it has no properties", "Add properties with its kind.")
            return
        kind, code = properties.get("kind"), properties.get("code")
        if not isinstance(kind, str) or kind not in PROPERTIES:
            meant = nearest(kind, PROPERTIES) if isinstance(kind, str) else None
            cure = f"Is it {meant}?" if meant else f"Use one of {quoted(PROPERTIES)}."
            self._refuse(Slug.UNKNOWN_KIND, where, f"there is no kind {shown(kind)}", cure)
            return
        where = f"{where}, {kind} {shown(code)[1:-1]}" if isinstance(code, str) and code else f"{where}, {kind}"
        fields = Fields(properties, where, self._note)
        fields.expect_only(("kind", *PROPERTIES[kind]))
        self._read_kind(kind, fields, feature.get("geometry"))

    def check_codes(self, tariffs: Collection[str] | None, codecs: Collection[str] | None) -> None:
        """Duplicates, references and known words."""
        note = self._note
        for _, where in self._cities.declared[1:]:
            self._refuse(Slug.TWO_CITIES, where, "there is already a city in this file", "Keep one.")
        relations.check_unique(self._areas.declared, Slug.DUPLICATE_CODE, "area", note)
        relations.check_unique(self._lots.declared, Slug.DUPLICATE_CODE, "lot", note)
        relations.check_unique(self._spaces.declared, Slug.DUPLICATE_CODE, "space", note)
        relations.check_unique(self._sensors, Slug.DUPLICATE_SENSOR, "sensor", note)
        relations.check_parents(self._areas.placed(), self._areas.codes(), note)
        lots = {lot.code: lot for lot in self._lots.values}
        relations.check_lots_of_spaces(self._spaces.placed(), lots, self._lots.codes(), note)
        relations.check_tariffs(self._lots.placed(), tariffs, note)
        relations.check_codecs(self._spaces.placed(), codecs, note)
        if len(self._spaces.values) == len(self._spaces.declared):
            relations.check_filling(self._lots.placed(), self._spaces.placed(), note)

    def check_places(self) -> None:
        """Crossing outlines, places outside the city or far from their lot."""
        cities, _ = self._sound(self._cities)
        areas, area_shapes = self._sound(self._areas)
        lots, lot_shapes = self._sound(self._lots)
        spaces, space_shapes = self._sound(self._spaces)
        self._sound(self._contexts)
        if cities.values:
            bounds = places.Bounds.of(cities.values[0])
            bounds.check_touching(area_shapes, areas.wheres, self._note)
            bounds.check_inside(lot_shapes, lots.wheres, self._note)
            bounds.check_entrances(lots.placed(), self._note)
            bounds.check_inside(space_shapes, spaces.wheres, self._note)
        elif not self._cities.declared:
            by_code = {lot.code: lot_shapes[place] for place, lot in enumerate(lots.values)}
            places.check_near_lots(spaces.placed(), space_shapes, by_code, self._note)
        places.check_sizes(space_shapes, spaces.wheres, self._note)

    def city_file(self, attribution: str | None) -> CityFile:
        """All that was read; to be used when nothing was refused."""
        return CityFile(
            city=next(iter(self._cities.values), None),
            areas=tuple(self._areas.values),
            lots=tuple(self._lots.values),
            spaces=tuple(self._spaces.values),
            contexts=tuple(self._contexts.values),
            attribution=attribution,
        )

    def _read_kind(self, kind: str, fields: Fields, geometry: object) -> None:
        where = fields.where
        match kind:
            case "city":
                self._cities.declared.append(("", where))
                self._cities.add(read_city(fields, geometry), where)
            case "area":
                self._areas.declared.extend(fields.declared("code"))
                self._areas.add(read_area(fields, geometry), where)
            case "lot":
                self._lots.declared.extend(fields.declared("code"))
                self._lots.add(read_lot(fields, geometry), where)
            case "space":
                self._spaces.declared.extend(fields.declared("code"))
                self._sensors.extend(fields.declared("sensor_id"))
                self._spaces.add(read_space(fields, geometry), where)
            case _:
                for context in read_contexts(fields, geometry):
                    self._contexts.add(context, where)

    def _sound(self, kind: Kind[Value]) -> tuple[Kind[Value], Shapes]:
        """The values whose outlines do not cross themselves, with their shapes; notes the others."""
        shapes, sound = places.sound_shapes([_outline(value) for value in kind.values], kind.wheres, self._note)
        kept = np.flatnonzero(sound)
        return Kind([kind.values[place] for place in kept], [kind.wheres[place] for place in kept]), shapes[kept]

    def _refuse(self, slug: Slug, where: str, why: str, cure: str) -> None:
        self._note(Problem(slug=slug, where=where, why=why, cure=cure))


def _outline(value: City | Area | Lot | Space | Context) -> Geometry:
    return value.bounds if isinstance(value, City) else value.geometry
