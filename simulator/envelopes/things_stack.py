"""The Things Stack v3's uplink message, as JSON over MQTT. Pure.

Source: the published message fields of The Things Stack (Apache-2.0). Its JSON leaves out zeros and empty values.
"""

from base64 import b64encode
from typing import Final

from core.wire import things_stack_topic
from simulator.envelopes.frame import Frame, Message, encode, without

APPLICATION: Final = "parking"
TENANT: Final = "simulated"


def wrap_things_stack(frame: Frame) -> Message:
    """The message on ``v3/{app}@{tenant}/devices/{device_id}/up``."""
    device_id, at = f"eui-{frame.dev_eui}", frame.rfc3339()
    uplink = without(
        (0, ""),
        session_key_id=b64encode(frame.session_key_id).decode(),
        f_port=frame.f_port,
        f_cnt=frame.f_cnt,
        frm_payload=b64encode(frame.payload).decode(),
        rx_metadata=[
            {
                "gateway_ids": {"gateway_id": "roof-1", "eui": "00005E0000000003"},
                "rssi": frame.rssi_dbm,
                "channel_rssi": frame.rssi_dbm,
                "snr": 7.5,
                "received_at": at,
            }
        ],
        settings={
            "data_rate": {"lora": {"bandwidth": 125_000, "spreading_factor": 7, "coding_rate": "4/5"}},
            "frequency": "486300000",
        },
        received_at=at,
        consumed_airtime="0.046336s",
        last_battery_percentage={"f_cnt": frame.f_cnt, "value": frame.battery_pct, "received_at": at},
    )
    message = {
        "end_device_ids": {
            "device_id": device_id,
            "application_ids": {"application_id": APPLICATION},
            "dev_eui": frame.dev_eui.upper(),
            "dev_addr": frame.dev_addr.upper(),
        },
        "correlation_ids": [f"gs:uplink:{frame.id}"],
        "received_at": at,
        "uplink_message": uplink,
    }
    return Message(things_stack_topic(APPLICATION, TENANT, device_id), encode(message))
