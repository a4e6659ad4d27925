"""The installation's key for plates, for commands that take or show one."""

import os

from billing.plates import PlatesNotConfiguredError, PlateVault, vault_of
from core.settings import Settings
from ops.installation import NotRunningError, environment


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
