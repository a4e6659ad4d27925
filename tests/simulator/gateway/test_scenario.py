"""A scenario's troubles of the provider: told in their time, told again to a gateway that forgot, and taken back."""

from datetime import datetime
from zoneinfo import ZoneInfo

from core.clock import VirtualClock, milliseconds
from ops.scenario import provider_troubled
from simulator.gateway.clock import real_now
from simulator.scenarios import load_scenario
from tests.simulator.gateway.conftest import Running
from tests.support.waiting import until

SHANGHAI = ZoneInfo("Asia/Shanghai")
BEGINS_AT = datetime(2026, 3, 11, 11, 30, tzinfo=SHANGHAI)


async def test_the_provider_is_down_at_noon_and_up_again_later(gateway: Running) -> None:
    scenario = load_scenario("provider-down-at-noon")
    clock = VirtualClock(real_start_ms=milliseconds(real_now()), virtual_start_ms=milliseconds(BEGINS_AT), speed=1_500)

    async def rules() -> list[str]:
        return [one["do"] for one in (await gateway.control("GET", "/script"))["script"]["rules"]]

    async def is_down() -> bool:
        return await rules() == ["down"]

    async def forgets_notices() -> bool:
        return await rules() == ["drop"]

    async def is_well() -> bool:
        return await rules() == []

    with provider_troubled(scenario, gateway_url=gateway.url, clock=clock, begins_at=BEGINS_AT, zone=SHANGHAI):
        await until(is_down)
        await gateway.control("DELETE", "/script")  # as one that was killed and started again
        await until(forgets_notices)
        await until(is_well)


async def test_a_scenario_without_such_troubles_leaves_the_gateway_alone(gateway: Running) -> None:
    await gateway.script({"on": "*", "do": "down"})
    scenario = load_scenario("normal-day")
    clock = VirtualClock(real_start_ms=0, virtual_start_ms=0, speed=1)
    with provider_troubled(scenario, gateway_url=gateway.url, clock=clock, begins_at=BEGINS_AT, zone=SHANGHAI):
        found = await gateway.control("GET", "/script")
    assert [one["do"] for one in found["script"]["rules"]] == ["down"]
