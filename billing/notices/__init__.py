"""The price notices that ship with the system, as documents. Reads its own files only."""

from functools import cache
from importlib.resources import files

from core.errors import TariffNotFoundError


@cache
def shipped() -> tuple[str, ...]:
    """The ids of all shipped notices and their variants (``{id}--{name}``), in alphabetical order."""
    return tuple(
        sorted(entry.name.removesuffix(".json") for entry in files(__name__).iterdir() if entry.name.endswith(".json"))
    )


def read(notice_id: str) -> bytes:
    """A shipped notice's document.

    Raises:
        TariffNotFoundError: none ships under this id; carries ``tariff``.
    """
    if notice_id not in shipped():
        raise TariffNotFoundError(f"no notice {notice_id!r} ships; there are: {', '.join(shipped())}", tariff=notice_id)
    return files(__name__).joinpath(f"{notice_id}.json").read_bytes()
