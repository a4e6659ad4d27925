"""ChirpStack, The Things Stack and ThingPark: one frame of one sensor, wrapped in three ways."""

from collections.abc import Callable
from typing import Any

import pytest

from core.occupancy import Frame, Kind, Reason, Telemetry

CHIRPSTACK, THINGS_STACK, THINGPARK = "chirpstack-v4-up", "the-things-stack-v3-up", "thingpark-deveui-uplink"
SENSOR = "70b3d57ed0061a2c"

Messages = Callable[[str], Any]


def frame_members(message: Any) -> dict[str, Any]:
    """The part of the message that holds counter, port and payload."""
    for part in ("uplink_message", "DevEUI_uplink"):
        if part in message.body:
            members: dict[str, Any] = message.body[part]
            return members
    body: dict[str, Any] = message.body
    return body


COUNTER = {CHIRPSTACK: "fCnt", THINGS_STACK: "f_cnt", THINGPARK: "FCntUp"}
PORT = {CHIRPSTACK: "fPort", THINGS_STACK: "f_port", THINGPARK: "FPort"}
PAYLOAD = {CHIRPSTACK: "data", THINGS_STACK: "frm_payload", THINGPARK: "payload_hex"}
servers = pytest.mark.parametrize("name", [CHIRPSTACK, THINGS_STACK, THINGPARK])


@pytest.mark.parametrize(
    ("name", "at_ms", "session", "telemetry"),
    [
        (CHIRPSTACK, 1778746897482, "01a2b3c4", Telemetry(rssi_dbm=-98)),
        (THINGS_STACK, 1778746897648, "AY9y2pYQb0x7c1mC9d3x8w==", Telemetry(rssi_dbm=-98, battery_pct=86)),
        (THINGPARK, 1778746897482, "04AB28CB", Telemetry(rssi_dbm=-98, battery_pct=86)),
    ],
)
def test_an_uplink_becomes_a_reading_dated_and_identified_by_its_envelope(
    message: Messages, name: str, at_ms: int, session: str, telemetry: Telemetry
) -> None:
    reading = message(name).reading()

    assert (reading.sensor, reading.at_ms) == (SENSOR, at_ms)
    assert (reading.occupied, reading.kind) == (True, Kind.CHANGE)
    assert (reading.frame, reading.seq) == (Frame(session, 4711), 4711)
    assert reading.telemetry == telemetry


@servers
@pytest.mark.parametrize("absent", [True, False])
def test_a_counter_that_is_left_out_is_0(message: Messages, name: str, absent: bool) -> None:
    uplink = message(name)
    if absent:
        del frame_members(uplink)[COUNTER[name]]
    else:
        frame_members(uplink)[COUNTER[name]] = None

    reading = uplink.reading()

    assert reading.seq == 0
    assert reading.frame is not None
    assert reading.frame.f_cnt == 0


@servers
def test_an_empty_payload_on_a_port_reaches_the_codec(message: Messages, name: str) -> None:
    uplink = message(name)
    del frame_members(uplink)[PAYLOAD[name]]

    assert uplink.refusal().reason == Reason.BAD_PAYLOAD


@servers
@pytest.mark.parametrize("port", [None, 0])
def test_a_frame_of_network_commands_alone_is_no_uplink(message: Messages, name: str, port: int | None) -> None:
    uplink = message(name)
    frame_members(uplink).update({PAYLOAD[name]: "", PORT[name]: port})

    refusal = uplink.refusal()

    assert (refusal.reason, refusal.sensor) == (Reason.NOT_AN_UPLINK, SENSOR)


@servers
@pytest.mark.parametrize("payload", ["l", "lQ=", "****", "9 5", "é", "95\n"])
def test_a_payload_that_is_not_encoded_rightly_is_refused(message: Messages, name: str, payload: str) -> None:
    uplink = message(name)
    frame_members(uplink)[PAYLOAD[name]] = payload

    refusal = uplink.refusal()

    assert (refusal.reason, refusal.sensor) == (Reason.BAD_PAYLOAD, SENSOR)


@servers
@pytest.mark.parametrize("counter", [-1, 2**32, 1.5, True, [], "x"])
def test_a_counter_that_is_none_is_refused(message: Messages, name: str, counter: object) -> None:
    uplink = message(name)
    frame_members(uplink)[COUNTER[name]] = counter

    assert uplink.refusal().reason == Reason.NOT_A_READING


@servers
@pytest.mark.parametrize("port", [-1, 256, "one"])
def test_a_port_that_is_none_is_refused(message: Messages, name: str, port: object) -> None:
    uplink = message(name)
    frame_members(uplink)[PORT[name]] = port

    assert uplink.refusal().reason == Reason.NOT_A_READING


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        (CHIRPSTACK, "application/1/device/70b3d57ed0061a2d/event/up"),
        (THINGS_STACK, "v3/parking@city/devices/p2-b-015/up"),
        (THINGPARK, "mqtt/things/70B3D57ED0061A2D/uplink"),
    ],
)
def test_a_device_cannot_speak_on_anothers_topic(message: Messages, name: str, topic: str) -> None:
    uplink = message(name)
    uplink.topic = topic

    refusal = uplink.refusal()

    assert refusal.reason == Reason.NOT_A_READING
    assert "another device" in refusal.detail


