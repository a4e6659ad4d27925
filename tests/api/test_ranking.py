"""The order of lots around a place: room first, then minutes on foot, fee and risk together."""

from typing import Any

from api.ranking import Offer, ranked


def offer(code: str, **facts: Any) -> Offer:
    usual = {"free": 20, "known": 40, "open_on_arrival": True, "walk_minutes": 5.0, "fee_fen": 600}
    return Offer(code=code, **{**usual, **facts})


def order(*offers: Offer) -> list[str]:
    return [one.code for one in ranked(list(offers))]


def test_room_comes_first_then_the_unknown_then_full_then_shut() -> None:
    full = offer("full", free=0, walk_minutes=1)
    shut = offer("shut", open_on_arrival=False, walk_minutes=0)
    unknown = offer("unknown", free=0, known=0, walk_minutes=2)
    room = offer("room", walk_minutes=12)
    assert order(shut, full, unknown, room) == ["room", "unknown", "full", "shut"]


def test_of_two_alike_the_nearer_the_cheaper_and_the_emptier_wins() -> None:
    assert order(offer("far", walk_minutes=6), offer("near", walk_minutes=5)) == ["near", "far"]
    assert order(offer("dear", fee_fen=900), offer("cheap", fee_fen=600)) == ["cheap", "dear"]
    assert order(offer("last", free=1), offer("many", free=30)) == ["many", "last"]


def test_a_few_steps_more_are_walked_for_a_fee_saved_and_a_long_way_is_not() -> None:
    dear = offer("dear", fee_fen=900, walk_minutes=1)
    assert order(dear, offer("free", fee_fen=0, walk_minutes=10)) == ["free", "dear"]
    assert order(dear, offer("free", fee_fen=0, walk_minutes=25)) == ["dear", "free"]


def test_an_unknown_price_is_no_low_price() -> None:
    assert order(offer("unpriced", fee_fen=None), offer("priced", walk_minutes=4.9)) == ["priced", "unpriced"]
    assert order(offer("b", fee_fen=None), offer("a", fee_fen=None)) == ["a", "b"]
