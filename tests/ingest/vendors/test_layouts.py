"""What no recorded payload shows: layouts without examples, and the rarer frames of the others.

The bytes are ours, the values worked out by hand from the documented layout.
"""

from pathlib import Path
from typing import Any

import pytest

from core.occupancy import Kind, PayloadError, Telemetry
from ingest.vendors import CODECS, decode_payload


def moko(values: str, *, head: str = "7e", length: int | None = None, trailer: str = "") -> str:
    """A frame of the LW009 around tags, lengths and values, sent at 2026-05-14T08:21:37Z as number 258."""
    size = len(values) // 2 if length is None else length
    return f"{head}016a058611 0102 {size:04x} 02 00 {values} {trailer}".replace(" ", "")


LAYOUTS: list[tuple[str, int | None, str, dict[str, Any]]] = [
    (
        "bosch-tps110-fw0.29",
        6,
        "00000000a8f300003412",
        {"kind": "debug", "occupied": None, "debug_codes": [936], "device_seq": 0x1234},
    ),
    ("bosch-tps110-fw0.29", 3, "00" * 15 + "0901", {"debug_codes": [], "firmware": "0.0.0", "reset_cause": "unknown"}),
    ("bosch-tps110-fw0.39", 3, "00" * 15 + "0601", {"occupied": True, "debug_codes": [0], "reset_cause": "brownout"}),
    ("bosch-tps110-fw0.39", 4, "0001020304050607080910", {"dev_eui": "0001020607080910"}),
    ("bosch-tps110-fw0.39", 7, "d8", {"kind": "alert", "occupied": None, "temperature_c": -40}),
    ("nwave-nps310", 1, "01", {"kind": "status", "occupied": True}),
    ("nwave-nps310", 1, "fe", {"kind": "status", "occupied": False}),
    ("nwave-nps310", 2, "00", {"kind": "heartbeat", "occupied": False}),
    (
        "nwave-nps310",
        3,
        "0102030401",
        {"kind": "startup", "occupied": True, "firmware": "1.2.3", "reset_cause": "brownout"},
    ),
    ("nwave-nps310", 3, "0102030000", {"occupied": False, "reset_cause": "unknown"}),
    ("nwave-nps310", 6, "", {"kind": "debug", "occupied": None}),
    ("nwave-nps405", 1, "fe", {"occupied": False, "previous_state_minutes": 660, "previous_state_minutes_err": None}),
    ("nwave-nps405", 3, "0205060501", {"reset_cause": "unknown"}),
    ("nwave-nps405", 6, "ff", {"kind": "debug", "occupied": None}),
    ("nwave-nps405", 10, "000000000a", {"kind": "registration", "occupied": None, "tag_id": "0000000A"}),
    (
        "nwave-nps405",
        10,
        "011e0a0b0c0dff",
        {"occupied": True, "previous_state_minutes": 0, "tag_battery_v": 3.0, "tag_id": "0A0B0C0D"},
    ),
    ("nwave-ncc405", 6, "", {"kind": "debug", "occupied": None}),
    (
        "tekzitel-tekzipark",
        1,
        "a0ec07",
        {
            "kind": "status",
            "occupied": True,
            "battery_low": False,
            "temperature_c": -20,
            "parking_id": 7,
            "obstruction": False,
            "radar": False,
            "no_beacon": False,
        },
    ),
    ("tekzitel-tekzipark", 1, "011900", {"kind": "heartbeat", "occupied": False, "battery_low": True}),
    ("tekzitel-tekzipark", 1, "9f1900", {"kind": "startup", "occupied": True, "obstruction": True, "radar": True}),
    ("tekzitel-tekzipark", 1, "a01900b5", {"beacon_rssi": -75, "beacons": []}),
    ("tekzitel-tekzipark", 1, "a01900b51234ffff", {"beacon_rssi": -75, "beacons": [0x1234, 0xFFFF]}),
    (
        "tekzitel-tekzipark",
        2,
        "a31907ff0180 7f00fe 05 09 c8".replace(" ", ""),
        {
            "kind": "debug",
            "occupied": True,
            "deflection": [-1, 1, -128],
            "baseline": [127, 0, -2],
            "fault_code": 5,
            "obstruction_level": 9,
            "radar_reflection": 200,
        },
    ),
    ("pni-placepod", 2, "1c6601", {"kind": "deactivation", "occupied": None, "deactivated": True}),
    ("pni-placepod", None, "056601066601", {"kind": "vendor_internal", "occupied": None}),
    (
        "pni-placepod",
        2,
        "376600 0302016d 026700e6 156601".replace(" ", ""),
        {"kind": "status", "occupied": True, "battery_v": 3.65, "temperature_c": 23.0},
    ),
    ("pni-placepod", 2, "156601376600", {"kind": "status", "occupied": True}),
    (
        "moko-lw009",
        1,
        moko("02010c 23020102 240163 29020d70 2506000100020003 320101 0b0116 350137".replace(" ", "")),
        {
            "kind": "status",
            "occupied": True,
            "event_code": 12,
            "battery_pct": 99,
            "battery_v": 3.44,
            "temperature_c": 22,
            "humidity_pct": 55,
            "device_time_unix": 1778746897,
            "device_seq": 258,
        },
    ),
    ("moko-lw009", 1, moko("02010b320100"), {"kind": "status", "occupied": False}),
    ("moko-lw009", 1, moko("020100320101"), {"kind": "heartbeat", "occupied": True}),
    ("moko-lw009", 1, moko("02010d"), {"kind": "alert", "occupied": None}),
    ("moko-lw009", 1, moko("02010e"), {"kind": "alert"}),
    ("moko-lw009", 1, moko("02010f"), {"kind": "fault"}),
    ("moko-lw009", 1, moko("020112"), {"kind": "fault"}),
    ("moko-lw009", 1, moko("020177"), {"kind": "unknown", "event_code": 0x77}),
    (
        "moko-lw009",
        1,
        moko("030185 050111 060300003c 220105 fe02ffff".replace(" ", ""), trailer="00ff"),
        {"kind": "device_info", "device_type": "SM", "firmware_raw": 17, "heartbeat_s": 1800, "sensitivity": 5},
    ),
    ("moko-lw009", 1, moko("030182"), {"device_type": "IG"}),
    ("libelium-parking-fw1", None, "8f01" + "00" * 10, {"kind": "unknown", "frame_type": 15, "occupied": True}),
    ("libelium-parking-fw2", None, "0301" + "00" * 9, {"kind": "error", "occupied": False, "device_seq": 1}),
    ("libelium-parking-fw2", 3, "8501" + "00" * 9, {"kind": "config", "occupied": True}),
    (
        "milesight-em400-mud",
        85,
        "01755c 03670101 04824408 050001".replace(" ", ""),
        {
            "kind": "measurement",
            "occupied": None,
            "battery_pct": 92,
            "temperature_c": 25.7,
            "distance_mm": 2116,
            "tilted": True,
        },
    ),
    (
        "milesight-em400-mud",
        85,
        "8367e80001 8482410601".replace(" ", ""),
        {
            "kind": "alert",
            "temperature_c": 23.2,
            "temperature_alarm": True,
            "distance_mm": 1601,
            "distance_alarm": True,
        },
    ),
    (
        "milesight-em400-mud",
        None,
        "ff0bff ff0101 ff166749d19054690031 ff090310 ff0a0101 ff0f00 fffe01 ffff0100".replace(" ", ""),
        {"kind": "device_info", "occupied": None, "serial": "6749D19054690031"},
    ),
    ("milesight-em400-mud", 85, "0367f6ff03679cff", {"temperature_c": -10.0}),
]


