"""The figures of a preview: each stay counted once in every sum, whatever parts it is priced in."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from billing.notices import read
from billing.preview import Preview, Recorded, Tally, length_text, preview_object, tally
from billing.pricing import price_stay
from billing.tariff import load_tariff
from core.stay import Stay, VehicleClass

KERB = load_tariff(read("xinchang-kerb"))
NINE = datetime(2026, 3, 10, 1, tzinfo=UTC)  # 09:00 in Xinchang


def stay(minutes: float, billed_fen: int, *, after: float = 0, lot: str = "KL", vehicle: str | None = None) -> Recorded:
    begin = NINE + timedelta(minutes=after)
    return Recorded(
        session_id=f"{lot}-{after}-{minutes}",
        lot=lot,
        zone="Asia/Shanghai",
        entered_at=begin,
        left_at=begin + timedelta(minutes=minutes),
        billed_fen=billed_fen,
        vehicle=vehicle,
    )


def test_each_stay_is_counted_by_its_lot_its_hour_its_length_and_its_day() -> None:
    counted = tally([stay(20, 100), stay(75, 600, after=30), stay(75, 700, after=120, lot="WT")], KERB)
    assert (counted.total.stays, counted.total.billed_fen, counted.total.draft_fen) == (3, 1400, 1200)
    assert (counted.total.dearer, counted.total.cheaper, counted.total.same) == (0, 2, 1)
    assert {lot: one.difference_fen for lot, one in counted.by_lot.items()} == {"KL": -100, "WT": -100}
    assert {hour: one.stays for hour, one in counted.by_hour.items()} == {9: 2, 11: 1}
    assert {length_text(index, "en"): one.stays for index, one in counted.by_length.items()} == {
        "15 min to 30 min": 1,
        "1 hour to 2 hours": 2,
    }
    assert [day.isoformat() for day in counted.by_day] == ["2026-03-10"]


def test_the_stays_that_change_most_are_named_the_most_first() -> None:
    counted = tally([stay(75, 600 + 100 * n, after=n) for n in range(-12, 13)], KERB)
    assert [one.difference_fen for one in counted.cheapest] == [-1200 + 100 * n for n in range(8)]
    assert [one.difference_fen for one in counted.dearest] == [1200 - 100 * n for n in range(8)]


def test_the_billed_class_is_priced_and_one_the_draft_does_not_know_is_counted() -> None:
    small, large, own = stay(75, 0, vehicle="small"), stay(75, 0, vehicle="large"), stay(75, 0, vehicle="tractor")
    draft = load_tariff(read("cn-bj-class1"))

    def priced(vehicle: str) -> int:
        of = Stay(entered_at=small.entered_at, left_at=small.left_at)
        return price_stay(draft, of, zone=ZoneInfo("Asia/Shanghai"), vehicle=VehicleClass(vehicle)).total_fen

    assert tally([small], draft).total.draft_fen == priced("small") != priced("large")
    assert tally([large], draft).total.draft_fen == priced("large")
    counted = tally([own], draft)
    assert (counted.total.draft_fen, counted.classes_unknown) == (priced("small"), 1)


STAYS = st.builds(
    stay,
    st.floats(0.5, 4000),
    st.integers(0, 100).map(lambda yuan: 50 * yuan),
    after=st.integers(0, 60_000),
    lot=st.sampled_from(["KL", "WT", "GS"]),
)


@given(stays=st.lists(STAYS, max_size=40), cut=st.integers(0, 40))
def test_parts_add_up_to_the_whole(stays: list[Recorded], cut: int) -> None:
    whole, parts = tally(stays, KERB), Tally()
    parts.add(tally(stays[:cut], KERB))
    parts.add(tally(stays[cut:], KERB))

    def told(counted: Tally) -> str:
        return json.dumps(
            preview_object(Preview(draft=KERB, since=NINE, until=NINE, tally=counted, unbilled=0)), sort_keys=True
        )

    assert told(parts) == told(whole)
    for sums in (whole.by_lot, whole.by_hour, whole.by_length, whole.by_day):
        assert sum(one.draft_fen for one in sums.values()) == whole.total.draft_fen
        assert sum(one.stays for one in sums.values()) == len(stays)
