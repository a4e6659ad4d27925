"""Each make's bytes: read as the maker documents they say what was meant, and published examples come out the same."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.occupancy import Kind
from ingest.vendors import CODECS, decode_payload
from simulator.makes import MAKES, MUTE_MAKES, Saying, bosch, libelium, nwave, pni
from simulator.makes.nwave import say_ncc405
from simulator.makes.saying import i8, i16, u16

VECTORS = Path(__file__).parents[2] / "vectors" / "sensors.json"

sayings = st.builds(
    Saying,
    kind=st.sampled_from((Kind.BOOT, Kind.CHANGE, Kind.HEARTBEAT)),
    occupied=st.booleans(),
    at_ms=st.integers(1_700_000_000_000, 1_900_000_000_000),
    seq=st.integers(0, 2**32),
    battery_mv=st.integers(2_600, 3_500),
    temperature_c=st.floats(0, 60),
    previous_minutes=st.integers(0, 5_000),
)


def test_every_make_is_there() -> None:
    counters = {"nwave-ncc405"}
    assert {*MAKES, *MUTE_MAKES, *counters, "native"} == set(CODECS)


@pytest.mark.parametrize("codec", MAKES)
@given(saying=sayings)
@settings(max_examples=60)
def test_what_is_said_is_read(codec: str, saying: Saying) -> None:
    payload = MAKES[codec](saying)
    read = decode_payload(codec, payload.content, payload.f_port)
    assert (read.occupied, read.kind) == (saying.occupied, payload.kind)
    assert payload.kind in (saying.kind, Kind.HEARTBEAT)
    assert (saying.kind is Kind.CHANGE) == (payload.kind is Kind.CHANGE)
    if read.telemetry.battery_mv is not None:
        assert read.telemetry.battery_mv == pytest.approx(saying.battery_mv, abs=5)
    if read.telemetry.temperature_c is not None:
        assert read.telemetry.temperature_c == pytest.approx(saying.temperature_c, abs=0.51)
    if read.telemetry.battery_low is not None:
        assert read.telemetry.battery_low is (saying.battery_mv < 3_000)


@given(saying=sayings)
@settings(max_examples=40)
def test_a_distance_sensor_says_how_far_and_leaves_the_rest_to_others(saying: Saying) -> None:
    payload = MUTE_MAKES["milesight-em400-mud"](saying)
    read = decode_payload("milesight-em400-mud", payload.content, payload.f_port)
    assert read.occupied is None
    assert read.fields["distance_mm"] == (940 if saying.occupied else 2_480)


def test_a_car_counter_counts() -> None:
    payload = say_ncc405(1_706)
    assert decode_payload("nwave-ncc405", payload.content, payload.f_port).fields["counter"] == 1_706


@given(st.integers(0, 5_000))
def test_a_long_state_is_told_coarsely_and_never_longer_than_it_was(minutes: int) -> None:
    read = decode_payload("nwave-nps405", nwave.status_nps405(True, minutes), 1).fields
    assert read["previous_state_minutes"] <= minutes
    if not read["previous_state_overflow"]:
        assert minutes - read["previous_state_minutes"] <= read["previous_state_minutes_err"]


# --- published examples -------------------------------------------------------------------------------------------

Said = Mapping[str, Any]
RESETS_029 = {"watchdog": 1, "power_on": 2, "system_request": 3, "other": 4}
RESETS_405 = {"rejoin": 0, "watchdog": 1, "power_on": 2, "user_request": 3, "brownout": 6, "other": 7}


def bosch_029(said: Said, payload: bytes) -> bytes | None:
    match said["kind"]:
        case "status":
            return bosch.status(said["occupied"])
        case "heartbeat":
            return bosch.heartbeat(said["occupied"], said.get("temperature_c"))
        case "startup" if not any(payload[place] >> 4 or payload[place + 1] or payload[place + 2] for place in (1, 5)):
            return bosch.startup_029(
                said["occupied"],
                firmware=said["firmware"],
                cause=RESETS_029[said["reset_cause"]],
                codes=said["debug_codes"],
            )
        case _:
            return None


def nwave_405(said: Said, payload: bytes) -> bytes | None:
    match said["kind"]:
        case "status":
            return nwave.status_nps405(said["occupied"], said["previous_state_minutes"])
        case "heartbeat" if len(payload) == 3:
            return nwave.heartbeat_nps405(said["occupied"], round(said["battery_v"] * 1000), said["temperature_c"])
        case "startup":
            return nwave.startup(said["occupied"], firmware=said["firmware"], cause=RESETS_405[said["reset_cause"]])
        case "registration":
            return nwave.registration(said["occupied"], said["previous_state_minutes"], said["tag_id"])
        case _:
            return None


def ncc_405(said: Said, payload: bytes) -> bytes | None:
    match said["kind"]:
        case "counter":
            return say_ncc405(said["counter"]).content
        case "heartbeat" if payload[0] < 0x80:
            millivolts = [round(said[name] * 1000) for name in ("battery_v", "battery_v_mean_24h")]
            return nwave.heartbeat_ncc405(said["hw_health"], *millivolts)
        case _:
            return None


PLACEPOD: dict[str, Callable[[Said], bytes]] = {
    "status": lambda said: pni.status(said["occupied"]),
    "heartbeat": lambda said: (
        pni.keep_alive(said["occupied"]) + (pni.temperature(said["temperature_c"]) if "temperature_c" in said else b"")
    ),
    "temperature": lambda said: pni.temperature(said["temperature_c"]),
    "battery": lambda said: pni.battery(round(said["battery_v"] * 1000)),
    "counter": lambda said: pni.counter(said["counter"]),
    "recalibration": lambda said: pni.recalibration(said["recalibrated"]),
    "reboot": lambda _: pni.reboot(),
}


def placepod(said: Said, payload: bytes) -> bytes | None:
    return PLACEPOD[said["kind"]](said) if payload[:1] not in (b"", b"\x21") or "counter" in said else None


def libelium_frame(said: Said, payload: bytes, *, length: int) -> bytes | None:
    if payload[0] & 0x30:
        return None  # bits that no field tells
    first = libelium.flags(said["occupied"], battery_is_low=said["battery_low"]) | said["frame_type"]
    head = libelium.header(first, said["device_seq"])
    field = i16(*said.get("mag", ()))
    warmth = i16(said["temperature_raw"]) if "temperature_raw" in said else bytes([i8(said.get("temperature_c", 0))])
    match said["kind"]:
        case "status":
            return libelium.padded(head + warmth + field, length)
        case "heartbeat":
            return head + bytes(int(part) for part in said["device_hhmm"].split(":")) + warmth + field
        case "daily":
            counts = [said[f"{name}_24h"] for name in ("sensor_reads", "sigfox_tx", "lorawan_tx")]
            return libelium.padded(
                libelium.daily(first, said["device_seq"], counts, said["resets_24h"], said["config_id"]), length
            )
        case "startup" if length == 12:
            return head + warmth + i16(*said["mag_reference"]) + u16(round(said["battery_v"] * 1000))
        case _:
            return None


BUILDERS: dict[str, Callable[[Said, bytes], bytes | None]] = {
    "bosch-tps110-fw0.29": bosch_029,
    "bosch-tps110-fw0.39": lambda said, payload: None if said["kind"] == "startup" else bosch_029(said, payload),
    "nwave-nps405": nwave_405,
    "nwave-ncc405": ncc_405,
    "pni-placepod": placepod,
    "libelium-parking-fw1": lambda said, payload: libelium_frame(said, payload, length=12),
    "libelium-parking-fw2": lambda said, payload: libelium_frame(said, payload, length=11),
}


def determined() -> Iterator[tuple[str, bytes, bytes]]:
    """Of the published examples those whose fields leave no byte open: id, published bytes, our bytes."""
    for vector in json.loads(VECTORS.read_bytes())["vectors"]:
        build = BUILDERS.get(vector["codec"])
        if build is None or "expected" not in vector:
            continue
        payload = bytes.fromhex(vector["payload_hex"])
        ours = build(vector["expected"], payload)
        if ours is not None:
            yield vector["id"], payload, ours


def test_published_examples_come_out_byte_for_byte() -> None:
    examples = list(determined())
    assert len(examples) > 60
    assert [one for one, published, ours in examples if published != ours] == []