@pytest.mark.parametrize(("codec", "f_port", "payload_hex", "expected"), LAYOUTS)
def test_a_frame_says_what_its_layout_documents(
    codec: str, f_port: int | None, payload_hex: str, expected: dict[str, Any]
) -> None:
    fields = decode_payload(codec, bytes.fromhex(payload_hex), f_port).fields

    assert {key: fields.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("codec", "f_port", "payload_hex", "words"),
    [
        ("bosch-tps110-fw0.29", 4, "002702", "port 4"),
        ("bosch-tps110-fw0.29", 7, "2d", "port 7"),
        ("bosch-tps110-fw0.29", None, "01", "none was given"),
        ("bosch-tps110-fw0.29", 3, "00" * 16, "17 bytes"),
        ("bosch-tps110-fw0.29", 6, "00" * 9, "10 bytes"),
        ("bosch-tps110-fw0.39", 4, "00" * 8, "3 or 11 bytes"),
        ("bosch-tps110-fw0.39", 5, "", "1 bytes"),
        ("bosch-tps110-fw0.39", 5, "0200", "19 bytes"),
        ("bosch-tps110-fw0.39", 5, "05000000000000", "8 bytes"),
        ("bosch-tps110-fw0.39", 5, "0700000000", "selects no known"),
        ("bosch-tps110-fw0.39", 7, "", "1 bytes"),
        ("nwave-nps310", 3, "01020304", "5 bytes"),
        ("nwave-nps310", 4, "00", "port 4"),
        ("nwave-nps405", 10, "01020304", "5 bytes"),
        ("nwave-ncc405", 2, "0000", "3 bytes"),
        ("nwave-ncc405", 10, "0000000000", "port 10"),
        ("tekzitel-tekzipark", 1, "a019", "3 bytes"),
        ("tekzitel-tekzipark", 1, "a01900b512", "half a beacon"),
        ("tekzitel-tekzipark", 2, "00" * 11, "12 bytes"),
        ("tekzitel-tekzipark", 3, "00" * 12, "port 3"),
        ("pni-placepod", 2, "15", "cut"),
        ("pni-placepod", 2, "156601ee6601", "0xee is unknown"),
        ("moko-lw009", 1, "7e01", "12 bytes"),
        ("moko-lw009", 1, moko("320101", head="7f"), "0x7f"),
        ("moko-lw009", 1, moko("320101", length=4), "past the end"),
        ("moko-lw009", 1, moko("320201"), "cut"),
        ("moko-lw009", 1, moko("32010132"), "without a length"),
        ("moko-lw009", 1, moko("3200"), "no number"),
        ("moko-lw009", 1, moko("29ff" + "ff" * 255), "no number"),
        ("moko-lw009", 2, moko("320101"), "port 2"),
        ("libelium-parking-fw1", None, "00" * 11, "12 bytes"),
        ("milesight-em400-mud", 85, "", "no record"),
        ("milesight-em400-mud", 85, "01", "byte 0"),
        ("milesight-em400-mud", 85, "0175", "cut"),
        ("milesight-em400-mud", 85, "01755c0668", "byte 3"),
        ("native", None, "7b7d", "at is missing"),
        ("acme-9000", 1, "00", "no codec has this name"),
    ],
)
def test_a_frame_that_its_layout_does_not_allow_is_refused(
    codec: str, f_port: int | None, payload_hex: str, words: str
) -> None:
    with pytest.raises(PayloadError, match=words):
        decode_payload(codec, bytes.fromhex(payload_hex), f_port)


