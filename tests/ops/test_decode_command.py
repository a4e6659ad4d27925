"""`parking decode`, as a user runs it."""

import json

import pytest
from typer.testing import CliRunner

from ops.commands.decode import app

runner = CliRunner()


def test_a_payload_is_shown_as_json() -> None:
    result = runner.invoke(app, ["nwave-nps405", "95", "--port", "1"])

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "kind": "status",
        "occupied": True,
        "previous_state_minutes": 74,
        "previous_state_minutes_err": 0,
        "previous_state_overflow": False,
    }


def test_an_empty_payload_is_one() -> None:
    result = runner.invoke(app, ["pni-placepod", "", "--port", "2"])

    assert json.loads(result.stdout) == {"kind": "startup", "occupied": None}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bosch-tps110-fw0.39", "01", "--port", "99"], "port 99"),
        (["bosch-tps110-fw0.39", "", "--port", "1"], "takes 1 bytes"),
        (["nwave-nps405", "95"], "none was given"),
        (["nwave-nps405", "9", "--port", "1"], "not hexadecimal"),
        (["acme-9000", "95"], "no codec has this name"),
    ],
)
def test_a_refusal_goes_to_stderr_with_status_2(arguments: list[str], words: str) -> None:
    result = runner.invoke(app, arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
