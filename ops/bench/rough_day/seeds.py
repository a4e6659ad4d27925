"""Seeds of days that ended badly: kept in a file, and lived through again first."""

from pathlib import Path


def kept_seeds(path: Path) -> list[int]:
    """Those in the file, oldest first; a line each, what follows a # is a note. None where there is no file."""
    if not path.exists():
        return []
    numbers = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [int(number) for number in numbers if number]


def keep_seed(path: Path, seed: int, why: str) -> None:
    """Add one, once."""
    if seed not in kept_seeds(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{seed}  # {' '.join(why.split())}\n")
