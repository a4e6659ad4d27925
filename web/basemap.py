"""What is drawn under the town: nothing but the town itself, or an operator's own map style or tiles. Pure."""

import html
import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from core.errors import InvalidError

Datum = Literal["wgs84", "gcj02"]
ORIGIN: Final = re.compile(r"https?://(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?")
"""What may stand in a policy: a scheme, a host (or all below one) and a port, nothing that could end a directive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basemap:
    """A MapLibre style by its address, or raster tiles by theirs with ``{z}/{x}/{y}``; empty: none."""

    address: str = ""
    origins: tuple[str, ...] = ()
    """Further hosts that the style names: of its tiles and sprites."""
    datum: Datum = "wgs84"
    """In which it is drawn; what lies on it is moved there in the browser."""
    credit: str = ""
    """Whom to name for it, where the style itself does not."""

    def __post_init__(self) -> None:
        """Refuse what would let in more than it says.

        Raises:
            InvalidError: an address that is none, or an origin that is more than that.
        """
        if self.address and not (self.address.startswith("/") or ORIGIN.fullmatch(self._origin())):
            raise InvalidError("PARKING_BASEMAP is an address such as https://tiles.example.org/style.json")
        for origin in self.origins:
            if not ORIGIN.fullmatch(origin):
                raise InvalidError(
                    f"PARKING_BASEMAP_ORIGINS: {origin!r} is no origin such as https://tiles.example.org"
                )

    def policy(self, policy: str) -> str:
        """A Content-Security-Policy that also lets this map's parts in: fetched by the page and drawn as pictures."""
        own = () if self.address.startswith("/") or not self.address else (self._origin(),)
        hosts = " ".join(dict.fromkeys([*own, *self.origins])) if self.address else ""
        if not hosts:
            return policy
        return re.sub(r"(connect-src|img-src) ([^;]*)", rf"\1 \2 {hosts}", policy)

    def attributes(self) -> str:
        """What the page tells its map, as attributes of an element; nothing without a map."""
        if not self.address:
            return ""
        told = {"basemap": self.address, "datum": self.datum, "credit": self.credit}
        return "".join(f' data-{name}="{html.escape(value)}"' for name, value in told.items() if value)

    def _origin(self) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"


NO_BASEMAP: Final = Basemap()
