"""Actility ThingPark: ``mqtt/things/{DevEUI}/uplink``, its ``DevEUI_uplink`` document. Pure.

Source: the maker's published field list (facts). Older releases write numbers as strings; both are read. ``Late`` marks
frames that a gateway kept while it was cut off: they are dated by ``Time`` like all others and need no other care.
"""

from typing import Final

import msgspec

from core.occupancy import Reason, Telemetry
from core.wire import Address
from ingest.envelopes.uplink import (
    Port,
    Uplink,
    best_rssi,
    percent,
    read_dev_eui,
    read_frame,
    read_hex,
    read_instant,
    read_json,
    refuse,
    refuse_commands_alone,
)


class _Reception(msgspec.Struct, gc=False):
    rssi: float | None = msgspec.field(default=None, name="LrrRSSI")


class _Receptions(msgspec.Struct):
    each: list[_Reception] | None = msgspec.field(default=None, name="Lrr")


class _Uplink(msgspec.Struct):
    dev_eui: str | None = msgspec.field(default=None, name="DevEUI")
    time: str | None = msgspec.field(default=None, name="Time")
    f_port: Port | None = msgspec.field(default=None, name="FPort")
    f_cnt: int | None = msgspec.field(default=None, name="FCntUp")
    dev_addr: str | None = msgspec.field(default=None, name="DevAddr")
    payload_hex: str | None = None
    rssi: float | None = msgspec.field(default=None, name="LrrRSSI")
    receptions: _Receptions | None = msgspec.field(default=None, name="Lrrs")
    battery_level: int | None = msgspec.field(default=None, name="BatteryLevel")


class _Document(msgspec.Struct):
    uplink: _Uplink | None = msgspec.field(default=None, name="DevEUI_uplink")


_DECODER: Final = msgspec.json.Decoder(_Document, strict=False)


def read_thingpark(address: Address, raw: bytes) -> Uplink:
    """Unwrap an uplink.

    Event time is ``Time``, which has an offset. The session is the device address, which a join renews.

    Raises:
        EnvelopeError: it is none, or one without payload, or of another device than the topic's.
    """
    uplink = read_json(_DECODER, raw).uplink
    sensor = read_dev_eui(uplink.dev_eui if uplink is not None else None, topic=address.device)
    if uplink is None:
        refuse("an event of the network server, not an uplink", sensor=sensor, reason=Reason.NOT_AN_UPLINK)
    refuse_commands_alone(uplink.f_port, uplink.payload_hex, sensor)
    if not uplink.time:
        refuse("Time is missing", sensor=sensor)
    receptions = (uplink.receptions.each if uplink.receptions is not None else None) or []
    return Uplink(
        sensor=sensor,
        at_ms=read_instant(uplink.time, "Time", sensor),
        payload=read_hex(uplink.payload_hex or "", "payload_hex", sensor),
        f_port=uplink.f_port,
        frame=read_frame(uplink.dev_addr, uplink.f_cnt, sensor),
        seq=uplink.f_cnt or 0,
        telemetry=Telemetry(
            rssi_dbm=best_rssi([uplink.rssi, *(reception.rssi for reception in receptions)]),
            battery_pct=_battery_pct(uplink.battery_level),
        ),
    )


_FULL: Final = 254
"""LoRaWAN's ``DevStatusAns``: 1 to 254 is empty to full, 0 mains, 255 not known."""


def _battery_pct(level: int | None) -> int | None:
    return percent(level * 100 / _FULL) if level is not None and 0 < level <= _FULL else None
