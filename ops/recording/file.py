"""A recording: gzip members of JSON lines, a member at a time, so that a torn tail costs only itself. Pure.

The first line of all says what it is; each other line is one message: receipt time, topic, payload in base64.
"""

import base64
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from core.errors import InvalidError

FORMAT: Final = 1
CHUNK_BYTES: Final = 1 << 16


class Recorded(NamedTuple):
    """One message as it came."""

    received_ms: int
    topic: str
    payload: bytes


def write_head(file: IO[bytes], *, began_ms: int) -> None:
    """Begin a recording."""
    _write_member(file, [{"recording": {"format": FORMAT, "began_ms": began_ms}}])


def write_messages(file: IO[bytes], messages: Sequence[Recorded]) -> None:
    """Add messages as one member."""
    lines = (
        {"at": at, "topic": topic, "payload": base64.b64encode(payload).decode()} for at, topic, payload in messages
    )
    _write_member(file, lines)


def read_recording(path: Path) -> Iterator[Recorded]:
    """Its messages in their order; what a killed recorder left half written at the end is passed over.

    Raises:
        InvalidError: it is no recording, one of a later format, or broken before its end. Carries ``file``.
    """
    lines = _lines(path)
    head = next(lines, None)
    told = head.get("recording") if isinstance(head, dict) else None
    if not isinstance(told, dict):
        raise InvalidError(f"{path} is no recording of `parking record`", file=str(path))
    if told.get("format") != FORMAT:
        raise InvalidError(f"{path} has format {told.get('format')}; this version reads {FORMAT}", file=str(path))
    for number, line in enumerate(lines, start=2):
        try:
            yield Recorded(int(line["at"]), str(line["topic"]), base64.b64decode(line["payload"], validate=True))
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidError(f"{path}, line {number}: no message of a recording", file=str(path)) from error


def _line(message: Recorded) -> dict[str, object]:
    payload = base64.b64encode(message.payload).decode()
    return {"at": message.received_ms, "topic": message.topic, "payload": payload}


def _write_member(file: IO[bytes], lines: Iterable[object]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    file.write(gzip.compress(text.encode(), compresslevel=6))
    file.flush()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of all whole members."""
    with path.open("rb") as file:
        for member in _members(file, path):
            for line in io.BytesIO(member):
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise InvalidError(f"{path} is no recording of `parking record`", file=str(path)) from error


def _members(file: IO[bytes], path: Path) -> Iterator[bytes]:
    rest = b""
    while True:
        packed = zlib.decompressobj(wbits=31)
        found = bytearray()
        while not packed.eof:
            chunk = rest or file.read(CHUNK_BYTES)
            rest = b""
            if not chunk:
                return  # the end, or a torn member
            try:
                found += packed.decompress(chunk)
            except zlib.error as error:
                raise InvalidError(f"{path} is no recording of `parking record`, or broken", file=str(path)) from error
        rest = packed.unused_data
        yield bytes(found)
