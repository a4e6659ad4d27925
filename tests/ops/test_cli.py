"""The command line as a whole: what it says when a command cannot do its work."""

import socket
from urllib.parse import urlsplit

import pytest

from ops.cli import main
from ops.services import RunningServices


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (1, "")
    return " ".join(said.err.split())


def test_a_database_that_is_away_is_one_message_and_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PARKING_DATABASE_URL", f"postgresql://a:b@127.0.0.1:{deaf.getsockname()[1]}/c")
        monkeypatch.setenv("PARKING_MQTT_URL", "mqtt://127.0.0.1:1")
        told = refusal(capsys, "export", "sessions")
    assert told.startswith("out-of-reach: ConnectionRefusedError")
    assert told.endswith("`parking doctor` looks for the cause.")


@pytest.mark.parametrize(("user", "name"), [("parking:wrong", "/parking"), ("", "/nowhere")])
def test_so_is_one_that_lets_nobody_in(
    user: str,
    name: str,
    services: RunningServices,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = urlsplit(services.endpoints.database_url)
    login, _, host = right.netloc.rpartition("@")
    monkeypatch.setenv("PARKING_DATABASE_URL", right._replace(netloc=f"{user or login}@{host}", path=name).geturl())
    assert refusal(capsys, "export", "sessions").startswith("out-of-reach: Invalid")
