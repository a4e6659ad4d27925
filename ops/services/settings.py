"""What a deployment may say about the database and the broker, read from ``PARKING_*`` variables.

The processes read theirs through ``core.settings``; this is the part that ``./parking`` needs before any package is
installed, and that no process but the starting one needs at all.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ops.state import InstallationError, State


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsListener:
    """Where sensors outside this machine reach the broker: all addresses, unless one is named."""

    certificate: Path
    key: Path
    host: str = "0.0.0.0"  # noqa: S104 - two settings ask for exactly this: a listener for sensors elsewhere
    port: int = 8883


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Where the services are, if elsewhere; else how the embedded ones are run."""

    database_url: str | None = field(default=None, repr=False)
    mqtt_url: str | None = field(default=None, repr=False)
    programs: Path
    """Where unpacked programs live; several installations may share them."""
    tls: TlsListener | None = None

    @classmethod
    def read(cls, state: State, environ: Mapping[str, str] = os.environ) -> "ServiceSettings":
        """From ``PARKING_DATABASE_URL``, ``PARKING_MQTT_URL``, ``PARKING_SERVICES_DIR`` and ``PARKING_MQTT_TLS_*``.

        Raises: InstallationError when one of the certificate's two settings lacks the other or names no file.
        """
        return cls(
            database_url=environ.get("PARKING_DATABASE_URL") or None,
            mqtt_url=environ.get("PARKING_MQTT_URL") or None,
            programs=Path(environ.get("PARKING_SERVICES_DIR") or state.root / "services").expanduser().absolute(),
            tls=_tls(environ),
        )


def _tls(environ: Mapping[str, str]) -> TlsListener | None:
    certificate, key = environ.get("PARKING_MQTT_TLS_CERTIFICATE"), environ.get("PARKING_MQTT_TLS_KEY")
    if not certificate and not key:
        return None
    files = [Path(name).expanduser().absolute() for name in (certificate, key) if name]
    if len(files) < 2 or not all(file.is_file() for file in files):  # noqa: PLR2004 - a certificate and its key
        raise InstallationError(
            "TLS for the broker needs both files, and at least one is not there.",
            cure="set PARKING_MQTT_TLS_CERTIFICATE and PARKING_MQTT_TLS_KEY to PEM files, or neither",
        )
    host, _, port = environ.get("PARKING_MQTT_TLS_LISTEN", "").rpartition(":")
    chosen = TlsListener(certificate=files[0], key=files[1])
    if not port:
        return chosen
    return TlsListener(certificate=files[0], key=files[1], host=host or chosen.host, port=int(port))
