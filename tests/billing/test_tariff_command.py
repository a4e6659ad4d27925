"""``parking tariff price|check|table``: the fee object on the command line, without a database."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from billing.notices import read
from ops.cli import main

FEE = {
    "type": "object",
    "required": ["total_fen", "currency", "lines", "tariff", "next_change_at", "next_total_fen"],
    "properties": {
        "total_fen": {"type": "integer", "minimum": 0},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["rule", "from", "to", "minutes", "amount_fen", "why"],
                "properties": {
                    "rule": {"type": "string"},
                    "from": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
                    "to": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
                    "minutes": {"type": "integer", "minimum": 0},
                    "amount_fen": {"type": "integer"},
                    "why": {"type": "string", "minLength": 1},
                },
            },
        },
        "tariff": {"type": "object", "required": ["code", "version"]},
        "next_change_at": {"type": ["string", "null"]},
        "next_total_fen": {"type": ["integer", "null"]},
    },
}


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["tariff", *words])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def fee(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    code, out, err = run(capsys, "price", *words)
    assert code == 0, err
    priced: dict[str, Any] = json.loads(out)
    jsonschema.validate(priced, FEE)
    assert sum(line["amount_fen"] for line in priced["lines"]) == priced["total_fen"]
    return priced


def test_a_time_without_an_offset_is_in_the_tariffs_zone(capsys: pytest.CaptureFixture[str]) -> None:
    local = fee(capsys, "xinchang-kerb", "--entry", "2026-03-10T09:00", "--exit", "2026-03-10T10:15")
    utc = fee(capsys, "xinchang-kerb", "--entry", "2026-03-10T01:00:00Z", "--exit", "2026-03-10T03:15:00+01:00")
    assert local == utc
    assert local["total_fen"] == 600
    assert (local["next_change_at"], local["next_total_fen"]) == ("2026-03-10T03:01:00.000Z", 900)


def test_a_notice_may_be_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(read("cn-bj-class1"))
    words = ("--entry", "2026-03-10T08:00", "--exit", "2026-03-10T10:00")
    assert fee(capsys, str(path), *words, "--vehicle", "large")["total_fen"] == 5000
    assert fee(capsys, str(path), *words)["vehicle"] == {
        "class": "small",
        "assumed": True,
        "note": "车型未知，按默认车型计费",
    }


def test_earlier_stays_come_from_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text(json.dumps([{"entry": "2026-03-10T09:00", "exit": "2026-03-10T11:00"}]))
    words = ("cn-sz-class1", "--entry", "2026-03-10T14:00", "--exit", "2026-03-10T14:30", "--vehicle", "small-nev")
    assert fee(capsys, *words)["total_fen"] == 0
    assert fee(capsys, *words, "--history", str(path))["total_fen"] == 300


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nowhere", "--entry", "2026-03-10T09:00", "--exit", "2026-03-10T10:00"), "no shipped notice"),
        (("xinchang-kerb", "--entry", "2026-03-10T10:00", "--exit", "2026-03-10T09:00"), "before it begins"),
        (("xinchang-kerb", "--entry", "tomorrow", "--exit", "2026-03-10T09:00"), "no instant"),
        (("xinchang-kerb", "--entry", "0001-01-01T00:00", "--exit", "2026-03-10T09:00"), "outside the years"),
        (("xinchang-kerb", "--entry", "2026-03-10T09:00", "--exit", "9999-12-31T23:59"), "outside the years"),
        (
            ("xinchang-kerb", "--entry", "2026-03-10T09:00", "--exit", "2026-03-10T10:00", "--vehicle", "smal"),
            "'small'",
        ),
        (("xinchang-kerb", "--entry", "2026-03-10T09:00", "--exit", "2026-03-10T10:00", "--history", "/no"), "history"),
        (("xinchang-kerb", "--entry", "2026-03-10T09:00", "--exit", "2026-03-10T10:00", "--lang", "fr"), "zh and en"),
    ],
)
def test_what_cannot_be_priced_is_refused_in_one_message(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    code, out, err = run(capsys, "price", *words)
    assert code != 0
    assert not out
    assert says in " ".join(err.split())


@pytest.mark.parametrize("history", ["{}", "", "[" * 100_000, '[{"entry": 1, "exit": 2}]'], ids=len)
def test_a_history_that_is_no_list_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, history: str) -> None:
    path = tmp_path / "history.json"
    path.write_text(history)
    words = ("xinchang-kerb", "--entry", "2026-03-10T09:00", "--exit", "2026-03-10T10:00", "--history", str(path))
    code, out, err = run(capsys, "price", *words)
    assert (code, out) == (1, "")
    assert "no JSON list" in " ".join(err.split())


def test_check_names_each_problem_and_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(capsys, "check", "xinchang-kerb")[0] == 0
    document = json.loads(read("xinchang-kerb"))
    document["plans"]["kerb"]["outside"] = "nothing"
    path = tmp_path / "draft.json"
    path.write_text(json.dumps(document))
    code, _, err = run(capsys, "check", str(path))
    assert code == 1
    assert "gap: no band claims some hours" in err


@pytest.mark.parametrize(("lang", "says"), [("zh", "30 分钟"), ("en", "30 min")])
def test_table_shows_what_stays_cost(capsys: pytest.CaptureFixture[str], lang: str, says: str) -> None:
    code, out, _ = run(capsys, "table", "xinchang-kerb", "--lang", lang)
    assert code == 0
    assert says in out
    assert "¥3.00" in out
