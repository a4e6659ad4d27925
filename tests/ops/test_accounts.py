"""`parking user` and `parking kiosk` against a real database: what they let in, what they show, what they leave."""

import pytest
from typer.testing import CliRunner

from api.passwords import Passwords
from core.tokens import digest_of
from ops.commands import kiosk, user
from tests.support.shell import ask, run

pytestmark = pytest.mark.services


async def test_a_user_gets_in_with_the_given_password_and_no_longer_once_disabled(
    shell: CliRunner, database_url: str
) -> None:
    await run(shell, user.app, "add", "chen", "--role", "warden", "--password-stdin", typed="correct horse\n")
    (row,) = await ask(database_url, "SELECT role, password_hash, disabled_at FROM operator")
    assert row["role"] == "warden"
    assert await Passwords().fits("correct horse", row["password_hash"])
    await run(shell, user.app, "role", "chen", "finance")
    await run(shell, user.app, "disable", "chen")
    assert "finance" in await run(shell, user.app, "list")
    (row,) = await ask(database_url, "SELECT role, disabled_at FROM operator")
    assert row["disabled_at"] is not None
    actions = await ask(database_url, "SELECT actor, action FROM audit ORDER BY id")
    assert [(one["actor"], one["action"]) for one in actions] == [
        ("command", "operator.added"),
        ("command", "operator.role_set"),
        ("command", "operator.disabled"),
    ]


async def test_a_password_that_is_made_up_is_shown_once_and_kept_as_a_hash(shell: CliRunner, database_url: str) -> None:
    said = await run(shell, user.app, "add", "zhang", "--role", "admin")
    password = said.split("password: ")[1].strip()
    (row,) = await ask(database_url, "SELECT password_hash FROM operator")
    assert await Passwords().fits(password, row["password_hash"])
    assert password not in str(await ask(database_url, "SELECT * FROM audit"))


async def test_what_cannot_be_is_refused_and_changes_nothing(shell: CliRunner, database_url: str) -> None:
    add = ["add", "chen", "--role", "warden", "--password-stdin"]
    with pytest.raises(Exception, match="10 to 256"):
        await run(shell, user.app, *add, typed="short\n")
    await run(shell, user.app, *add, typed="correct horse\n")
    with pytest.raises(Exception, match="already"):
        await run(shell, user.app, *add, typed="correct horse\n")
    with pytest.raises(Exception, match="nobody"):
        await run(shell, user.app, "disable", "nobody")
    with pytest.raises(Exception, match="no key 7"):
        await run(shell, kiosk.app, "revoke", "7")
    assert len(await ask(database_url, "SELECT 1 FROM audit")) == 1


async def test_a_key_is_shown_once_and_only_its_digest_is_kept(shell: CliRunner, database_url: str) -> None:
    said = await run(shell, kiosk.app, "add", "East gate")
    key = next(word for word in said.split() if word.startswith("kiosk_"))
    (row,) = await ask(database_url, "SELECT id, digest FROM device_key")
    assert row["digest"] == digest_of(key)
    await run(shell, kiosk.app, "revoke", str(row["id"]))
    (row,) = await ask(database_url, "SELECT revoked_at FROM device_key")
    assert row["revoked_at"] is not None
    assert "East gate" in await run(shell, kiosk.app, "list")
