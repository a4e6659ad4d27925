"""What every part of the gateway works with, made once when it starts."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from starlette.requests import Request

from simulator.gateway.book import Book
from simulator.gateway.clock import GatewayClock
from simulator.gateway.faults import Faults, Script
from simulator.gateway.keys import Keys, prepare
from simulator.gateway.notices import Outbox

DATABASE: Final = "gateway.sqlite3"


@dataclass(slots=True, kw_only=True)
class Gateway:
    """One gateway with its one merchant."""

    keys: Keys
    book: Book
    outbox: Outbox
    clock: GatewayClock = field(default_factory=GatewayClock)
    faults: Faults = field(default_factory=Faults)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something new is to be told."""

    @classmethod
    def open(cls, folder: Path, url: str, script: Script | None = None, *, book: str = DATABASE) -> "Gateway":
        """The gateway whose keys and money are in this folder, made if there is none."""
        keys = prepare(folder, url)
        kept = Book(folder / book)
        return cls(keys=keys, book=kept, outbox=Outbox(kept), faults=Faults(script))

    @classmethod
    def of(cls, request: Request) -> "Gateway":
        """The one that serves this request."""
        gateway: Gateway = request.app.state.gateway
        return gateway

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.keys.url
