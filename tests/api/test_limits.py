"""The rate limiter alone, and whose address it counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.limits import Allowance, Limiter, Proxies
from core.errors import TooManyRequestsError

THREE = Allowance(name="three", burst=3, per_minute=60)


def test_a_burst_then_one_a_second() -> None:
    limiter = Limiter()
    for _ in range(3):
        limiter.take(THREE, "a", 0.0)
    with pytest.raises(TooManyRequestsError) as refused:
        limiter.take(THREE, "a", 0.5)
    assert refused.value.facts["retry_after_seconds"] == 1
    limiter.take(THREE, "a", 1.1)
    limiter.take(THREE, "b", 1.1)


@given(st.lists(st.floats(0, 20), min_size=1, max_size=60))
def test_nobody_ever_gets_more_than_burst_and_rate_allow(waits: list[float]) -> None:
    limiter, now, granted = Limiter(), 0.0, 0
    for wait in waits:
        now += wait
        try:
            limiter.take(THREE, "a", now)
            granted += 1
        except TooManyRequestsError:
            pass
    assert granted <= 3 + now + 1e-6


def test_memory_is_bounded_and_the_longest_unseen_is_forgotten() -> None:
    limiter = Limiter(size=2)
    for caller in "abc":
        for _ in range(3):
            limiter.take(THREE, caller, 0.0)
    limiter.take(THREE, "a", 0.0)
    with pytest.raises(TooManyRequestsError):
        limiter.take(THREE, "c", 0.0)


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "counted"),
    [
        ((), "203.0.113.7", "198.51.100.1", "203.0.113.7"),
        (("10.0.0.0/8",), "10.1.2.3", "198.51.100.1", "198.51.100.1"),
        (("10.0.0.0/8",), "10.1.2.3", "1.2.3.4, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        (("10.0.0.0/8",), "203.0.113.7", "1.2.3.4", "203.0.113.7"),
        (("10.0.0.1",), "10.0.0.1", "", "10.0.0.1"),
        (("10.0.0.1",), "10.0.0.1", "nonsense", "nonsense"),
        ((), "2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
    ],
)
def test_forwarded_addresses_are_believed_from_trusted_proxies_only(
    trusted: tuple[str, ...], peer: str, forwarded: str, counted: str
) -> None:
    assert Proxies(trusted).caller(peer, forwarded) == counted
