"""Which scripts a page needs: its own module and all that these import, found by reading them. Pure."""

import posixpath
import re
from typing import Final

from web.assets import Asset

IMPORT: Final = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']""")
ENTRY: Final = re.compile(r'<script[^>]*\btype="module"[^>]*\bsrc="\{\{static\}\}/([^"]+)"')


def entries_of(page: str) -> list[str]:
    """The modules of ours that a page names."""
    return ENTRY.findall(page)


def modules_of(own: dict[str, Asset], entries: list[str]) -> tuple[list[str], list[str]]:
    """Our own modules in the order in which they are met, and the vendored files that they name, by path."""
    found: dict[str, None] = {}
    vendored: dict[str, None] = {}
    waiting = list(entries)
    while waiting:
        path = waiting.pop(0)
        if path in found or path not in own:
            continue
        found[path] = None
        text = own[path].content.decode()
        for named in IMPORT.findall(text):
            if named.startswith("/vendor/"):
                vendored[named.removeprefix("/vendor/")] = None
            elif named.startswith("."):
                waiting.append(posixpath.normpath(posixpath.join(posixpath.dirname(path), named)))
    return list(found), list(vendored)