@pytest.mark.parametrize(
    ("codec", "f_port", "payload_hex", "kind"),
    [
        ("bosch-tps110-fw0.39", 1, "01", Kind.CHANGE),
        ("bosch-tps110-fw0.39", 2, "01", Kind.HEARTBEAT),
        ("bosch-tps110-fw0.39", 3, "00" * 17, Kind.BOOT),
        ("nwave-nps405", 10, "e91f345678", Kind.HEARTBEAT),
        ("tekzitel-tekzipark", 1, "821900", Kind.BOOT),
        ("tekzitel-tekzipark", 2, "80" + "00" * 11, Kind.HEARTBEAT),
        ("pni-placepod", 2, "3f0101", Kind.BOOT),
        ("moko-lw009", 1, moko("02010e320101"), Kind.HEARTBEAT),
        ("libelium-parking-fw1", None, "830900000000000000000000", Kind.HEARTBEAT),
        ("native", None, b'{"at":1,"occupied":true,"kind":"boot"}'.hex(), Kind.BOOT),
    ],
)
def test_only_a_status_is_a_change_and_only_a_start_is_a_boot(
    codec: str, f_port: int | None, payload_hex: str, kind: Kind
) -> None:
    assert decode_payload(codec, bytes.fromhex(payload_hex), f_port).kind == kind


@pytest.mark.parametrize(
    ("codec", "f_port", "payload_hex", "telemetry"),
    [
        ("nwave-nps405", 2, "00d3d8", Telemetry(battery_mv=3344, temperature_c=-10.0)),
        ("libelium-parking-fw2", None, "40b40051d644d8c2ce0000", Telemetry(battery_low=True, temperature_c=0)),
        ("bosch-tps110-fw0.39", 3, "00" * 12 + "0027020101", Telemetry(firmware="0.39.2")),
        ("milesight-em400-mud", 85, "01755c", Telemetry(battery_pct=92)),
        ("milesight-em400-mud", 85, "0175ff0367ff7f", Telemetry()),
        ("moko-lw009", 1, moko("0b01f6 2904ffffffff".replace(" ", "")), Telemetry()),
    ],
)
def test_plausible_values_become_telemetry(
    codec: str, f_port: int | None, payload_hex: str, telemetry: Telemetry
) -> None:
    assert decode_payload(codec, bytes.fromhex(payload_hex), f_port).telemetry == telemetry


def test_every_codec_has_a_page() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in (Path(__file__).parents[3] / "docs/sensors").glob("*"))

    assert [codec for codec in CODECS if f"`{codec}`" not in pages] == []
