"""Where a running city takes orders: ``POST /park`` and ``POST /leave``, on this machine alone; ``GET /visits``.

An order that is carried out is in a file before its message goes out: a run that begins again says it again, byte by
byte, where the truth had not settled it.
"""

import os
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLateError
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Annotated, ClassVar, Final, Literal, NamedTuple, Self

import msgspec
import structlog

from core.errors import ConflictError, InvalidError, NotFoundError, ParkingError, UnavailableError
from simulator.sensors import Watched
from simulator.visits import Turn

log = structlog.get_logger()

ANSWER_SECONDS: Final = 5.0
BODY_BYTES: Final = 1_000

Verb = Literal["park", "leave"]


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it was carried out: the answer, and a line of the file."""

    verb: Verb
    space: str
    visit: str
    sensor_id: str
    at_ms: int


class Order(NamedTuple):
    """What is wanted, and where the answer is waited for."""

    verb: Verb
    space: str
    visit: str
    answer: "Future[Carried]"


class BusyError(UnavailableError):
    """The city is busy with the hours before, or its broker is away."""

    slug = "city-busy"


class Orders:
    """The orders of a run: taken in by threads of their own, carried out between two turns of the city."""

    def __init__(self, port: int, file: Path, watched: Sequence[Watched], *, anew: bool) -> None:
        """Listen on a port of this machine.

        Args:
            port: 0 for any.
            file: what was carried out, a line each; a torn last one is an order that nobody was told of.
            watched: the city's sensors, by number.
            anew: forget what the file says: the truth begins anew.

        Raises:
            OSError: the port is taken.
        """
        self._watched = watched
        if anew:
            file.unlink(missing_ok=True)
        numbers = {one.space: number for number, one in enumerate(watched)}
        carried = read_orders(file)
        _without_torn_end(file)
        self.turns = [Turn(one.at_ms, numbers[one.space], one.verb == "park", one.visit) for one in carried]
        """What was carried out before."""
        self._standing: dict[str, str] = {}
        self._written = {(one.verb, one.space, one.at_ms) for one in carried}
        self._file = file.open("ab")
        for one in carried:
            self._note(one)
        self._waiting: queue.SimpleQueue[Order] = queue.SimpleQueue()
        handler = type("Handler", (_Handler,), {"waiting": self._waiting, "standing": self._standing})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="orders", daemon=True)

    @property
    def url(self) -> str:
        """Where to ask."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._file.close()

    def carry_out(self, turn_of: Callable[[Order], Turn]) -> None:
        """Carry out what has come in since; a refusal is an answer too."""
        while True:
            try:
                order = self._waiting.get_nowait()
            except queue.Empty:
                return
            if not order.answer.set_running_or_notify_cancel():
                continue  # whoever asked has gone
            try:
                turn = turn_of(order)
            except ParkingError as refused:
                order.answer.set_exception(refused)
                continue
            order.answer.set_result(self._remember(order, turn))

    def _remember(self, order: Order, turn: Turn) -> Carried:
        """Write it down before its message goes out; what is asked for again is written down already."""
        sensor_id = self._watched[turn.number].sensor
        carried = Carried(verb=order.verb, space=order.space, visit=order.visit, sensor_id=sensor_id, at_ms=turn.at_ms)
        if (order.verb, order.space, turn.at_ms) not in self._written:
            self._written.add((order.verb, order.space, turn.at_ms))
            self._file.write(msgspec.json.encode(carried) + b"\n")
            self._file.flush()
            self._note(carried)
            log.info("order.carried_out", verb=order.verb, space=order.space, sensor_id=sensor_id)
        return carried

    def _note(self, carried: Carried) -> None:
        if carried.verb == "park":
            self._standing[carried.space] = carried.visit
        else:
            self._standing.pop(carried.space, None)


def orders_file(truth: Path) -> Path:
    """Where the orders of a run are, beside its truth: what the drawn life does not decide."""
    return truth.with_suffix(".orders.jsonl")


def read_orders(file: Path) -> list[Carried]:
    """The orders of a city, oldest first; none while there is no file. What comes after the last line break is torn."""
    try:
        lines = file.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    return [msgspec.json.decode(line, type=Carried) for line in lines]


def _without_torn_end(file: Path) -> None:
    if file.exists():
        whole = file.read_bytes().rpartition(b"\n")
        os.truncate(file, len(whole[0]) + len(whole[1]))


class _Asked(msgspec.Struct):
    space: str
    visit: Annotated[str, msgspec.Meta(min_length=8, max_length=64)]


class _Handler(BaseHTTPRequestHandler):
    waiting: ClassVar[queue.SimpleQueue[Order]]
    standing: ClassVar[dict[str, str]]
    """Visits by the space."""

    def do_GET(self) -> None:
        """Who stands where by an order: ``GET /visits``."""
        if self.path == "/visits":
            self._answer(200, self.standing.copy())
        else:
            self._answer(404, {"slug": "not-found", "detail": "there is GET /visits", "facts": {}})

    def do_POST(self) -> None:
        """An order, answered when it has been carried out or refused."""
        try:
            self._answer(200, self._carried())
        except ParkingError as refused:
            self._answer(_status_of(refused), {"slug": refused.slug, "detail": refused.message, "facts": refused.facts})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the run's log tells what was carried out."""

    def _carried(self) -> Carried:
        order = self._order()
        self.waiting.put(order)
        try:
            return order.answer.result(ANSWER_SECONDS)
        except TooLateError:
            if order.answer.cancel():
                raise BusyError("the city is busy with the hours before, or its broker is away") from None
            return order.answer.result(ANSWER_SECONDS)  # it is being carried out at this very moment

    def _order(self) -> Order:
        if self.headers.get_content_type() != "application/json":  # so that no page of another site can ask
            raise InvalidError("an order is application/json")
        length = min(int(self.headers.get("Content-Length", "0")), BODY_BYTES)
        try:
            asked = msgspec.json.decode(self.rfile.read(length), type=_Asked)
            return Order(_verb(self.path), asked.space, asked.visit, Future())
        except (ValueError, msgspec.DecodeError) as error:
            raise InvalidError('write POST /park or POST /leave with {"space": "KL-017", "visit": "..."}') from error

    def _answer(self, status: int, body: object) -> None:
        content = msgspec.json.encode(body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _status_of(refused: ParkingError) -> int:
    match refused:
        case NotFoundError():
            return 404
        case ConflictError():
            return 409
        case InvalidError():
            return 422
        case _:
            return 503


def _verb(path: str) -> Verb:
    match path:
        case "/park":
            return "park"
        case "/leave":
            return "leave"
        case _:
            raise ValueError(path)
