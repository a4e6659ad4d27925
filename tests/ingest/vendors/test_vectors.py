"""Payloads of real sensors and the values a decoder must produce (``tests/vectors``)."""

import contextlib
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.occupancy import Decoded, PayloadError
from ingest.vendors import CODECS, decode_payload

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "sensors.json").read_text(encoding="utf-8")
)["vectors"]


@pytest.mark.parametrize("vector", [v for v in VECTORS if "expected" in v], ids=lambda v: v["id"])
def test_a_payload_gives_the_values_of_its_vector(vector: dict[str, Any]) -> None:
    decoded = decode_payload(vector["codec"], bytes.fromhex(vector["payload_hex"]), vector["f_port"])

    for key, expected in vector["expected"].items():
        assert same(decoded.fields[key], expected), f"{key}: {decoded.fields[key]!r}, not {expected!r}"
    assert decoded.occupied is vector["expected"]["occupied"]


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.get("expect_error")], ids=lambda v: v["id"])
def test_a_payload_that_cannot_be_read_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(PayloadError):
        decode_payload(vector["codec"], bytes.fromhex(vector["payload_hex"]), vector["f_port"])


@pytest.mark.parametrize("codec", CODECS)
@given(payload=st.binary(max_size=400), f_port=st.none() | st.integers(-1, 256))
def test_any_bytes_on_any_port_are_read_or_refused(codec: str, payload: bytes, f_port: int | None) -> None:
    with contextlib.suppress(PayloadError):
        decoded = decode_payload(codec, payload, f_port)
        assert isinstance(decoded, Decoded)
        assert decoded.fields["occupied"] is decoded.occupied
        json.dumps(decoded.fields, allow_nan=False)


def same(got: Any, expected: Any) -> bool:
    """Equal, of the same JSON type, floats to one in a million."""
    if isinstance(expected, float):
        return isinstance(got, int | float) and math.isclose(got, expected, rel_tol=0, abs_tol=1e-6)
    if isinstance(expected, bool) or isinstance(got, bool):
        return got is expected
    return bool(got == expected)
