"""``parking user``: people who may log in, and with which role."""

import asyncio
import sys
from datetime import UTC, datetime
from secrets import token_urlsafe
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.passwords import hash_password
from core.audit import AuditEntry, write_audit
from core.errors import ConflictError, NotFoundError
from core.roles import Role
from core.tables import Login, Operator
from ops.asking import in_database

app = typer.Typer(no_args_is_help=True, help="People who may log in.")

FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.callback()
def user() -> None:
    """People who may log in."""


@app.command()
def add(
    login: Annotated[str, typer.Argument(help="What the person types.")],
    *,
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    name: Annotated[str, typer.Option(help="What others see; the login if not given.")] = "",
    password_stdin: FromStdin = False,
) -> None:
    """Let somebody log in; without a given password one is made up and shown once."""
    password, shown = _password(from_stdin=password_stdin)
    person = {
        "login": login,
        "name": name or login,
        "role": role.value,
        "password_hash": hash_password(password),
    }
    asyncio.run(in_database(lambda db: _add(db, person)))
    Console().print(f"{login} may log in as {role.value}" + (f"; password: {password}" if shown else ""))


@app.command("list")
def list_users() -> None:
    """Who may log in."""
    table = Table("login", "name", "role", "since", "disabled")
    for row in asyncio.run(in_database(_list)):
        disabled = f"{row.disabled_at:%Y-%m-%d %H:%M}" if row.disabled_at else ""
        table.add_row(row.login, row.name, row.role, f"{row.created_at:%Y-%m-%d %H:%M}", disabled)
    Console().print(table)


@app.command()
def password(login: str, *, password_stdin: FromStdin = False) -> None:
    """Give somebody another password; every browser of that person is logged out."""
    secret, shown = _password(from_stdin=password_stdin)
    values = {"password_hash": hash_password(secret)}
    asyncio.run(in_database(lambda db: _change(db, login, "operator.password_set", values)))
    Console().print(f"{login} has another password" + (f": {secret}" if shown else ""))


@app.command()
def role(login: str, role: Role) -> None:
    """Give somebody another role; that person has to log in again."""
    asyncio.run(in_database(lambda db: _change(db, login, "operator.role_set", {"role": role.value})))
    Console().print(f"{login} is {role.value} now")


@app.command()
def disable(login: str) -> None:
    """Let somebody log in no longer, at once and in every browser. What that person did stays in the audit."""
    values = {"disabled_at": datetime.now(UTC)}
    asyncio.run(in_database(lambda db: _change(db, login, "operator.disabled", values)))
    Console().print(f"{login} may no longer log in")


def _password(*, from_stdin: bool) -> tuple[str, bool]:
    """The password, and whether it was made up here and must be shown."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n"), False
    if sys.stdin.isatty():
        given = typer.prompt("Password (empty: one is made up)", default="", hide_input=True, show_default=False)
        if given:
            return given, False
    return token_urlsafe(12), True


async def _add(db: AsyncConnection, person: dict[str, Any]) -> None:
    login = person["login"]
    try:
        await db.execute(insert(Operator).values(person))
    except IntegrityError as error:
        raise ConflictError(f"somebody has the login {login} already", login=login) from error
    shown = {"name": person["name"], "role": person["role"]}
    await write_audit(db, _entry("operator.added", login, after=shown))


async def _change(db: AsyncConnection, login: str, action: str, values: dict[str, Any]) -> None:
    wanted = select(Operator.id, Operator.role, Operator.disabled_at).where(Operator.login == login).with_for_update()
    row = (await db.execute(wanted)).first()
    if row is None:
        raise NotFoundError(f"nobody has the login {login}", login=login)
    await db.execute(update(Operator).where(Operator.id == row.id).values(values))
    await db.execute(delete(Login).where(Login.operator_id == row.id))
    before = {"role": row.role} if "role" in values else None
    await write_audit(db, _entry(action, login, before=before, after={"role": values["role"]} if before else None))


async def _list(db: AsyncConnection) -> list[Any]:
    columns = select(Operator.login, Operator.name, Operator.role, Operator.created_at, Operator.disabled_at)
    return list(await db.execute(columns.order_by(Operator.login)))


def _entry(action: str, login: str, **values: Any) -> AuditEntry:
    return AuditEntry(at=datetime.now(UTC), actor="command", action=action, subject=f"operator:{login}", **values)
