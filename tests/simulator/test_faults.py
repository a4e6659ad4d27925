"""What the air does: by share, by seed, and to each message by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidError
from core.occupancy import Kind
from simulator.faults import Faults, fate_of
from simulator.fingerprint import Fingerprint, reading_hash
from simulator.world import Event


def event(number: int = 0, seq: int = 1) -> Event:
    return Event(1_000_000 + seq, number, seq, Kind.HEARTBEAT, False, None)


def test_a_calm_air_sends_each_message_once_at_once() -> None:
    assert all(fate_of(event(seq=seq), Faults(), seed=1).send_ms == (1_000_000 + seq,) for seq in range(1000))


def test_faults_come_in_their_shares() -> None:
    faults = Faults(repeat=0.10, late=0.05, lost=0.02, late_up_to_ms=5_000)
    fates = [
        (one, fate_of(one, faults, seed=3).send_ms) for one in (event(n, s) for n in range(20) for s in range(500))
    ]
    assert len([1 for _, sent in fates if not sent]) == pytest.approx(200, rel=0.3)
    assert len([1 for _, sent in fates if len(sent) == 2]) == pytest.approx(1000, rel=0.15)
    delays = [sent[0] - one.at_ms for one, sent in fates if sent and sent[0] > one.at_ms]
    assert len(delays) == pytest.approx(500, rel=0.2)
    assert 1 <= min(delays) <= max(delays) <= 5_000


@given(st.integers(0, 300_000), st.integers(1, 10**6), st.integers(0, 2**32))
def test_a_message_meets_the_same_fate_every_time(number: int, seq: int, seed: int) -> None:
    faults = Faults(repeat=0.3, late=0.3, lost=0.3)
    assert fate_of(event(number, seq), faults, seed=seed) == fate_of(event(number, seq), faults, seed=seed)


@pytest.mark.parametrize("shares", [{"repeat": -0.1}, {"late": 0.6, "lost": 0.6}, {"late_up_to_ms": 0}])
def test_impossible_shares_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(InvalidError):
        Faults(**shares)  # type: ignore[arg-type]  # one parameter is an int, and 0 of the cases is one


@given(st.permutations(range(12)), st.integers(0, 11))
def test_a_fingerprint_knows_a_set_and_no_order(order: list[int], left_out: int) -> None:
    hashes = [reading_hash("s", at, 1, at, occupied=at % 2 == 0, kind="change") for at in range(12)]
    one, other, less = Fingerprint(), Fingerprint(), Fingerprint()
    for index in range(12):
        one.add(hashes[index])
        other.add(hashes[order[index]])
        if index != left_out:
            less.add(hashes[index])
    assert str(one) == str(other) != str(less)
    less_resumed = Fingerprint(str(less))
    less_resumed.add(hashes[left_out])
    assert str(less_resumed) == str(one)
