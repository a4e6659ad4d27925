"""Files that are whole or as they were before, whatever happens while they are written."""

import os
from pathlib import Path


def write_whole_bytes(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file so that a reader, or the next start after a crash, sees all of it or the one before."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
