"""Files as they go to a browser: type, digest, compressed once."""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

TYPES: Final = {
    # spelled out, because the tables of the operating systems disagree about them
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
COMPRESSIBLE: Final = frozenset(TYPES)


@dataclass(frozen=True)  # without slots: the cached properties need a __dict__
class Asset:
    """One file; its bytes are read when first asked for, compressed when first wanted so, and kept."""

    path: Path

    @cached_property
    def content(self) -> bytes:
        """The file's bytes."""
        return self.path.read_bytes()

    @cached_property
    def gzipped(self) -> bytes | None:
        """The bytes compressed as well as gzip can, or ``None`` for a type that gains nothing by it."""
        return gzip.compress(self.content, compresslevel=9, mtime=0) if self.path.suffix in COMPRESSIBLE else None

    @cached_property
    def etag(self) -> str:
        """A strong validator: the digest of the content."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'

    @property
    def media_type(self) -> str:
        """The content type, with its character set where it has one."""
        return TYPES.get(self.path.suffix) or mimetypes.guess_type(self.path.name)[0] or "application/octet-stream"


def read_tree(root: Path) -> dict[str, Asset]:
    """Every file below a folder by its path in it, with forward slashes, in order of the paths."""
    return {path.relative_to(root).as_posix(): Asset(path) for path in sorted(_files(root))}


def digest_of(assets: dict[str, Asset]) -> str:
    """Twelve hex digits that change whenever a file's name or content does: the version in our own files' address."""
    total = hashlib.sha256()
    for path, asset in assets.items():
        total.update(f"{path}\0{asset.etag}\0".encode())
    return total.hexdigest()[:12]


def _files(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file())
