"""``python -m ops.services.prefetch [arguments of parking]``: fetch ahead what a start will want, and say nothing.

Run by ``./parking`` beside pip, so it needs no package from outside; what goes wrong here, the start meets and tells.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from ops.services.settings import ServiceSettings
from ops.services.unpack import prefetch
from ops.services.ways import survey
from ops.state import InstallationError, State


def main(arguments: Sequence[str]) -> None:
    """Download Debian's packages, if the services will come from there."""
    state = State.find(_chosen_state(arguments))
    state.prepare()
    settings = ServiceSettings.read(state)
    wanted = {each.service for each in survey(settings) if each.wants_packages}
    if wanted:
        prefetch(settings.programs, wanted, lambda _: None)


def _chosen_state(arguments: Sequence[str]) -> Path | None:
    for option, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if option == "--state":
            return Path(value)
        if option.startswith("--state="):
            return Path(option.partition("=")[2])
    return None


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (InstallationError, OSError):
        sys.exit(1)
