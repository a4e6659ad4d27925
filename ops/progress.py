"""How long work tells how far it is: one bar, on standard error, as standard output belongs to tables and JSON."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


def progress_bar(*, gone_afterwards: bool = True) -> Progress:
    """What is being done, how much of it, for how long, and how much longer; to be used as a context."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=gone_afterwards,
    )
