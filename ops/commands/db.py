"""``parking db``: the schema."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from ops import database
from ops.installation import database_url, without_password

app = typer.Typer(no_args_is_help=True, help="Bring the database to this version's schema.")


@app.callback()
def db() -> None:
    """Bring the database to this version's schema."""


@app.command()
def upgrade(revision: Annotated[str, typer.Argument(help="A revision; head is the newest.")] = "head") -> None:
    """Migrate up; safe to repeat."""
    url = database_url()
    before = asyncio.run(database.current_revision(url))
    database.upgrade(url, revision)
    after = asyncio.run(database.current_revision(url))
    Console().print(f"{without_password(url)}: {before or 'empty'} -> {after}" if before != after else f"at {after}")


@app.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="A revision; base is an empty schema.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="The dropped tables' data is lost; say that you know.")] = False,
) -> None:
    """Migrate down; what the dropped tables held is lost."""
    if not yes:
        typer.confirm(f"Lose what newer tables hold in {without_password(database_url())}?", abort=True)
    database.downgrade(database_url(), revision)
