"""Mosquitto's settings as we ship them. Pure."""

from pathlib import Path

from ops.services.settings import TlsListener

WINDOW = 20_000
"""Unacknowledged messages on the way to one client: never smaller than the largest batch that ingest may be set to."""
QUEUE = 500_000
"""Messages kept for a client that is away: 2 300 sensors fill it in a day, the demo at 60 times speed in 30 min."""
SAVED_EVERY = 100
"""Changes after which sessions are saved: what came since the last save is lost when the broker is killed."""
QUEUE_BYTES = 512 * 1024 * 1024
MESSAGE_BYTES = 256 * 1024
"""A gateway's 500 readings take less than half of this. Longer messages are dropped."""
PACKET_BYTES = 4 * MESSAGE_BYTES
"""Longer packets are not even read: their sender is cut off."""


def render_settings(
    *, folder: Path, port: int, tls: TlsListener | None = None, host: str = "127.0.0.1", saved_in: Path | None = None
) -> str:
    """``mosquitto.conf``: passwords and an access list for everybody, and sessions that survive the broker.

    Args:
        folder: holds its passwords, access list, database and, with TLS, its certificate and key.
        port: of the listener for our own processes.
        tls: a second listener for sensors elsewhere.
        host: where the first listener listens; other than here only inside a private network.
        saved_in: where sessions are saved; unset: in ``folder``.
    """
    listeners = f"listener {port} {host}\nset_tcp_nodelay true\n"
    if tls:
        listeners += f"\nlistener {tls.port} {tls.host}\ncertfile {folder}/tls.crt\nkeyfile {folder}/tls.key\n"
        listeners += "tls_version tlsv1.2\n"
    return f"""\
# Written anew at each start; the passwords and the access list are read again on SIGHUP.
per_listener_settings false
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/access

# A saved session is what lets ingest be away: saved every {SAVED_EVERY} changes, and a kill -9 loses what came since.
# Saving at each change costs a hundred times the throughput once a queue has built up.
persistence true
persistence_location {saved_in or folder}/
persistence_file mosquitto.db
autosave_on_changes true
autosave_interval {SAVED_EVERY}
persistent_client_expiration 14d

max_inflight_messages {WINDOW}
max_queued_messages {QUEUE}
max_queued_bytes {QUEUE_BYTES}
message_size_limit {MESSAGE_BYTES}
max_packet_size {PACKET_BYTES}

# Who comes, and who is turned away, is told under $SYS/broker/log/N, too: ingest counts it.
sys_interval 5
log_dest stdout
log_dest topic
log_type error
log_type warning
log_type notice
log_timestamp_format %Y-%m-%dT%H:%M:%S
connection_messages true

{listeners}"""
