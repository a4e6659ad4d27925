"""ChirpStack v4: ``application/{id}/device/{dev_eui}/event/up``, the JSON of its ``UplinkEvent``. Pure.

Source: the published protobuf field list of ChirpStack v4 (MIT). Its JSON leaves out numbers of 0, flags that are
false and empty strings, some bridges everywhere: every member has a default here.
"""

from typing import Final

import msgspec

from core.occupancy import Telemetry
from core.wire import Address
from ingest.envelopes.uplink import (
    Port,
    Uplink,
    best_rssi,
    read_base64,
    read_dev_eui,
    read_frame,
    read_instant,
    read_json,
    refuse,
    refuse_commands_alone,
)


class _DeviceInfo(msgspec.Struct, rename="camel", gc=False):
    dev_eui: str | None = None


class _Reception(msgspec.Struct, rename="camel", gc=False):
    ns_time: str | None = None
    rssi: float | None = None


class _UplinkEvent(msgspec.Struct, rename="camel"):
    time: str | None = None
    device_info: _DeviceInfo | None = None
    dev_addr: str | None = None
    f_cnt: int | None = None
    f_port: Port | None = None
    data: str | None = None
    rx_info: list[_Reception] | None = None


_DECODER: Final = msgspec.json.Decoder(_UplinkEvent)


def read_chirpstack(address: Address, raw: bytes) -> Uplink:
    """Unwrap an uplink.

    Event time is ``time``, else the earliest ``nsTime`` of the gateways. The session is the device address, which a
    join renews; ``deduplicationId`` is one server's own and tells nothing of a second server.

    Raises:
        EnvelopeError: it is none, or one without payload.
    """
    event = read_json(_DECODER, raw)
    info = event.device_info
    sensor = read_dev_eui(info.dev_eui if info is not None else None, topic=address.device)
    receptions = event.rx_info or []
    refuse_commands_alone(event.f_port, event.data, sensor)
    return Uplink(
        sensor=sensor,
        at_ms=_event_time(event.time, receptions, sensor),
        payload=read_base64(event.data or "", "data", sensor),
        f_port=event.f_port,
        frame=read_frame(event.dev_addr, event.f_cnt, sensor),
        seq=event.f_cnt or 0,
        telemetry=Telemetry(rssi_dbm=best_rssi(reception.rssi for reception in receptions)),
    )


def _event_time(time: str | None, receptions: list[_Reception], sensor: str) -> int:
    if time:
        return read_instant(time, "time", sensor)
    seen = [read_instant(reception.ns_time, "nsTime", sensor) for reception in receptions if reception.ns_time]
    if not seen:
        refuse("neither time nor a gateway's nsTime says when", sensor=sensor)
    return min(seen)
