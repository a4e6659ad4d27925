"""Where Debian's packages come from on this machine, and the same place for a newer release. Pure.

No address is written down here: the mirror, the keyring and the options are those of the machine's own Debian source.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

RELEASE = "trixie"
"""The first Debian release that packages TimescaleDB and a Mosquitto that keeps its window."""

_KEPT_OPTIONS = {"signed-by", "trusted", "check-valid-until", "check-date", "allow-insecure"}
_MOVING_SUITES = {"stable", "oldstable", "oldoldstable", "testing", "unstable", "sid"}
_ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One entry of a source list: where, which suites, and the options that say whom to trust."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()

    def render(self) -> str:
        """As a stanza of a ``.sources`` file."""
        fields = [("Types", "deb"), ("URIs", " ".join(self.uris)), ("Suites", " ".join(self.suites))]
        fields += [("Components", " ".join(self.components)), *self.options]
        return "".join(f"{name}: {value}\n" for name, value in fields)


def parse_deb822(text: str) -> tuple[Source, ...]:
    """The enabled binary sources of a ``.sources`` file; a value's further lines (an inline key) stay as they are."""
    sources = []
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if line[0] in " \t" and name:
                fields[name] += f"\n{line}"
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() not in {"no", "false"}:
            options = tuple((name.title(), fields[name]) for name in sorted(_KEPT_OPTIONS & fields.keys()))
            sources.append(
                Source(
                    uris=tuple(fields.get("uris", "").split()),
                    suites=tuple(fields.get("suites", "").split()),
                    components=tuple(fields.get("components", "").split()),
                    options=options,
                )
            )
    return tuple(sources)


def parse_one_line(text: str) -> tuple[Source, ...]:
    """The binary sources of a ``.list`` file."""
    sources = []
    for line in text.splitlines():
        if found := _ONE_LINE.match(line.partition("#")[0].strip()):
            given = dict(option.partition("=")[::2] for option in (found["options"] or "").split())
            options = tuple((name.title(), given[name]) for name in sorted(_KEPT_OPTIONS & given.keys()))
            sources.append(
                Source(
                    uris=(found["uri"],),
                    suites=(found["suite"],),
                    components=tuple(found["components"].split()),
                    options=options,
                )
            )
    return tuple(sources)


def derive(sources: Iterable[Source], codename: str) -> Source | None:
    """The machine's own Debian source with its suite replaced by ``RELEASE``.

    A mirror's path ends in ``debian``, which tells it from other people's archives that name their suites alike.

    Args:
        sources: of every list on the machine, in apt's order.
        codename: the machine's release, such as ``bookworm``.
    Returns: None when the machine has no Debian source, as on other distributions.
    """
    mains = [source for source in sources if "main" in source.components and source.uris]
    own = [source for source in mains if {codename, RELEASE}.intersection(source.suites)]
    mirrors = [source for source in mains if source.uris[0].rstrip("/").endswith("debian")]
    moving = [source for source in mirrors if _MOVING_SUITES.intersection(source.suites)]
    for source in (*(source for source in own if source in mirrors), *moving, *own):
        return Source(uris=source.uris, suites=(RELEASE,), components=("main",), options=source.options)
    return None
