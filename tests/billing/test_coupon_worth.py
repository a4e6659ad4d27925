"""What each coupon of a stay came to: never below nothing, and together exactly what they take off."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.calendar import seeded
from billing.circumstances import Circumstances
from billing.coupon_worth import worths
from billing.coupons import Coupon
from core.stay import Stay
from tests.support.tariffs import shipped_tariff, stays

coupons = st.lists(
    st.one_of(
        st.builds(lambda value: Coupon(kind="minutes", value=value, bearer="a"), st.integers(1, 300)),
        st.builds(lambda value: Coupon(kind="percent", value=value, bearer="b"), st.integers(1, 100)),
        st.builds(lambda value: Coupon(kind="amount", value=value, bearer="c"), st.integers(1, 2_000)),
    ),
    max_size=5,
)


@settings(max_examples=150, deadline=None)
@given(notice=st.sampled_from(["xinchang-kerb", "cn-sz-class1", "sample-commuter"]), stay=stays(), given_=coupons)
def test_the_parts_add_up_to_what_all_take_off(notice: str, stay: Stay, given_: list[Coupon]) -> None:
    tariff = shipped_tariff(notice)
    plain = Circumstances(calendar=seeded())
    reduced = replace(plain, coupons=tuple(given_))
    came_to = worths(reduced, tariff, stay, tariff.zone)
    before, after = (one.bill(tariff, stay, tariff.zone).total_fen for one in (plain, reduced))
    assert len(came_to) == len(given_)
    assert min(came_to, default=0) >= 0
    assert sum(came_to) == before - after
    assert all(fen == 0 for fen in came_to[tariff.document.coupons.most :])
