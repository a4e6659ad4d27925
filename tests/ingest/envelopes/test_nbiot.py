"""The NB-IoT carrier platform's push."""

from collections.abc import Callable
from typing import Any

import pytest

from core.occupancy import ABSENT, Kind, Reason, Telemetry

Messages = Callable[[str], Any]


@pytest.fixture
def push(message: Messages) -> Any:
    return message("nbiot-lwm2m-platform-geomagnetic")


def test_a_push_becomes_a_report_dated_by_the_device(push: Any) -> None:
    reading = push.reading()

    assert (reading.sensor, reading.at_ms) == ("860000000000001", 1778746896000)
    assert (reading.occupied, reading.kind) == (True, Kind.REPORT)
    assert (reading.boot, reading.seq, reading.frame) == (ABSENT, 507, None)
    assert reading.telemetry == Telemetry(battery_mv=3656, rssi_dbm=-90)


def test_a_push_without_imei_is_of_the_magnetometer(push: Any) -> None:
    del push.body["IMEI"]

    assert push.reading().sensor == "127763"


def test_a_push_without_the_devices_time_is_dated_by_the_platform(push: Any) -> None:
    del push.body["payload"]["ptime"]

    assert push.reading().at_ms == 1778746898981


def test_a_push_that_was_kept_for_hours_keeps_its_time(push: Any) -> None:
    push.body["timestamp"] += 7 * 3_600_000

    assert push.reading().at_ms == 1778746896000


def test_an_absent_state_is_not_known_and_an_absent_counter_is_none(push: Any) -> None:
    del push.body["payload"]["parking_state"], push.body["payload"]["pack_count"]

    reading = push.reading()

    assert (reading.occupied, reading.seq) == (None, ABSENT)


def test_a_device_ahead_of_its_platform_is_refused(push: Any) -> None:
    push.body["payload"]["ptime"] = push.body["timestamp"] + 300_001

    refusal = push.refusal()

    assert (refusal.reason, refusal.sensor) == (Reason.FROM_THE_FUTURE, "860000000000001")
    assert refusal.at_ms == push.body["timestamp"] + 300_001


def test_a_device_that_counts_seconds_has_no_clock(push: Any) -> None:
    push.body["payload"]["ptime"] = 1778746896

    assert push.refusal().reason == Reason.CLOCK_NOT_SET


@pytest.mark.parametrize(
    ("part", "member", "value"),
    [
        ("payload", "parking_state", 2),
        ("payload", "parking_state", "1"),
        ("payload", "pack_count", -2),
        ("payload", "pack_count", 2**63),
        ("payload", "ptime", "today"),
        (None, "IMEI", "not an IMEI"),
        (None, "IMEI", "86000000000000\x00"),
        (None, "payload", None),
        (None, "payload", "eyJ9"),
    ],
)
def test_a_push_that_cannot_be_meant_is_refused(push: Any, part: str | None, member: str, value: object) -> None:
    (push.body if part is None else push.body[part])[member] = value

    assert push.refusal().reason == Reason.NOT_A_READING


@pytest.mark.parametrize("neither", [{"IMEI": None}, {"IMEI": ""}])
def test_a_push_of_nobody_is_refused(push: Any, neither: dict[str, Any]) -> None:
    push.body |= neither
    del push.body["payload"]["mag_id"]

    assert push.refusal().reason == Reason.NOT_A_READING


def test_other_messages_of_the_platform_are_counted_and_make_no_reading(push: Any) -> None:
    push.body["messageType"] = "deviceOnlineOfflineReport"
    assert push.refusal().reason == Reason.NOT_AN_UPLINK

    push.topic = "aep/15034864/87f4b2814f434992/eventReport"
    assert push.refusal().reason == Reason.NOT_AN_UPLINK
