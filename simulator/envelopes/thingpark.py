"""Actility ThingPark's uplink document, as JSON over MQTT. Pure.

Source: the maker's published field list (facts).
"""

from core.wire import thingpark_topic
from simulator.envelopes.frame import Frame, Message, encode

_FULL = 254


def wrap_thingpark(frame: Frame) -> Message:
    """The document on ``mqtt/things/{DevEUI}/uplink``; identifiers are in capitals there."""
    dev_eui, at = frame.dev_eui.upper(), frame.rfc3339().replace("Z", "+00:00")
    uplink = {
        "Time": at,
        "DevEUI": dev_eui,
        "FPort": frame.f_port,
        "FCntUp": frame.f_cnt,
        "ADRbit": 1,
        "MType": 2,
        "FCntDn": 0,
        "payload_hex": frame.payload.hex(),
        "LrrRSSI": float(frame.rssi_dbm),
        "LrrSNR": 7.5,
        "SpFact": 7,
        "Channel": "LC3",
        "Lrrid": "000000A1",
        "Late": 0,
        "Lrrs": {"Lrr": [{"Lrrid": "000000A1", "Chain": 0, "LrrRSSI": float(frame.rssi_dbm), "LrrSNR": 7.5}]},
        "DevLrrCnt": 1,
        "CustomerID": "100000000",
        "BatteryLevel": max(1, frame.battery_pct * _FULL // 100),
        "DevAddr": frame.dev_addr.upper(),
    }
    return Message(thingpark_topic(dev_eui), encode({"DevEUI_uplink": uplink}))
