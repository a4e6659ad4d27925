"""ChirpStack v4's integration event of an uplink, as JSON over MQTT. Pure.

Source: the published protobuf field list of ChirpStack v4 (MIT).
"""

from base64 import b64encode
from typing import Final

from core.wire import chirpstack_topic
from simulator.envelopes.frame import Frame, Message, encode

APPLICATION: Final = "5e0c2f6a-31d4-4b7e-9c58-2f1d6a9b4c70"
GATEWAYS: Final = {"00005e0000000001": 0, "00005e0000000002": 11}
"""Who hears the frame, and how much weaker, in dB."""
TENANT: Final = "0d9f1a52-77c3-4e0b-8a14-6be2c3f09d11"


def wrap_chirpstack(frame: Frame) -> Message:
    """The event on ``application/{id}/device/{dev_eui}/event/up``."""
    at = frame.rfc3339().replace("Z", "+00:00")
    event = {
        "deduplicationId": frame.id,
        "time": at,
        "deviceInfo": {
            "tenantId": TENANT,
            "tenantName": "simulated",
            "applicationId": APPLICATION,
            "applicationName": "parking",
            "deviceName": frame.dev_eui,
            "devEui": frame.dev_eui,
            "deviceClassEnabled": "CLASS_A",
        },
        "devAddr": frame.dev_addr,
        "adr": True,
        "dr": 5,
        "fCnt": frame.f_cnt,
        "fPort": frame.f_port,
        "confirmed": False,
        "data": b64encode(frame.payload).decode(),
        "rxInfo": [
            {
                "gatewayId": gateway,
                "uplinkId": frame.f_cnt + 1,
                "nsTime": at,
                "rssi": frame.rssi_dbm - weaker,
                "snr": 6.5,
            }
            for gateway, weaker in GATEWAYS.items()
        ],
        "txInfo": {
            "frequency": 486_300_000,
            "modulation": {"lora": {"bandwidth": 125_000, "spreadingFactor": 7, "codeRate": "CR_4_5"}},
        },
        "regionConfigId": "cn470_10",
    }
    return Message(chirpstack_topic(APPLICATION, frame.dev_eui), encode(event))
