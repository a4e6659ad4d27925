"""The Things Stack v3: ``v3/{app}@{tenant}/devices/{device_id}/up``, its ``ApplicationUp`` as JSON. Pure.

Source: the published message fields of The Things Stack (Apache-2.0). Its JSON leaves out false, 0 and empty values.
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
    read_base64,
    read_dev_eui,
    read_frame,
    read_instant,
    read_json,
    refuse,
    refuse_commands_alone,
)


class _DeviceIds(msgspec.Struct, gc=False):
    device_id: str | None = None
    dev_eui: str | None = None
    dev_addr: str | None = None


class _Reception(msgspec.Struct, gc=False):
    rssi: float | None = None


class _Battery(msgspec.Struct, gc=False):
    value: float | None = None


class _Uplink(msgspec.Struct):
    session_key_id: str | None = None
    f_port: Port | None = None
    f_cnt: int | None = None
    frm_payload: str | None = None
    rx_metadata: list[_Reception] | None = None
    received_at: str | None = None
    last_battery_percentage: _Battery | None = None


class _ApplicationUp(msgspec.Struct):
    end_device_ids: _DeviceIds
    received_at: str | None = None
    uplink_message: _Uplink | None = None


_DECODER: Final = msgspec.json.Decoder(_ApplicationUp)


def read_things_stack(address: Address, raw: bytes) -> Uplink:
    """Unwrap an uplink.

    Event time is when the network server received the frame. The session is its key's id, else the device address.

    Raises:
        EnvelopeError: it is none, or one without payload, or of another device than the topic's.
    """
    message = read_json(_DECODER, raw)
    ids = message.end_device_ids
    sensor = read_dev_eui(ids.dev_eui)
    if ids.device_id is not None and ids.device_id != address.device:
        refuse("the topic names another device than the message", sensor=sensor)
    uplink = message.uplink_message
    if uplink is None:
        refuse("an event of the network server, not an uplink", sensor=sensor, reason=Reason.NOT_AN_UPLINK)
    refuse_commands_alone(uplink.f_port, uplink.frm_payload, sensor)
    received_at = uplink.received_at or message.received_at
    if not received_at:
        refuse("received_at is missing", sensor=sensor)
    battery = uplink.last_battery_percentage
    return Uplink(
        sensor=sensor,
        at_ms=read_instant(received_at, "received_at", sensor),
        payload=read_base64(uplink.frm_payload or "", "frm_payload", sensor),
        f_port=uplink.f_port,
        frame=read_frame(uplink.session_key_id or ids.dev_addr, uplink.f_cnt, sensor),
        seq=uplink.f_cnt or 0,
        telemetry=Telemetry(
            rssi_dbm=best_rssi(reception.rssi for reception in uplink.rx_metadata or ()),
            battery_pct=percent(battery.value) if battery is not None else None,
        ),
    )
