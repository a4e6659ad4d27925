"""A font with Chinese characters on this machine, for paper; which package brings one where there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTCollection, TTFont  # type: ignore[import-untyped]  # fpdf2 brings it, without types

from core.errors import UnavailableError


class FontMissingError(UnavailableError):
    """Paper needs a font with Chinese characters. Carries ``package``."""

    slug = "font-missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Font:
    """One face: its file, and which of the file's faces."""

    path: Path
    face: int


PACKAGE: Final = "fonts-noto-cjk"
_FACES: Final = ("NotoSansCJKsc-Regular", "NotoSansCJKSC-Regular", "NotoSansSC-Regular", "SourceHanSansSC-Regular")
_FILES: Final = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "NotoSansSC-Regular.ttf",
    "NotoSansSC-VF.ttf",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSans-Regular.ttc",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
)
"""By looks, best first."""
_FOLDERS: Final = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
    "~/.local/share/fonts",
    "~/.fonts",
)


def font_of(chosen: Path | None = None) -> Font:
    """The chosen file, else the best one found; searched for once.

    Raises:
        FontMissingError: there is none; names the package.
    """
    return _font(chosen, _FOLDERS)


@lru_cache(maxsize=8)
def _font(chosen: Path | None, folders: tuple[str, ...]) -> Font:
    if chosen is not None and not chosen.is_file():
        raise FontMissingError(f"PARKING_FONT_FILE names {chosen}, which is not there", package=PACKAGE)
    found = chosen or find_file(folders)
    if found is None:
        raise FontMissingError(
            f"no font with Chinese characters is installed: apt-get install {PACKAGE}, or name a font file in "
            "PARKING_FONT_FILE",
            package=PACKAGE,
        )
    return Font(path=found, face=_face_of(found))


def find_file(folders: Sequence[str]) -> Path | None:
    """The best of the known fonts below these folders."""
    there: dict[str, Path] = {}
    for folder in folders:
        for path in Path(folder).expanduser().rglob("*.[to]t[fc]"):
            there.setdefault(path.name, path)
    return next((there[name] for name in _FILES if name in there), None)


def _face_of(path: Path) -> int:
    """The simplified Chinese face of a collection; 0 where the file has only one or none is named so."""
    if path.suffix != ".ttc":
        return 0
    with TTCollection(str(path), lazy=True) as collection:
        names = [_postscript_name(face) for face in collection.fonts]
    return next((index for index, name in enumerate(names) if name in _FACES), 0)


def _postscript_name(face: TTFont) -> str:
    return str(face["name"].getDebugName(6) or "")
