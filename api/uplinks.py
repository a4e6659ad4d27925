"""For platforms that push over HTTP: each body goes on to the broker as it came, so that there is one path."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from api.deps import TheParts
from api.door import Device, device
from api.problems import responses
from api.shapes import Shape
from core.pushes import NoUplinkError, PushedEnvelope, topic_of

router = APIRouter(prefix="/api/v1/uplinks", tags=["uplinks"])

EXAMPLES: Final[dict[str, Any]] = {
    "native": {
        "summary": "One reading; an array of them is a gateway's",
        "value": {
            "sensor": "866123040012345",
            "at": 1_795_358_210_250,
            "occupied": True,
            "kind": "change",
            "seq": 1042,
        },
    },
    "chirpstack": {
        "summary": "ChirpStack v4: HTTP integration, JSON",
        "value": {
            "time": "2026-05-14T08:21:37.482915+00:00",
            "deviceInfo": {"applicationId": "6f2c1b7e-4b61-4f0e-9a0d-1d2f4f7c9b10", "devEui": "70b3d57ed0061a2c"},
            "devAddr": "01a2b3c4",
            "fCnt": 4711,
            "fPort": 1,
            "data": "lQ==",
        },
    },
    "things-stack": {
        "summary": "The Things Stack v3: webhook, JSON",
        "value": {
            "end_device_ids": {
                "device_id": "p2-b-014",
                "application_ids": {"application_id": "parking"},
                "dev_eui": "70B3D57ED0061A2C",
            },
            "received_at": "2026-05-14T08:21:37.853216514Z",
            "uplink_message": {"session_key_id": "AY9y2pYQb0x7c1mC9d3x8w==", "f_port": 1, "frm_payload": "lQ=="},
        },
    },
    "thingpark": {
        "summary": "ThingPark: HTTP connector, JSON",
        "value": {
            "DevEUI_uplink": {
                "Time": "2026-05-14T10:21:37.482+02:00",
                "DevEUI": "70B3D57ED0061A2C",
                "DevAddr": "04AB28CB",
                "FPort": 1,
                "FCntUp": 4711,
                "payload_hex": "95",
            }
        },
    },
    "nbiot": {
        "summary": "A carrier's NB-IoT platform",
        "value": {
            "messageType": "dataReport",
            "productId": "15034864",
            "deviceId": "87f4b2814f434992a94a4871b32c6b00",
            "IMEI": "860000000000001",
            "timestamp": 1_778_746_898_981,
            "payload": {"ptime": 1_778_746_896_000, "parking_state": 1, "pack_count": 507},
        },
    },
    "senml": {
        "summary": "A SenML pack (RFC 8428) whose base name is its sensor's",
        "value": [{"bn": "urn:dev:mac:70b3d5fffe061a2c_", "bt": 1_778_746_897, "n": "occupied", "vb": True}],
    },
}
BODY: Final = {
    "requestBody": {
        "required": True,
        "description": "As the platform sends it. At most 256 KiB.",
        "content": {"application/json": {"schema": {"type": ["object", "array"]}, "examples": EXAMPLES}},
    }
}


class UplinkOut(Shape):
    """What became of a push."""

    topic: str | None = Field(examples=["parking/http/866123040012345/up"])
    """Where it was published; null: an event of the platform's own, of which nothing is kept."""


@router.post(
    "/{envelope}", status_code=202, openapi_extra=BODY, responses=responses(401, 413, 422, 429, 503), name="push_uplink"
)
async def push_uplink(
    *,
    request: Request,
    parts: TheParts,
    platform: Annotated[Device, device("uplink")],
    envelope: Annotated[
        PushedEnvelope,
        Path(description="How the body is built.", openapi_examples={"our own": {"value": "native"}}),
    ],
    event: Annotated[
        str,
        Query(description="As ChirpStack names the event in the address; only `up` is taken.", max_length=32),
    ] = "up",
    sensor: Annotated[
        str | None,
        Query(description="Whose it is, where the body of `native` or `senml` does not say.", max_length=128),
    ] = None,
) -> UplinkOut:
    """Take what a platform pushes: published to the broker and acknowledged by it before this answers.

    The key comes from `parking kiosk add NAME --kind uplink`, and may speak for every sensor. 503: push it again; a
    message that comes twice counts once. What cannot be read is kept and shown like everything refused.
    """
    body = await request.body()
    try:
        topic = topic_of(envelope, body, pusher=f"http-{platform.id}", sensor=sensor, event=event)
    except NoUplinkError:
        return UplinkOut(topic=None)
    await parts.republisher.publish(topic, body)
    return UplinkOut(topic=topic)
