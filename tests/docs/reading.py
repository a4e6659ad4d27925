"""The project's pages as text: which there are, their code blocks, headings and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "billing", "core", "ingest", "migrations", "ops", "simulator", "web")
_ELSEWHERE = {"node_modules", "build", "dist", "vendor", "test-output"}

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!`)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Its path in the project."""
        return str(self.path.relative_to(ROOT))

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of one language."""
        return [fence["body"] for fence in _FENCE.finditer(self.text) if fence["language"] == language]

    def code(self) -> list[tuple[str, str]]:
        """Every fenced block with its language."""
        return [(fence["language"], fence["body"]) for fence in _FENCE.finditer(self.text)]

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return _FENCE.sub("", self.text)

    def headings(self) -> list[tuple[int, str]]:
        """Level and words of each heading."""
        return [(len(marks), words) for marks, words in _HEADING.findall(self.prose)]

    def anchors(self) -> set[str]:
        """What a link may name behind ``#``, as forges make it from headings."""
        return {re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-") for _, words in self.headings()}

    def links(self) -> list[str]:
        """Where its links lead, as written."""
        return [link["target"] for link in _LINK.finditer(self.prose)]


@cache
def pages() -> tuple[Page, ...]:
    """Every Markdown file that is ours."""
    return tuple(Page(path, path.read_text(encoding="utf-8")) for path in sorted(_files(ROOT, ".md")))


def page(name: str) -> Page:
    """One of them, by its path in the project."""
    return next(one for one in pages() if one.name == name)


@cache
def source() -> str:
    """All of our Python, as one text."""
    return "\n".join(
        path.read_text(encoding="utf-8") for name in PACKAGES for path in sorted(_files(ROOT / name, ".py"))
    )


def _files(folder: Path, suffix: str) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith((".", "__")) and path.name not in _ELSEWHERE:
            yield from _files(path, suffix)
        elif path.suffix == suffix:
            yield path
