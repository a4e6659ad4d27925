"""Commands as somebody types them, against a test's own database."""

import asyncio

import asyncpg
from typer.testing import CliRunner


async def run(shell: CliRunner, app: object, *words: str, typed: str = "") -> str:
    """What it prints; what it refuses is raised."""
    result = await asyncio.to_thread(shell.invoke, app, list(words), input=typed)  # type: ignore[arg-type]  # a Typer
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


async def ask(url: str, statement: str) -> list[asyncpg.Record]:
    """The rows of a question to the database."""
    db = await asyncpg.connect(url)
    try:
        rows: list[asyncpg.Record] = await db.fetch(statement)
        return rows
    finally:
        await db.close()
