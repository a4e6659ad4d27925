"""What somebody would write in an afternoon: ``python -m ops.bench.naive insert|print CLIENT_ID`` (URLs on stdin).

``insert``: a callback that stores its message, one INSERT and commit each. ``print``: the statements on stdout, for
``psql``. Both subscribe with QoS 1 and let paho acknowledge when the callback returns.
"""

import asyncio
import sys

import asyncpg
from paho.mqtt.client import Client, MQTTMessage

from ops.bench.broker import connected

TABLE = "naive_reading"
CREATE = f"CREATE TABLE {TABLE} (received_at timestamptz DEFAULT now(), topic text, payload text)"


def insert_each(database_url: str, client: Client) -> None:
    """One INSERT a message."""
    loop = asyncio.new_event_loop()
    db = loop.run_until_complete(asyncpg.connect(database_url))
    statement = f"INSERT INTO {TABLE} (topic, payload) VALUES ($1, $2)"  # noqa: S608 - no value of anybody's

    def store(_: Client, __: object, message: MQTTMessage) -> None:
        loop.run_until_complete(db.execute(statement, message.topic, message.payload.decode()))

    client.on_message = store
    client.loop_forever()


def print_each(client: Client) -> None:
    """One line of SQL a message, as one would pipe it."""

    def say(_: Client, __: object, message: MQTTMessage) -> None:
        values = ", ".join(f"$q${text}$q$" for text in (message.topic, message.payload.decode()))
        sys.stdout.write(f"INSERT INTO {TABLE} (topic, payload) VALUES ({values});\n")  # noqa: S608 - the bench's own

    client.on_message = say
    client.loop_forever()


if __name__ == "__main__":
    database, broker = (sys.stdin.readline().strip() for _ in range(2))
    session = connected(broker, client_id=sys.argv[2], clean=False)
    if sys.argv[1] == "insert":
        insert_each(database, session)
    else:
        print_each(session)
