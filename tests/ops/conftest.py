"""For those who type commands."""

import pytest
from typer.testing import CliRunner


@pytest.fixture
def shell(database_url: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """For commands on this test's database, in a terminal wide enough for any table."""
    monkeypatch.setenv("PARKING_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "250")
    return CliRunner()
