"""A Chinese NB-IoT carrier platform's push of a magnetic space sensor. Pure.

Source: one published field list of a geomagnetic space sensor.
"""

from typing import Final

from core.wire import nbiot_topic
from simulator.envelopes.frame import Message, encode
from simulator.makes.saying import Saying

PRODUCT: Final = "10000001"
_PLATFORM_LATER_MS: Final = 900
_MAGNETISM = {True: (667, -85, 274), False: (733, -23, 419)}
"""A vehicle's iron moves all three; without one they are at their base."""


def push_nbiot(imei: str, saying: Saying, *, rssi_dbm: int, vehicles: int) -> Message:
    """The push on ``aep/{product}/{device}/dataReport``; the platform's clock is a little later than the device's."""
    x, y, z = _MAGNETISM[saying.occupied]
    base_x, base_y, base_z = _MAGNETISM[False]
    push = {
        "upPacketSN": -1,
        "upDataSN": -1,
        "topic": "v1/up/ad19",
        "timestamp": saying.at_ms + _PLATFORM_LATER_MS,
        "tenantId": "2000000001",
        "serviceId": 1,
        "protocol": "lwm2m",
        "productId": PRODUCT,
        "messageType": "dataReport",
        "deviceId": f"{PRODUCT}{imei}",
        "IMEI": imei,
        "payload": {
            "version": 37,
            "type": 32,
            "ptime": saying.at_ms,
            "parking_state": int(saying.occupied),
            "pack_count": saying.seq,
            "battery_voltage": saying.battery_mv / 1_000,
            "X_value": x,
            "X_base": base_x,
            "Y_value": y,
            "Y_base": base_y,
            "Z_value": z,
            "Z_base": base_z,
            "Signal_Power": rssi_dbm,
            "Send_cnt": saying.seq,
            "Park_cnt": vehicles,
            "Alarm_info": 0,
        },
    }
    return Message(nbiot_topic(PRODUCT, f"{PRODUCT}{imei}"), encode(push))
