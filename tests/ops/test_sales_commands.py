"""`parking pass offer` and `parking coupon issuer`: what is put on sale or let give, shown, ended, and who did it."""

import pytest
from typer.testing import CliRunner

from core.errors import ParkingError
from core.tokens import digest_of
from ops.commands import coupon, pass_
from tests.support.shell import ask, run
from tests.support.street import Street

pytestmark = pytest.mark.services


async def actions(database_url: str) -> list[tuple[str, str]]:
    rows = await ask(database_url, "SELECT actor, action FROM audit ORDER BY id")
    return [(row["actor"], row["action"]) for row in rows]


async def test_a_pass_is_put_on_sale_listed_and_taken_off(shell: CliRunner, database_url: str, street: Street) -> None:
    words = ("night-30", "--name", "夜间月卡", "--name-en", "Nights, a month", "--days", "30", "--price-fen", "10000")
    said = await run(shell, pass_.app, "offer", "add", *words, "--window", "workday@18:00-08:00")
    assert said == "night-30 is on sale for ¥100.00\n"
    listed = await run(shell, pass_.app, "offer", "list")
    for told in ("night-30", "夜间月卡", "Nights, a month", "18:00", "30", "¥100.00", "command"):
        assert told in listed
    assert await run(shell, pass_.app, "offer", "end", "night-30") == "night-30 is no longer on sale\n"
    (row,) = await ask(database_url, "SELECT ended_by, price_fen FROM pass_offer")
    assert (row["ended_by"], row["price_fen"]) == ("command", 10_000)
    assert await actions(database_url) == [("command", "offer.added"), ("command", "offer.ended")]


@pytest.mark.parametrize(
    "words",
    [
        ("offer", "add", "x", "--name", "x", "--name-en", "x", "--days", "1", "--price-fen", "1", "--window", "never"),
        ("offer", "add", "x", "--name", "x", "--name-en", "x", "--days", "1", "--price-fen", "1", "--lot", "NOWHERE"),
        ("offer", "add", "No Code", "--name", "x", "--name-en", "x", "--days", "1", "--price-fen", "1"),
        ("offer", "end", "nothing"),
    ],
)
async def test_an_offer_that_cannot_be_is_refused_and_leaves_nothing(
    shell: CliRunner, database_url: str, street: Street, words: tuple[str, ...]
) -> None:
    with pytest.raises(ParkingError):
        await run(shell, pass_.app, *words)
    assert await ask(database_url, "SELECT 1 FROM pass_offer") == []
    assert await actions(database_url) == []


async def test_a_merchant_gets_a_key_once_is_listed_and_ended(shell: CliRunner, database_url: str) -> None:
    words = ("茶馆", "--budget-fen", "50000", "--minutes", "60")
    said = await run(shell, coupon.app, "issuer", "add", *words)
    number, key = said.removeprefix("issuer ").strip().split(", key ")
    (row,) = await ask(database_url, "SELECT key_digest, is_merchant, budget_fen FROM coupon_issuer")
    assert (row["key_digest"], row["is_merchant"], row["budget_fen"]) == (digest_of(key), True, 50_000)
    listed = await run(shell, coupon.app, "issuer", "list")
    assert key not in listed
    for told in ("茶馆", "merchant", "¥500.00", "60 minutes"):
        assert told in listed
    assert await run(shell, coupon.app, "issuer", "end", number) == f"issuer {number} gives coupons no more\n"
    assert await actions(database_url) == [("command", "issuer.added"), ("command", "issuer.ended")]


async def test_an_issuer_gives_one_kind_of_thing(shell: CliRunner, database_url: str) -> None:
    with pytest.raises(ParkingError, match="one of --minutes, --percent, --amount-fen"):
        await run(shell, coupon.app, "issuer", "add", "茶馆", "--minutes", "60", "--percent", "50")
    assert await ask(database_url, "SELECT 1 FROM coupon_issuer") == []
