"""Which tables a database of ours has, in an order in which references come first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Final

import asyncpg

ALEMBIC: Final = "alembic_version"

_COLUMNS: Final = """
    SELECT relation.relname AS name,
           array_agg(col.attname ORDER BY col.attnum) AS columns,
           array_agg(col.attname ORDER BY col.attnum) FILTER (WHERE col.attidentity <> '') AS numbered
    FROM pg_class AS relation
    JOIN pg_attribute AS col ON col.attrelid = relation.oid
    WHERE relation.relnamespace = 'public'::regnamespace AND relation.relkind IN ('r', 'p')
      AND col.attnum > 0 AND NOT col.attisdropped AND col.attgenerated = '' AND relation.relname <> $1
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = relation.oid AND deptype = 'e')
    GROUP BY relation.relname ORDER BY relation.relname
"""
_REFERENCES: Final = """
    SELECT part.conrelid::regclass::text AS child, part.confrelid::regclass::text AS parent
    FROM pg_constraint AS part
    WHERE part.contype = 'f' AND part.connamespace = 'public'::regnamespace AND part.conrelid <> part.confrelid
      AND NOT part.condeferrable
"""
"""Two tables that refer to each other do so by one reference that can wait until the end of the transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of ours."""

    name: str
    columns: tuple[str, ...]
    numbered: tuple[str, ...]
    """Columns that number their rows themselves."""


async def list_tables(db: asyncpg.Connection) -> list[Table]:
    """Every table but the migrations' own, those that others refer to first."""
    tables = {
        row["name"]: Table(name=row["name"], columns=tuple(row["columns"]), numbered=tuple(row["numbered"] or ()))
        for row in await db.fetch(_COLUMNS, ALEMBIC)
    }
    references = [(row["child"], row["parent"]) for row in await db.fetch(_REFERENCES)]
    return [tables[name] for name in in_order(tables, references)]


def in_order(names: Iterable[str], references: Iterable[tuple[str, str]]) -> list[str]:
    """Parents before their children; otherwise by name, so that the order is always the same."""
    parents: Mapping[str, set[str]] = {name: set() for name in sorted(names)}
    for child, parent in sorted(references):
        if child in parents and parent in parents:
            parents[child].add(parent)
    return list(TopologicalSorter(parents).static_order())


def quoted(names: Iterable[str]) -> str:
    """Names as SQL wants them, behind each other."""
    return ", ".join(f'"{name}"' for name in names)


async def revision_of(db: asyncpg.Connection) -> str | None:
    """The schema's revision; None: nothing was ever migrated here."""
    if await db.fetchval("SELECT to_regclass($1)", f"public.{ALEMBIC}") is None:
        return None
    found: str | None = await db.fetchval(f"SELECT version_num FROM {ALEMBIC}")  # noqa: S608 - our own word
    return found


async def journal_of(db: asyncpg.Connection) -> dict[str, int]:
    """Entries, and debits and credits in all."""
    row = await db.fetchrow(
        """
        SELECT (SELECT count(*) FROM journal_entry) AS entries,
               coalesce(sum(debit_fen), 0)::bigint AS debit_fen, coalesce(sum(credit_fen), 0)::bigint AS credit_fen
        FROM journal_line
        """
    )
    return dict(row)