@pytest.mark.parametrize("dev_eui", ["", None, "70b3d57ed0061a2", "70-B3-D5-7E-D0-06-1A-2C", "７0b3d57ed0061a2c"])
def test_a_message_must_name_its_device(message: Messages, dev_eui: str | None) -> None:
    uplink = message(THINGS_STACK)
    uplink.body["end_device_ids"]["dev_eui"] = dev_eui

    refusal = uplink.refusal()

    assert (refusal.reason, refusal.sensor) == (Reason.NOT_A_READING, None)


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("chirpstack-v4-log-retransmission", None),
        ("the-things-stack-v3-join", None),
        *((CHIRPSTACK, f"application/1/device/{SENSOR}/event/{event}") for event in ("join", "ack", "txack", "status")),
        ("the-things-stack-v3-join", "v3/parking@city/devices/p2-b-014/up"),
    ],
)
def test_other_events_of_a_server_are_counted_and_make_no_reading(
    message: Messages, name: str, topic: str | None
) -> None:
    event = message(name)
    event.topic = topic or event.topic

    assert event.refusal().reason == Reason.NOT_AN_UPLINK


def test_a_location_document_of_thingpark_is_no_uplink(message: Messages) -> None:
    event = message(THINGPARK)
    event.body = {"DevEUI_location": event.body["DevEUI_uplink"]}

    refusal = event.refusal()

    assert (refusal.reason, refusal.sensor) == (Reason.NOT_AN_UPLINK, SENSOR)


# --- what is peculiar to one of them ------------------------------------------------------------------------------


def test_chirpstack_leaves_out_what_is_0_or_false(message: Messages) -> None:
    reading = message("chirpstack-v4-up-sparse").reading()

    assert (reading.at_ms, reading.occupied, reading.kind) == (1778747100000, False, Kind.BOOT)
    assert (reading.frame, reading.seq) == (Frame("01a2b3c5", 0), 0)
    assert (reading.telemetry.rssi_dbm, reading.telemetry.firmware) == (-88, "0.39.2")


def test_chirpstack_without_time_is_dated_by_the_gateway_that_heard_it_first(message: Messages) -> None:
    uplink = message(CHIRPSTACK)
    del uplink.body["time"]

    assert uplink.reading().at_ms == 1778746897611


def test_chirpstack_without_any_time_is_refused(message: Messages) -> None:
    uplink = message(CHIRPSTACK)
    uplink.body |= {"time": None, "rxInfo": [{"rssi": -98}]}

    assert uplink.refusal().reason == Reason.NOT_A_READING


def test_chirpstack_with_a_gateway_whose_clock_is_not_set_is_refused(message: Messages) -> None:
    uplink = message(CHIRPSTACK)
    uplink.body["time"] = "1970-01-01T00:03:12Z"

    refusal = uplink.refusal()

    assert (refusal.reason, refusal.sensor, refusal.at_ms) == (Reason.CLOCK_NOT_SET, SENSOR, 192_000)


def test_chirpstack_without_gateways_has_no_signal(message: Messages) -> None:
    uplink = message(CHIRPSTACK)
    del uplink.body["rxInfo"]

    assert uplink.reading().telemetry == Telemetry()


def test_what_the_server_decoded_is_ignored(message: Messages) -> None:
    uplink = message(CHIRPSTACK)
    uplink.body["object"] = {"occupied": False}

    assert uplink.reading().occupied is True


def test_the_things_stack_without_a_session_key_uses_the_device_address(message: Messages) -> None:
    uplink = message(THINGS_STACK)
    del uplink.body["uplink_message"]["session_key_id"]

    assert uplink.reading().frame == Frame("260B1F77", 4711)


def test_the_things_stack_may_date_the_message_alone(message: Messages) -> None:
    uplink = message(THINGS_STACK)
    del uplink.body["uplink_message"]["received_at"]

    assert uplink.reading().at_ms == 1778746897853


def test_thingpark_may_write_numbers_as_strings(message: Messages) -> None:
    uplink = message(THINGPARK)
    members = uplink.body["DevEUI_uplink"]
    members |= {"FPort": "1", "FCntUp": "4711", "LrrRSSI": "-98.000000", "BatteryLevel": "255", "Late": "1"}

    reading = uplink.reading()

    assert (reading.frame, reading.occupied) == (Frame("04AB28CB", 4711), True)
    assert reading.telemetry == Telemetry(rssi_dbm=-98)


def test_thingpark_hears_with_the_best_gateway(message: Messages) -> None:
    uplink = message(THINGPARK)
    uplink.body["DevEUI_uplink"]["Lrrs"]["Lrr"].append({"Lrrid": "08040060", "LrrRSSI": -71.4})

    assert uplink.reading().telemetry.rssi_dbm == -71


def test_a_session_name_that_no_database_takes_is_refused(message: Messages) -> None:
    uplink = message(THINGS_STACK)
    uplink.body["uplink_message"]["session_key_id"] = "a\x00b"

    assert uplink.refusal().reason == Reason.NOT_A_READING
