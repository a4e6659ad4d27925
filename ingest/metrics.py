"""What ingest counts, for Prometheus and for the process's own status line."""

from prometheus_client import Counter, Gauge, Histogram

from core.occupancy import Reason
from ingest.writer import Written

received = Counter("parking_ingest_messages_received", "MQTT messages taken from the broker")
stored = Counter("parking_ingest_readings_stored", "Readings stored for the first time")
repeated = Counter("parking_ingest_readings_repeated", "Readings that were stored already")
refused = Counter("parking_ingest_refused", "Messages or elements that made no reading", ["reason"])
sessions = Counter("parking_ingest_session_writes", "Session rows inserted or changed")
refolded = Counter("parking_ingest_spaces_refolded", "Spaces folded again because of late readings")
retries = Counter("parking_ingest_retries", "Batches tried again", ["why"])
waiting = Gauge("parking_ingest_inbox_messages", "Messages received and not yet written")
last_message_at = Gauge("parking_ingest_last_message_timestamp_seconds", "When the newest message was received")
committed_at = Gauge("parking_ingest_last_commit_timestamp_seconds", "When the newest batch was committed")
commit_seconds = Histogram(
    "parking_ingest_commit_seconds", "Time of one batch's transaction", buckets=(0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5)
)
lag_seconds = Histogram(
    "parking_ingest_lag_seconds",
    "From the newest reading's event time to its commit",
    buckets=(0.1, 0.3, 0.5, 1, 2, 5, 15, 60, 600),
)

unacknowledged = Gauge("parking_ingest_unacknowledged", "Messages of this connection received and not acknowledged")
connections = Counter("parking_ingest_broker_connections", "Connections to the broker that were accepted")
pauses = Counter("parking_ingest_pauses", "Times that reading from the broker stopped because the inbox was full")
dropped_connections = Counter("parking_ingest_dropped_connections", "Connections cut on purpose", ["why"])
broken_off = Counter("parking_ingest_attempts_broken_off", "Writes given up because the database did not answer")
leads = Gauge("parking_ingest_leads", "1 while this process holds the broker session, 0 while it stands by")
loop_late_seconds = Gauge("parking_ingest_loop_late_seconds", "How late the process's own loop came back, last second")

broker_clients = Gauge("parking_broker_clients", "Clients connected to the broker")
broker_inflight = Gauge("parking_broker_inflight_messages", "Messages sent by the broker and not acknowledged")
broker_stored = Gauge("parking_broker_stored_messages", "Messages the broker holds, retained ones included")
broker_stored_bytes = Gauge("parking_broker_stored_bytes", "Their payloads")
broker_retained = Gauge("parking_broker_retained_messages", "Retained messages the broker holds")
broker_heap = Gauge("parking_broker_heap_bytes", "Memory of the broker, where it tells")
broker_received = Gauge("parking_broker_publishes_received", "Messages published to the broker since its start")
broker_dropped = Gauge("parking_broker_publishes_dropped", "Messages dropped by the broker since its start")
broker_denied = Counter("parking_broker_publishes_denied", "Messages the broker took and passed on to nobody")
broker_turned_away = Counter("parking_broker_logins_refused", "Connections refused: unknown user, wrong password")


def count(written: Written) -> None:
    """Add one batch to the counters."""
    received.inc(written.messages)
    stored.inc(written.stored)
    repeated.inc(written.repeated)
    sessions.inc(written.sessions)
    refolded.inc(written.refolded)
    for reason, times in written.refused.items():
        refused.labels(Reason(reason).value).inc(times)
