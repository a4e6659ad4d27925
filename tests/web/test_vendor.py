"""The committed browser libraries are what their publishers published."""

import re
from pathlib import Path

import pytest

import web
from tools.vendor import MANIFEST, ROOT, SHELVES, differences

STATIC = Path(web.__file__).parent / "static"


@pytest.mark.parametrize("shelf", SHELVES, ids=lambda shelf: shelf.relative_to(ROOT).as_posix())
def test_every_vendored_file_is_the_one_in_the_manifest(shelf: Path) -> None:
    assert (shelf / MANIFEST).is_file()
    assert differences(shelf) == []


@pytest.mark.parametrize(("shelf", "libraries"), SHELVES.items(), ids=lambda value: getattr(value, "name", ""))
def test_every_library_comes_with_its_licence(shelf: Path, libraries: tuple[object, ...]) -> None:
    folders = [path for path in shelf.iterdir() if path.is_dir()]
    assert len(folders) == len(libraries)
    assert all(any(folder.glob("LICENSE*")) for folder in folders)


def test_our_files_name_no_vendored_file_that_is_not_there() -> None:
    own = [*STATIC.rglob("*.js"), *STATIC.parent.glob("pages/*.html")]
    named = {
        address
        for path in own
        if "vendor" not in path.relative_to(STATIC.parent).parts
        for address in re.findall(r"/vendor/([\w./-]+)", path.read_text(encoding="utf-8"))
    }
    assert named
    assert [address for address in sorted(named) if not (STATIC / "vendor" / address).is_file()] == []


def test_our_files_name_no_other_host() -> None:
    ours = [
        path for path in STATIC.rglob("*") if path.suffix in {".js", ".css", ".html"} and "vendor" not in path.parts
    ]
    hosts = {
        host
        for path in ours
        for host in re.findall(r"https?://([\w.-]+)", path.read_text(encoding="utf-8"))
        if path.name != "go.js"  # the navigators a driver may choose to be handed over to
    }
    assert hosts == set()
