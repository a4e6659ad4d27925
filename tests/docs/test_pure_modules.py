"""A module that says that it is pure is held to it by the import contract."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("core", "billing", "ingest", "simulator", "api", "ops")


def pure_modules() -> set[str]:
    """By the first lines of the files."""
    files = [file for floor in FLOORS for file in (ROOT / floor).rglob("*.py")]
    says_so = [file for file in files if re.match(r'""".* Pure\.("""|$)', file.read_text().split("\n", 1)[0])]
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in says_so]
    return {name.removesuffix(".__init__") for name in names}


def test_every_module_that_says_it_is_pure_is_under_the_contract() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    held = next(one["source_modules"] for one in contracts if one["name"].startswith("Pure modules"))
    free = {name for name in pure_modules() if not any(f"{name}.".startswith(f"{one}.") for one in held)}
    assert free == set()
