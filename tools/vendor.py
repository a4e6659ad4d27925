"""Fetch the pinned browser libraries and write them, with their licences and a manifest, into the tree.

Only for whoever upgrades a library: ``python tools/vendor.py`` needs npm and a package registry, the project itself
needs neither, because the files are committed. ``python tools/vendor.py --check`` compares them with the manifest
offline. A file is taken as published; the one exception is named in ``REWRITES``.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
MANIFEST: Final = "vendor.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One pinned package and the files of it that a page loads.

    Attributes:
        package: its name in the npm registry; the folder drops the scope.
        files: path inside the package -> file name here.
    """

    package: str
    version: str
    licence: str
    files: dict[str, str]

    @property
    def folder(self) -> str:
        """Folder name; the version in it is what lets browsers keep the files for a year."""
        return f"{self.package.rpartition('/')[2]}-{self.version}"


PAGES: Final = (
    Library(
        package="maplibre-gl",
        version="6.17.0",
        licence="BSD-3-Clause",
        files={
            "dist/maplibre-gl.mjs": "maplibre-gl.mjs",
            "dist/maplibre-gl-worker.mjs": "maplibre-gl-worker.mjs",
            "dist/maplibre-gl.css": "maplibre-gl.css",
            "LICENSE.txt": "LICENSE.txt",
        },
    ),
    Library(
        package="preact",
        version="11.2.0",
        licence="MIT",
        files={"dist/preact.mjs": "preact.mjs", "hooks/dist/hooks.mjs": "hooks.mjs", "LICENSE": "LICENSE"},
    ),
    Library(
        package="htm",
        version="3.1.1",
        licence="Apache-2.0",
        files={"dist/htm.mjs": "htm.mjs", "LICENSE": "LICENSE"},
    ),
    Library(
        package="@preact/signals-core",
        version="1.14.5",
        licence="MIT",
        files={"dist/signals-core.mjs": "signals-core.mjs", "LICENSE": "LICENSE"},
    ),
    Library(
        package="swagger-ui-dist",
        version="5.35.0",
        licence="Apache-2.0",
        files={
            "swagger-ui-bundle.js": "swagger-ui-bundle.js",
            "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
            "swagger-ui.css": "swagger-ui.css",
            "LICENSE": "LICENSE",
            "NOTICE": "NOTICE",
        },
    ),
)
CHECKS: Final = (
    Library(
        package="axe-core",
        version="4.14.1",
        licence="MPL-2.0",
        files={
            "axe.min.js": "axe.min.js",
            "LICENSE": "LICENSE",
            "LICENSE-3RD-PARTY.txt": "LICENSE-3RD-PARTY.txt",
        },
    ),
)
SHELVES: Final = {ROOT / "web/static/vendor": PAGES, ROOT / "tests/web/vendor": CHECKS}

REWRITES: Final = {
    # a bare module name would need an import map, which is an inline script, which the pages' policy refuses
    "preact-11.2.0/hooks.mjs": (b'from"preact"', b'from"./preact.mjs"'),
}


def main() -> int:
    """Refresh or check every shelf; exit status 1 when a check finds a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare the committed files with the manifest, offline")
    if parser.parse_args().check:
        problems = [problem for shelf in SHELVES for problem in differences(shelf)]
        sys.stdout.writelines(f"{problem}\n" for problem in problems)
        return 1 if problems else 0
    for shelf, libraries in SHELVES.items():
        refresh(shelf, libraries)
    return 0


def refresh(shelf: Path, libraries: tuple[Library, ...]) -> None:
    """Fetch each library and write the shelf's manifest anew; files of older versions are left for git to remove."""
    manifest = []
    for library in libraries:
        folder = shelf / library.folder
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in fetch(library).items():
            (folder / name).write_bytes(rewritten(f"{library.folder}/{name}", content))
        manifest.append(entry(library, folder))
        sys.stdout.write(f"{library.folder}: {len(library.files)} files\n")
    (shelf / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def fetch(library: Library) -> dict[str, bytes]:
    """The wanted files of a library, by their names here, from the tarball that npm downloads and verifies."""
    with tempfile.TemporaryDirectory() as scratch:
        wanted = f"{library.package}@{library.version}"
        subprocess.run(["npm", "pack", "--silent", wanted], cwd=scratch, check=True, capture_output=True)  # noqa: S603, S607 -- npm as the person who upgrades has set it up
        (tarball,) = Path(scratch).glob("*.tgz")
        with tarfile.open(tarball) as archive:
            members = {name: archive.extractfile(f"package/{path}") for path, name in library.files.items()}
            return {name: member.read() for name, member in members.items() if member is not None}


def rewritten(path: str, content: bytes) -> bytes:
    """The content with the rewrite named for this path; a rewrite that no longer fits is an error."""
    if path not in REWRITES:
        return content
    old, new = REWRITES[path]
    if content.count(old) != 1:
        raise SystemExit(f"{path}: expected exactly one {old!r}")
    return content.replace(old, new)


def entry(library: Library, folder: Path) -> dict[str, object]:
    """The manifest's row of a library."""
    return {
        "name": library.package,
        "version": library.version,
        "licence": library.licence,
        "folder": library.folder,
        "files": {name: sha256(folder / name) for name in sorted(library.files.values())},
    }


def differences(shelf: Path) -> list[str]:
    """What differs between a shelf and its manifest, one sentence each; empty when they agree."""
    manifest = json.loads((shelf / MANIFEST).read_text(encoding="utf-8"))
    listed = {shelf / row["folder"] / name: digest for row in manifest for name, digest in row["files"].items()}
    found = {path for path in shelf.rglob("*") if path.is_file() and path != shelf / MANIFEST}
    changed = [path for path, digest in listed.items() if path in found and sha256(path) != digest]
    return [
        *(f"{path.relative_to(ROOT)}: in the manifest, not on disk" for path in sorted(listed.keys() - found)),
        *(f"{path.relative_to(ROOT)}: on disk, not in the manifest" for path in sorted(found - listed.keys())),
        *(f"{path.relative_to(ROOT)}: differs from the manifest" for path in sorted(changed)),
    ]


def sha256(path: Path) -> str:
    """The hex digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
