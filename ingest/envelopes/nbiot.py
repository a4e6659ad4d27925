"""A Chinese NB-IoT carrier platform's push: ``aep/{product}/{device}/dataReport``. Pure.

Source: one published field list of a geomagnetic space sensor. ``timestamp`` is the platform's clock, ``ptime`` the
device's, both in milliseconds.
"""

import re
from typing import Final

import msgspec

from core.occupancy import ABSENT, Kind, Reading, Reason, Telemetry
from core.wire import MAX_COUNTER, Address
from ingest.envelopes.uplink import EnvelopeError, read_json, refuse, whole_within


class _Report(msgspec.Struct):
    """What the device sent, decoded by the platform."""

    ptime: int | None = None
    parking_state: int | None = None
    pack_count: int | None = None
    mag_id: int | str | None = None
    battery_voltage: float | None = None
    signal_power: float | None = msgspec.field(default=None, name="Signal_Power")


class _Push(msgspec.Struct, rename="camel"):
    imei: str | int | None = msgspec.field(default=None, name="IMEI")
    message_type: str | None = None
    timestamp: int | None = None
    payload: _Report | None = None


_DECODER: Final = msgspec.json.Decoder(_Push)
_IMEI: Final = re.compile(r"[0-9]{14,16}")
_MAG_ID: Final = re.compile(r"[0-9A-Za-z]{1,32}")
_CLOCKS_APART_MS: Final = 5 * 60_000


def read_nbiot(address: Address, raw: bytes) -> list[Reading]:  # noqa: ARG001 - the platform's device id is not the sensor's
    """The one reading of a push.

    The sensor is the IMEI, else the magnetometer's own number; ``pack_count`` is its ``seq``. Event time is the
    device's own, which cannot be ahead of the platform that received it.

    Raises:
        EnvelopeError: it is no report, names no sensor or no time, or the device's clock is wrong.
    """
    push = read_json(_DECODER, raw)
    if push.message_type not in (None, "dataReport"):
        refuse("an event of the platform, not a report", reason=Reason.NOT_AN_UPLINK)
    report = push.payload
    if report is None:
        refuse("payload is missing")
    sensor = _sensor(push.imei, report.mag_id)
    pack_count = report.pack_count if report.pack_count is not None else ABSENT
    if not ABSENT <= pack_count <= MAX_COUNTER:
        refuse("pack_count is not a counter", sensor=sensor)
    voltage, power = report.battery_voltage, report.signal_power
    return [
        Reading(
            sensor=sensor,
            at_ms=_event_time(report.ptime, push.timestamp, sensor),
            occupied=_occupied(report.parking_state, sensor),
            kind=Kind.REPORT,
            seq=pack_count,
            telemetry=Telemetry(
                battery_mv=None if voltage is None else whole_within(voltage * 1000, 0, 65_535),
                rssi_dbm=None if power is None else whole_within(power, -300, 100),
            ),
            raw=raw,
        )
    ]


def _sensor(imei: str | int | None, mag_id: int | str | None) -> str:
    said, shape = (imei, _IMEI) if imei not in (None, "") else (mag_id, _MAG_ID)
    if said is None or shape.fullmatch(str(said)) is None:
        refuse("neither an IMEI nor a mag_id says which sensor this is")
    return str(said)


def _event_time(device_ms: int | None, platform_ms: int | None, sensor: str) -> int:
    at_ms = device_ms if device_ms is not None else platform_ms
    if at_ms is None:
        refuse("neither ptime nor timestamp says when", sensor=sensor)
    if platform_ms is not None and at_ms > platform_ms + _CLOCKS_APART_MS:
        raise EnvelopeError(
            Reason.FROM_THE_FUTURE, "the device's clock is ahead of the platform's", sensor=sensor, at_ms=at_ms
        )
    return at_ms


def _occupied(state: int | None, sensor: str) -> bool | None:
    if state not in (None, 0, 1):
        refuse("parking_state is 0 or 1", sensor=sensor)
    return None if state is None else state == 1
