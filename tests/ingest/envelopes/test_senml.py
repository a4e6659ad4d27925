"""SenML packs (RFC 8428)."""

from collections.abc import Callable
from typing import Any

import pytest

from core.occupancy import ABSENT, Kind, Reading, Reason, Telemetry

BASE_TIME = 1778746897.482

Messages = Callable[[str], Any]


def pack(message: Messages, *records: dict[str, Any]) -> Any:
    senml = message("senml-rfc8428")
    senml.body = list(records)
    return senml


def test_a_pack_becomes_a_report_for_each_instant_oldest_first(message: Messages) -> None:
    first, second = message("senml-rfc8428").decode()

    assert isinstance(first, Reading)
    assert isinstance(second, Reading)
    assert (first.sensor, first.at_ms, first.occupied) == ("P2-B-014", 1778743297482, False)
    assert (second.sensor, second.at_ms, second.occupied) == ("P2-B-014", 1778746897482, True)
    assert second.telemetry == Telemetry(temperature_c=18.5, battery_mv=3344)
    assert (first.kind, first.boot, first.seq, first.telemetry) == (Kind.REPORT, ABSENT, ABSENT, Telemetry())


def test_base_fields_carry_over_until_they_are_set_anew(message: Messages) -> None:
    readings = pack(
        message,
        {"bn": "urn:dev:imei:860000000000001:", "bt": BASE_TIME, "bu": "Cel", "bv": 20},
        {"n": "temp", "v": -1.5},
        {"n": "occupied", "vb": True},
        {"bt": BASE_TIME + 60, "n": "occupied", "vb": False},
        {"n": "rssi", "bu": "dBm", "bv": 0, "v": -97},
    ).decode()

    assert [(r.at_ms, r.occupied) for r in readings] == [(1778746897482, True), (1778746957482, False)]
    assert [r.telemetry for r in readings] == [Telemetry(temperature_c=18.5), Telemetry(rssi_dbm=-97)]


@pytest.mark.parametrize(
    "record",
    [
        {"n": "urn:dev:mac:70b3d5fffe061a2c_occupied", "vb": True},
        {"bn": "urn:dev:ow:10e2073a01080063/", "n": "occupied", "vb": True},
        {"bn": "occupied", "vb": True},
        {"n": "occupied", "v": 1},
        {"n": "space:occupied", "v": 0, "bv": 1},
    ],
)
def test_a_state_may_be_named_and_written_in_several_ways(message: Messages, record: dict[str, Any]) -> None:
    assert pack(message, {"bt": BASE_TIME} | record).reading().occupied is True


def test_a_pack_without_a_state_changes_none(message: Messages) -> None:
    reading = pack(message, {"bt": BASE_TIME, "n": "battery", "u": "%EL", "v": 81}).reading()

    assert (reading.occupied, reading.telemetry) == (None, Telemetry(battery_pct=81))


@pytest.mark.parametrize(
    "record",
    [
        {"n": "temp", "u": "K", "v": 291.6},
        {"n": "temp", "u": "Cel", "v": 9e9},
        {"n": "battery", "u": "V", "v": -3},
        {"n": "battery", "u": "V", "vb": True},
        {"n": "rssi", "u": "dBW", "v": -127},
        {"n": "humidity", "u": "%RH", "v": 81},
        {"n": "unoccupied", "vb": True},
        {"n": "temp", "u": "Cel"},
    ],
)
def test_what_we_do_not_read_is_left_out(message: Messages, record: dict[str, Any]) -> None:
    reading = pack(message, {"bt": BASE_TIME, "n": "occupied", "vb": True}, record).reading()

    assert reading.telemetry in (Telemetry(), Telemetry(temperature_c=None))


@pytest.mark.parametrize("record", [{}, {"t": -3600}, {"t": 12.5}, {"bt": 2**28 - 1}, {"bt": -5}])
def test_a_time_relative_to_now_is_refused_for_it_would_be_its_arrivals(
    message: Messages, record: dict[str, Any]
) -> None:
    refusal = pack(message, {"n": "occupied", "vb": True} | record).refusal()

    assert (refusal.reason, refusal.sensor) == (Reason.CLOCK_NOT_SET, "P2-B-014")


def test_the_earliest_absolute_time_lies_before_2020(message: Messages) -> None:
    refusal = pack(message, {"n": "occupied", "vb": True, "bt": 2**28}).refusal()

    assert (refusal.reason, refusal.at_ms) == (Reason.CLOCK_NOT_SET, 2**28 * 1000)


@pytest.mark.parametrize(
    "records",
    [
        [],
        [{"bt": BASE_TIME, "n": "humidity", "v": 1}],
        [{"bt": BASE_TIME, "n": "occupied", "vs": "yes"}],
        [{"bt": BASE_TIME, "n": "occupied", "vb": "yes"}],
        [{"bt": BASE_TIME, "n": "occupied", "v": 0.5}],
        [{"bt": BASE_TIME, "n": "occupied", "v": True}],
        [{"bt": "now", "n": "occupied", "vb": True}],
        [{"bt": 1e14, "n": "occupied", "vb": True}],
        [{"bt": BASE_TIME, "n": 5, "vb": True}],
        [{"bver": 11, "bt": BASE_TIME, "n": "occupied", "vb": True}],
        [{"bt": BASE_TIME, "n": "occupied", "vb": True, "secret_": 1}],
        [{"bt": BASE_TIME, "n": "occupied", "vb": True}, {"n": "occupied", "vb": False}],
        [{"bt": BASE_TIME, "bn": "a_", "n": "occupied", "vb": True}, {"bn": "b_", "n": "occupied", "t": 1, "vb": True}],
        [1],
    ],
)
def test_a_pack_that_cannot_be_meant_is_refused(message: Messages, records: list[Any]) -> None:
    refusal = pack(message, *records).refusal()

    assert (refusal.reason, refusal.sensor) == (Reason.NOT_A_READING, "P2-B-014")


def test_a_pack_of_too_many_records_is_refused(message: Messages) -> None:
    records = [{"bt": BASE_TIME, "n": "occupied", "vb": True, "t": n} for n in range(501)]

    assert pack(message, *records).refusal().reason == Reason.TOO_MANY_READINGS
    assert len(pack(message, *records[:500]).decode()) == 500
