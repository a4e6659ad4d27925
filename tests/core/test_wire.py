"""Topics and messages, both directions."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import wire
from core.clock import milliseconds
from core.occupancy import Kind
from core.wire import Address, Envelope, GatewayReading, NativeReading

levels = st.text(min_size=1, max_size=20).filter(wire.is_sensor_id)


@given(levels, levels)
def test_a_topic_that_was_built_is_understood(site: str, name: str) -> None:
    assert wire.parse_topic(wire.reading_topic(site, name)) == Address(Envelope.NATIVE, name)
    assert wire.parse_topic(wire.gateway_topic(site, name)) == Address(Envelope.GATEWAY, name)
    assert wire.parse_topic(wire.senml_topic(name)) == Address(Envelope.SENML, name)
    assert wire.parse_topic(wire.chirpstack_topic(site, name)) == Address(Envelope.CHIRPSTACK, name)
    assert wire.parse_topic(wire.chirpstack_topic(site, name, "join")) == Address(Envelope.CHIRPSTACK, name, "join")
    assert wire.parse_topic(wire.things_stack_topic(site, "city", name)) == Address(Envelope.THINGS_STACK, name)
    assert wire.parse_topic(wire.thingpark_topic(name)) == Address(Envelope.THINGPARK, name)
    assert wire.parse_topic(wire.nbiot_topic(site, name)) == Address(Envelope.NBIOT, name)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "parking",
        "parking/xinchang/A-01",
        "parking/xinchang/A-01/down",
        "parking/xinchang/A-01/up/more",
        "elsewhere/xinchang/A-01/up",
        "application/1/device/70b3d57ed0061a2c/command/down",
        "v3/parking@city/devices/a/down/push",
        "$SYS/broker/uptime",
    ],
)
def test_any_other_topic_is_none_of_ours(topic: str) -> None:
    assert wire.parse_topic(topic) is None


def test_every_topic_that_is_understood_is_subscribed() -> None:
    topics = [
        wire.reading_topic("xinchang", "A-01"),
        wire.gateway_topic("xinchang", "G-1"),
        wire.senml_topic("A-01"),
        wire.chirpstack_topic("1", "70b3d57ed0061a2c"),
        wire.chirpstack_topic("1", "70b3d57ed0061a2c", "log"),
        wire.things_stack_topic("parking", "city", "a-01"),
        wire.things_stack_topic("parking", "city", "a-01", "join"),
        wire.thingpark_topic("70B3D57ED0061A2C"),
        wire.nbiot_topic("15034864", "87f4b281"),
    ]

    for topic in topics:
        assert sum(matches(subscription, topic) for subscription in wire.SUBSCRIPTIONS) == 1, topic


@pytest.mark.parametrize("text", ["", " ", "a ", "a/b", "a+", "#", "a\x00", "a\nb", "\ud800", "x" * 129])
def test_what_cannot_be_a_level_of_a_topic_is_no_sensor(text: str) -> None:
    assert not wire.is_sensor_id(text)
    with pytest.raises(ValueError, match="level of a topic"):
        wire.reading_topic("xinchang", text)


@pytest.mark.parametrize("text", ["a", "70b3d57ed0061a2c", "A-01", "地磁 17", "x" * 128, "$a"])
def test_free_text_is_a_sensors_id(text: str) -> None:
    assert wire.is_sensor_id(text)


def test_a_message_has_what_was_given_and_no_more() -> None:
    full = NativeReading(seq=1042, boot=3, at=1795358210250, occupied=True, kind=Kind.CHANGE, battery_mv=3612)

    assert json.loads(wire.encode_reading(full)) == {
        "seq": 1042,
        "boot": 3,
        "at": 1795358210250,
        "occupied": True,
        "kind": "change",
        "battery_mv": 3612,
    }
    assert json.loads(wire.encode_reading(NativeReading(at=1, occupied=False))) == {"at": 1, "occupied": False}


def test_a_gateway_sends_at_most_500_readings() -> None:
    readings = [GatewayReading(sensor="A-01", at=at, occupied=True) for at in range(501)]

    assert len(json.loads(wire.encode_gateway(readings[:500]))) == 500
    with pytest.raises(ValueError, match="at most 500"):
        wire.encode_gateway(readings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-05-14T08:21:37.482915+00:00", 1778746897482),
        ("2026-05-14T08:21:37.853216514Z", 1778746897853),
        ("2026-05-14T10:21:37.482+02:00", 1778746897482),
        ("2026-05-14t16:21:37.4829999999999999999z", 1778775697482),
        ("2026-05-14 16:21:37.5+08:00", 1778746897500),
        ("2016-12-31T23:59:60Z", 1483228800000),
        ("1969-12-31T23:59:59.999Z", -1),
        ("0001-01-01T00:00:00Z", -62135596800000),
        ("0001-01-01T00:00:00+23:59", -62135683140000),
        ("9999-12-31T23:59:59.9999999-23:59", 253402387139999),
        ("2016-12-31T23:59:60.5-00:00", 1483228800500),
    ],
)
def test_an_instant_is_read_to_the_millisecond(text: str, expected: int) -> None:
    assert wire.parse_instant(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-05-14",
        "2026-05-14T08:21:37",
        "2026-05-14T08:21Z",
        "2026-02-29T00:00:00Z",
        "2026-05-14T24:00:00Z",
        "2026-05-14T08:21:61Z",
        "2026-05-14T08:21:37,5Z",
        "2026-05-14T08:21:37+0800",
        "2026-05-14T08:21:37+24:00",
        "0000-01-01T00:00:00Z",
        "20260514T082137Z",
        " 2026-05-14T08:21:37Z",
        "2026-05-14T08:21:37Z\n",
        "２０２６-05-14T08:21:37Z",
        "2026-05-14T08:21:37." + "1" * 1000 + "Z",
    ],
)
def test_anything_else_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.parse_instant(text)


@given(
    st.datetimes(
        min_value=datetime(2, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
        max_value=datetime(9998, 12, 31),  # noqa: DTZ001 - as above
        timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
)
def test_an_instant_means_the_same_in_every_offset(at: datetime) -> None:
    assert wire.parse_instant(at.isoformat(timespec="microseconds")) == milliseconds(at.astimezone(UTC))


def matches(subscription: str, topic: str) -> bool:
    """Whether a filter without ``#`` matches, by the rules of MQTT."""
    wanted, levels = subscription.split("/"), topic.split("/")
    return len(wanted) == len(levels) and all(a in ("+", b) for a, b in zip(wanted, levels, strict=True))
