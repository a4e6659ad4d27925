"""The installation's keys for plates, for commands that take or show one, and the ring that the state folder holds."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from billing.plates import PlateKey, PlatesNotConfiguredError, PlateVault, vault_of
from core.errors import ConflictError, InvalidError
from core.settings import Settings
from ops.installation import NotRunningError, Told, environment
from ops.state import State, write_whole


def find_plate_vault() -> PlateVault | None:
    """The vault, for showing what may be shown; None where there is no key."""
    try:
        return plate_vault()
    except PlatesNotConfiguredError:
        return None


def plate_vault() -> PlateVault:
    """The vault of the key that is set, or that of the running installation.

    Raises:
        PlatesNotConfiguredError: there is no key.
    """
    key = Settings().plate_key.get_secret_value()
    if not key and "PARKING_DATABASE_URL" not in os.environ:
        try:
            key = environment("command")["PARKING_PLATE_KEY"]
        except NotRunningError:
            key = ""
    vault = vault_of(key)
    if vault is None:
        raise PlatesNotConfiguredError("plates are not taken here: PARKING_PLATE_KEY is not set")
    return vault


class OwnKeysError(InvalidError):
    """The ring is in a setting, where only whoever wrote it can change it."""

    slug = "own-keys"


class NotRestartedError(ConflictError):
    """What runs does not know the newest key yet, and could not read what is sealed with it."""

    slug = "not-restarted"


def ring_in_state() -> Path:
    """The file of the state folder that holds the ring.

    Raises:
        OwnKeysError: the ring is not there but in a setting.
    """
    if Settings().plate_key.get_secret_value():
        raise OwnKeysError("the keys are in PARKING_PLATE_KEY, or in the file named for it: change the ring there")
    return State.find().root / "secrets" / "plate-key"


def add_key() -> int:
    """Add a newer key to the ring of the state folder; its number. What runs learns of it when it is started again.

    Raises:
        OwnKeysError: the ring is in a setting.
    """
    path = ring_in_state()
    known = vault_of(State.find().secret("plate-key"))
    older = known.keys if known else ()
    newest = PlateKey(secrets.token_urlsafe(32), 1 + max((key.number for key in older), default=0))
    _write(path, (newest, *older))
    return newest.number


def drop_key(number: int) -> None:
    """Take a key out of the ring of the state folder; whatever it sealed can be read no more.

    Raises:
        OwnKeysError: the ring is in a setting.
        InvalidError: it is the newest, or there is no such key.
    """
    path = ring_in_state()
    known = vault_of(State.find().secret("plate-key"))
    if known is None or not known.has(number) or known.number == number:
        raise InvalidError(f"{number} is no older key of the ring")
    _write(path, tuple(key for key in known.keys if key.number != number))


def refuse_before_restart() -> None:
    """Let nothing be sealed with a key that the running installation has not read yet.

    Raises:
        NotRestartedError: it was started before the ring of the state folder was changed.
    """
    state = State.find()
    ring = state.root / "secrets" / "plate-key"
    told_at = Told.told_at(state)
    if told_at is not None and ring.is_file() and told_at < ring.stat().st_mtime:
        raise NotRestartedError(
            "what runs does not know the newest key yet: stop `parking up` and start it again first"
        )


def _write(path: Path, keys: Sequence[PlateKey]) -> None:
    write_whole(path, " ".join(f"{key.number}:{key.secret}" for key in keys) + "\n")
