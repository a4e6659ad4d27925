"""``python -m ops.services.containers FOLDER``: the secrets and settings that the containers of one installation share.

Run once before the others by ``deploy/compose.yaml``. What is there already stays, so that passwords last.
"""

import sys
from pathlib import Path

from ops.services.accounts import render_access, render_passwords
from ops.services.mosquitto import list_process_accounts
from ops.services.mosquitto_conf import render_settings
from ops.services.postgres import DATABASE, ROLE
from ops.services.postgres_conf import render_bootstrap
from ops.state import State, write_whole

DATABASE_HOST, BROKER_HOST = "database", "broker"
"""Names of the services in the compose file."""
BROKER_FOLDER, BROKER_DATA = Path("/mosquitto/config"), Path("/mosquitto/data")
"""Where the broker's image keeps its configuration and its saved sessions."""

READABLE = 0o644
"""For files in volumes that only one other container mounts, whose user is not ours."""


def prepare(
    folder: Path,
    *,
    listen: str = "0.0.0.0",  # noqa: S104 - inside the containers' own network
    port: int = 1883,
    broker_folder: Path = BROKER_FOLDER,
    broker_data: Path = BROKER_DATA,
) -> None:
    """Write one folder for each volume: ``secrets/`` for our processes, ``broker/`` and ``database/`` for those two.

    Args:
        folder: holds the volumes.
        listen: where the broker listens.
        port: of the broker.
        broker_folder: where the broker will find its configuration.
        broker_data: where it may save.
    """
    state = State.find(folder)
    state.prepare()
    accounts = list_process_accounts(state)
    password = state.secret("database-parking")
    for name in ("secret-key", "plate-key"):
        state.secret(name)
    for name, text in {
        "bootstrap.sql": render_bootstrap(role=ROLE, password=password, database=DATABASE),
        "database-url": f"postgresql://{ROLE}:{password}@{DATABASE_HOST}:5432/{DATABASE}\n",
        **{f"mqtt-url-{each.name}": f"mqtt://{each.name}:{each.password}@{BROKER_HOST}:{port}\n" for each in accounts},
    }.items():
        write_whole(folder / "secrets" / name, text)
    settings = render_settings(folder=broker_folder, port=port, host=listen, saved_in=broker_data)
    for name, text in {
        "database/superuser": state.secret("database-superuser"),
        "broker/mosquitto.conf": settings,
        "broker/passwords": render_passwords(accounts),
        "broker/access": render_access(accounts),
    }.items():
        (folder / name).parent.mkdir(mode=0o755, exist_ok=True)
        write_whole(folder / name, text, mode=READABLE)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
