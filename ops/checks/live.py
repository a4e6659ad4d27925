"""Asking the services themselves: the database's version, revision and clock, the broker's version and losses."""

import asyncio
import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode
from sqlalchemy import pool, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from core.db import async_url
from ops.checks.finding import Finding, fail, ok, warn
from ops.database import current_revision, newest_revision
from ops.services import Endpoints

PATIENCE_SECONDS = 5.0
CLOCK_TOLERANCE_SECONDS = 2.0

_LOG = "read the log in the state folder's logs/, then start it again"


def check_services(endpoints: Endpoints) -> Iterator[Finding]:
    """Everything that only a running service can tell."""
    yield from asyncio.run(check_database(endpoints.database_url))
    yield check_broker(endpoints.mqtt_ingest_url)


async def check_database(url: str) -> list[Finding]:
    """Whether it answers, what it is, at which revision, and whether its clock agrees with ours."""
    engine = create_async_engine(async_url(url), poolclass=pool.NullPool)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), engine.connect() as db:
            return [*await _ask(db), await _check_revision(url)]
    except (OSError, SQLAlchemyError, TimeoutError) as refusal:
        where = f"{urlsplit(url).hostname}:{urlsplit(url).port}"
        return [fail("database", f"{where} does not answer: {str(refusal) or type(refusal).__name__}", _LOG)]
    finally:
        await engine.dispose()


def check_broker(url: str) -> Finding:
    """Whether it lets us in, what it is, and whether it ever had to drop messages."""
    told: dict[str, str] = {}
    refused: list[str] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"parking-doctor-{secrets.token_hex(4)}")
    parts = urlsplit(url)
    if parts.username:
        client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
    if parts.scheme == "mqtts":
        client.tls_set_context(ssl.create_default_context())

    def subscribe(_client: mqtt.Client, _: object, _flags: object, reason: ReasonCode, _properties: object) -> None:
        if reason.is_failure:
            refused.append(str(reason))
        else:
            client.subscribe("$SYS/broker/#")

    def note(_client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        told[message.topic] = message.payload.decode()

    client.on_connect, client.on_message = subscribe, note
    where = f"{parts.hostname}:{parts.port or 1883}"
    try:
        client.connect(parts.hostname or "", parts.port or 1883)
        _loop_until(client, lambda: bool(refused) or _DROPPED in told)
    except OSError as refusal:
        return fail("broker", f"{where} does not answer: {refusal}", _LOG)
    finally:
        client.disconnect()
    if refused:
        return fail("broker", f"{where} refuses us: {refused[0]}", "check user and password in PARKING_MQTT_URL")
    version = told.get("$SYS/broker/version", "an MQTT broker that says nothing of itself")
    if dropped := int(told.get(_DROPPED, "0")):
        return warn(
            "broker",
            f"{version} at {where} dropped {dropped} messages for lack of room since its start",
            "see that ingest runs and keeps up; heartbeats repair what was lost",
        )
    return ok("broker", f"{version} at {where}")


_DROPPED = "$SYS/broker/publish/messages/dropped"


async def _ask(db: AsyncConnection) -> list[Finding]:
    before = time.time()
    row = (await db.execute(text(_QUESTION))).one()
    drift = row.now - (before + time.time()) / 2
    findings = [ok("database", f"PostgreSQL {row.server}, TimescaleDB {row.timescaledb} ({row.license})")]
    if not row.timescaledb:
        findings = [
            fail(
                "database",
                f"PostgreSQL {row.server} without TimescaleDB",
                "as a superuser: CREATE EXTENSION timescaledb",
            )
        ]
    if row.fsync != "on" or row.synchronous_commit == "off":
        findings.append(
            warn(
                "durability", "a commit may be lost in a crash", "set fsync and synchronous_commit to on in PostgreSQL"
            )
        )
    if abs(drift) > CLOCK_TOLERANCE_SECONDS:
        findings.append(warn("clock", f"the database is {drift:+.1f} s from us", "set both machines' clocks by NTP"))
    else:
        findings.append(ok("clock", f"the database agrees within {abs(drift):.1f} s"))
    return findings


_QUESTION = """
SELECT current_setting('server_version') AS server,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb,
       current_setting('timescaledb.license', true) AS license,
       current_setting('fsync') AS fsync,
       current_setting('synchronous_commit') AS synchronous_commit,
       extract(epoch FROM clock_timestamp())::float8 AS now
"""


async def _check_revision(url: str) -> Finding:
    current, newest = await current_revision(url), newest_revision()
    if current == newest:
        return ok("schema", f"at the newest revision, {newest}")
    return fail("schema", f"at revision {current or 'none'}, and this program needs {newest}", "parking db upgrade")


def _loop_until(client: mqtt.Client, is_done: Callable[[], bool]) -> None:
    """Drive the socket here: no thread that could outlive us."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_done() and time.monotonic() < deadline:
        client.loop(0.1)
