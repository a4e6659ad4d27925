"""What a bench found: rows with the ratio that matters and the one wished for, as a table and as JSON."""

import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure, and what it is compared with."""

    what: str
    value: float
    unit: str
    ratio: float | None = None
    """To ``against``, measured in the same run."""
    against: str = ""
    at_least: float | None = None
    """The ratio, or the value where there is none, is wished to be so much."""
    at_most: float | None = None
    note: str = ""

    @property
    def judged(self) -> float:
        """What the wish is about."""
        return self.value if self.ratio is None else self.ratio

    @property
    def is_wish_met(self) -> bool | None:
        """Whether it is as wished; None when nothing is wished."""
        if self.at_least is not None:
            return self.judged >= self.at_least
        return None if self.at_most is None else self.judged <= self.at_most

    @property
    def wish(self) -> str:
        """The wish as it is shown."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return "" if self.at_most is None else f"≤ {self.at_most:g}"


@dataclass(slots=True, kw_only=True)
class Report:
    """All rows of one run, and on what machine."""

    bench: str
    rows: list[Row] = field(default_factory=list)
    began_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    machine: dict[str, Any] = field(default_factory=lambda: {
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
    })  # fmt: skip

    def add(self, row: Row) -> None:
        """One more row."""
        self.rows.append(row)

    def as_json(self) -> bytes:
        """For another program: every row with its ratio, its wish and whether that was met."""
        told = asdict(self)
        for row, shown in zip(self.rows, told["rows"], strict=True):
            shown["is_wish_met"] = row.is_wish_met
        return msgspec.json.format(msgspec.json.encode(told), indent=1)

    def as_table(self) -> Table:
        """For a person."""
        machine = self.machine
        title = f"{self.bench}: {machine['cores']} cores, load {machine['load_before']:.1f}, Python {machine['python']}"
        table = Table(title=title, title_justify="left")
        for name in ("what", "figure", "ratio", "wish", ""):
            table.add_column(name, justify="right" if name in {"figure", "ratio", "wish"} else "left", no_wrap=True)
        for row in self.rows:
            style = {True: "green", False: "yellow", None: None}[row.is_wish_met]
            ratio = "" if row.ratio is None else f"{row.ratio:.2f} of {row.against}"
            table.add_row(row.what, shown(row), ratio, row.wish, row.note, style=style)
        return table


def shown(row: Row) -> str:
    """The figure with its unit."""
    digits = 0 if isinstance(row.value, int) or abs(row.value) >= 100 else 1  # noqa: PLR2004 - three digits are enough
    return f"{row.value:,.{digits}f} {row.unit}"
