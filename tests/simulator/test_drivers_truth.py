"""What drivers tell of their payments: whole lines, the last word counts, and nobody goes on with another's file."""

from pathlib import Path

import pytest

from core.errors import ConflictError, InvalidError
from simulator.drivers.told import DriversHeader, PaymentLine, Told, read_payments, read_told

HEADER = DriversHeader(installation="here", seed=1, scenario="normal-day abc")


def payment(payment_id: str, state: str) -> PaymentLine:
    return PaymentLine(
        payment_id=payment_id,
        session_id="s",
        space="A-001",
        channel="wechat",
        amount_fen=300,
        habit="before-leaving",
        at="2026-03-10T04:00:00.000Z",
        state="paid" if state == "paid" else "pressed",
    )


def test_the_last_word_of_a_payment_counts(tmp_path: Path) -> None:
    path = tmp_path / "new" / "drivers.jsonl"
    with Told(path, HEADER) as told:
        for one, state in (("a", "pressed"), ("a", "paid"), ("b", "pressed")):
            told.payment(payment(one, state))
    assert {one: line.state for one, line in read_payments(path).items()} == {"a": "paid", "b": "pressed"}
    assert next(iter(read_told(path))).drivers == HEADER


def test_whoever_begins_again_goes_on_after_the_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "drivers.jsonl"
    with Told(path, HEADER) as told:
        told.payment(payment("a", "paid"))
    with path.open("ab") as file:
        file.write(b'{"payment": {"paym')
    assert set(read_payments(path)) == {"a"}
    with Told(path, HEADER) as told:
        told.payment(payment("b", "paid"))
    assert set(read_payments(path)) == {"a", "b"}


def test_other_drivers_and_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "drivers.jsonl"
    with Told(path, HEADER), pytest.raises(ConflictError), Told(path, HEADER):
        pass
    with pytest.raises(InvalidError, match="other drivers"), Told(path, DriversHeader(installation="there", seed=1)):
        pass
    (tmp_path / "truth.jsonl").write_text('{"truth": 1}\n')
    with pytest.raises(InvalidError, match="does not begin"):
        list(read_told(tmp_path / "truth.jsonl"))


def test_without_a_file_everything_is_kept_to_oneself() -> None:
    with Told(None, HEADER) as told:
        told.payment(payment("a", "paid"))
