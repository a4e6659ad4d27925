"""Photos of plates: looked at before they are kept, kept as pictures alone, and sealed like the plates they show."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Final
from uuid import uuid4

from PIL import Image, ImageOps, UnidentifiedImageError

from billing.plates import PlateVault
from core.errors import InvalidError, NotFoundError, UnavailableError
from core.files import write_whole_bytes

LARGEST_BYTES: Final = 6 * 1024 * 1024
MOST_PIXELS: Final = 50_000_000
LONGEST_SIDE: Final = 1_920
"""Larger pictures are made smaller: a plate is read well at this."""
SHORTEST_SIDE: Final = 32
QUALITY: Final = 82
FORMATS: Final = ("JPEG", "PNG", "WEBP")
NUMBER_BYTES: Final = 2
"""Before the ciphertext: which key sealed it."""
SUFFIX: Final = ".sealed"


class PhotoRefusedError(InvalidError):
    """What was sent is no photo that is taken here."""

    slug = "photo-refused"


class PhotosNotConfiguredError(UnavailableError):
    """Nowhere to keep photos is set, so none is taken."""

    slug = "photos-not-configured"


class PhotoNotFoundError(NotFoundError):
    """There is no photo, or it was erased. Carries ``evidence_id``."""

    slug = "photo-not-found"


def clean_photo(content: bytes) -> bytes:
    """The picture alone, upright, as JPEG: whatever else the file held (places, times, names, thumbnails) is left out.

    Raises:
        PhotoRefusedError: it is too large, or by its bytes no JPEG, PNG or WebP picture.
    """
    if len(content) > LARGEST_BYTES:
        raise PhotoRefusedError(f"a photo has at most {LARGEST_BYTES // 1024 // 1024} MiB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # measured below, before it is decoded
            with Image.open(BytesIO(content), formats=FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise PhotoRefusedError(f"a photo has at most {MOST_PIXELS // 1_000_000} megapixels")
                if min(opened.size) < SHORTEST_SIDE:
                    raise PhotoRefusedError("nothing can be read on a picture so small")
                upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PhotoRefusedError("this is no JPEG, PNG or WebP picture, or a broken one") from error
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    kept = BytesIO()
    bare.save(kept, "JPEG", quality=QUALITY)
    return kept.getvalue()


@dataclass(frozen=True, slots=True)
class PhotoFolder:
    """Where photos are kept, under names that are ours: two characters of the name make a folder."""

    root: Path

    def keep(self, vault: PlateVault, picture: bytes) -> str:
        """Seal a picture and write it; its name."""
        name = uuid4().hex
        self._write(vault, name, picture)
        return name

    def read(self, vault: PlateVault, name: str) -> bytes | None:
        """The picture of this name; None where there is none.

        Raises:
            KeyNotInRingError: it was sealed with a key that is not there.
        """
        try:
            stored = self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        number = int.from_bytes(stored[:NUMBER_BYTES])
        return vault.key(number).open(stored[NUMBER_BYTES:], _what(name))

    def reseal(self, vault: PlateVault, name: str) -> bool:
        """Move a photo to the newest key; whether it was sealed with an older one."""
        number = self.key_number(name)
        picture = None if number in {None, vault.number} else self.read(vault, name)
        if picture is None:
            return False
        self._write(vault, name, picture)
        return True

    def key_number(self, name: str) -> int | None:
        """Which key sealed a photo; None where it is gone."""
        try:
            with self._path(name).open("rb") as file:
                return int.from_bytes(file.read(NUMBER_BYTES))
        except FileNotFoundError:
            return None

    def has(self, name: str) -> bool:
        """Whether it is there."""
        return self._path(name).is_file()

    def erase(self, name: str) -> None:
        """Remove a photo; one that is gone already is no trouble."""
        self._path(name).unlink(missing_ok=True)

    def names(self, *, written_before: datetime | None = None) -> Iterator[str]:
        """Every photo there is, or those written before an instant of real time."""
        for path in sorted(self.root.glob(f"??/*{SUFFIX}")):
            try:
                is_meant = written_before is None or path.stat().st_mtime < written_before.timestamp()
            except FileNotFoundError:
                continue
            if is_meant:
                yield path.stem

    def _write(self, vault: PlateVault, name: str, picture: bytes) -> None:
        path = self._path(name)
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        sealed = vault.newest.seal(picture, _what(name))
        write_whole_bytes(path, vault.number.to_bytes(NUMBER_BYTES) + sealed)

    def _path(self, name: str) -> Path:
        return self.root / name[:2] / f"{name}{SUFFIX}"


def _what(name: str) -> str:
    return f"photo:{name}"
