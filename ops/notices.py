"""What the commands about price notices share: where a notice comes from, and in which language it is shown."""

from pathlib import Path

from billing.notices import read, shipped
from billing.phrases import Lang
from billing.tariff import Tariff, load_tariff
from core.errors import InvalidError


def load_notice(file: str) -> Tariff:
    """The tariff in a file, or the shipped one of that id.

    Raises:
        InvalidError: neither a file nor an id, or no tariff in it.
    """
    return load_tariff(notice_bytes(file))


def notice_bytes(file: str) -> bytes:
    """A notice's document, from a file or by the id of a shipped one."""
    path = Path(file)
    if path.is_file():
        return path.read_bytes()
    if file in shipped():
        return read(file)
    raise InvalidError(f"there is no file {file!r}, and no shipped notice of that id; shipped: {', '.join(shipped())}")


def language(text: str) -> Lang:
    """The language an option names."""
    match text:
        case "zh" | "en":
            return text
        case _:
            raise InvalidError(f"the languages are zh and en, not {text!r}")
