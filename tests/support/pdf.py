"""The text of a PDF that fpdf2 wrote: glyph numbers back to letters by each font's own table."""

import re
import zlib

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_PAIR = re.compile(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>")
_SHOWN = re.compile(rb"\((.*?)(?<!\\)\) ?Tj|\[(.*?)\] ?TJ", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_of(pdf: bytes) -> str:
    """All that is written, a line for each piece."""
    streams = [_inflated(found[1]) for found in _STREAM.finditer(pdf)]
    letters = {}
    for stream in streams:
        if b"begincmap" in stream:
            letters.update(
                {int(code, 16): bytes.fromhex(to.decode()).decode("utf-16-be") for code, to in _PAIR.findall(stream)}
            )
    return "\n".join(_read(shown, letters) for stream in streams if b" Tf" in stream for shown in _shown(stream))


def _shown(stream: bytes) -> list[bytes]:
    return [_unescaped(one or many) for one, many in _SHOWN.findall(stream)]


def _read(glyphs: bytes, letters: dict[int, str]) -> str:
    codes = (int.from_bytes(glyphs[index : index + 2]) for index in range(0, len(glyphs) - 1, 2))
    return "".join(letters.get(code, "") for code in codes)


def _unescaped(text: bytes) -> bytes:
    return re.sub(rb"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text, flags=re.DOTALL)


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream
