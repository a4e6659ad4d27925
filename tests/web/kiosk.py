"""A kiosk in the town: its key, its screens at the two sizes, and what every screen must keep to."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from weakref import WeakKeyDictionary

import httpx
from playwright.async_api import Locator, Page, expect

from billing.payments.till import Till
from billing.providers.configured import build_providers
from core.clock import RealClock
from core.db import Database
from core.settings import Settings
from ops.device_keys import DeviceKind, add_key
from tests.web.live import LiveCity
from tests.web.looking import Visit, Visits

PORTRAIT: Final = (1080, 1920)
LANDSCAPE: Final = (1280, 800)
SIZES: Final = [PORTRAIT, LANDSCAPE]
A_HANDS_REST_S: Final = 0.45
_TOUCHED: Final[WeakKeyDictionary[Page, float]] = WeakKeyDictionary()

FAULTS: Final = """() => {
  const [H, W] = [innerHeight, innerWidth], found = [];
  const low = document.documentElement.classList.contains("low") ? H / 2 : H / 3;
  const shown = [...document.querySelectorAll("button, input")].filter((one) => one.checkVisibility());
  const boxes = shown.map((one) => [one, one.getBoundingClientRect()]);
  for (const [one, r] of boxes) {
    const name = `${one.textContent.trim()} at ${[r.left, r.top, r.width, r.height].map(Math.round)}`;
    if (r.height < 60 || r.width < 60) found.push(`small: ${name}`);
    if (r.top < low - 1) found.push(`high: ${name}`);
    if (r.left < 0 || r.right > W || r.bottom > H) found.push(`outside: ${name}`);
    for (const [other, s] of boxes) {
      if (other === one || one.closest(".k-over") !== other.closest(".k-over")) continue;
      const [dx, dy] = [Math.max(r.left, s.left) - Math.min(r.right, s.right),
                        Math.max(r.top, s.top) - Math.min(r.bottom, s.bottom)];
      if (dx < 7.5 && dy < 7.5) found.push(`too near: ${name} and ${other.textContent.trim()}`);
    }
  }
  for (const one of document.querySelectorAll(".k-screen, .k-main, .k-info, .k-controls, .k-foot, .k-dialog")) {
    const over = [one.scrollWidth - one.clientWidth, one.scrollHeight - one.clientHeight];
    if (Math.max(...over) > 3) found.push(`no room in ${one.className}: ${over}`);
  }
  const [info, controls] = [".k-info", ".k-controls"].map((one) => document.querySelector(one).getBoundingClientRect());
  if (info.bottom > controls.top + 1 && info.right > controls.left + 1) found.push("one over the other");
  return found;
}"""
"""What is wrong with where things are: small or high or hidden keys, too close together, text without room."""


async def new_key(city: LiveCity, name: str = "测试机 Test machine", *, lot: str | None = None) -> str:
    """A device key of the running city; ``lot`` is where the machine stands."""
    database = Database(city.database_url)
    async with database.transaction() as db:
        _, key = await add_key(db, name, DeviceKind.KIOSK, lot=lot)
    await database.close()
    return key


async def at_kiosk(visits: Visits, url: str, key: str, *, size: tuple[int, int] = LANDSCAPE, **options: Any) -> Visit:
    """Start a machine that knows its key; waits until it is idle."""
    visit = await visits.to(f"{url}/kiosk#key={key}", size=size, **options)
    await on_step(visit.page, "idle")
    return visit


async def on_step(page: Page, step: str) -> None:
    """Wait for a screen."""
    await expect(page.locator(f'[data-step="{step}"]')).to_be_visible()


async def touch(target: Locator) -> None:
    """Touch as a hand does: what follows on the same place within 0.4 s is to a kiosk the half of a double tap."""
    rests_until = _TOUCHED.get(target.page, 0.0) + A_HANDS_REST_S
    await asyncio.sleep(max(0.0, rests_until - time.monotonic()))
    await target.click()
    _TOUCHED[target.page] = time.monotonic()


async def type_keys(page: Page, text: str) -> None:
    """Touch the keys of a text, one after another and fast, as only keys may be."""
    keys = page.locator("[data-repeats]")
    await touch(keys.get_by_role("button", name=text[0], exact=True))
    for key in text[1:]:
        await keys.get_by_role("button", name=key, exact=True).click()


async def find_space(page: Page, code: str) -> None:
    """From the idle screen to what a space is asked for; the machine belongs to no lot, so the whole code is typed."""
    await touch(page.locator(".k-start"))
    await on_step(page, "find")
    await type_keys(page, code)
    await touch(page.locator(".k-onward"))


async def faults_of(page: Page) -> list[str]:
    """What is wrong with the screen that is shown; measured once nothing moves."""
    await asyncio.sleep(0.05)
    found: list[str] = await page.evaluate(FAULTS)
    return found


async def the_provider(city: LiveCity, *rules: dict[str, Any]) -> None:
    """What goes wrong at the simulated provider from now on; nothing, without rules."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.put(f"{city.gateway_url}/control/script", json={"rules": list(rules)})
    assert answer.is_success, answer.text


@asynccontextmanager
async def till_of(city: LiveCity) -> AsyncIterator[Till]:
    """What the worker would follow payments with; the city runs none, so that a test says when."""
    settings = {name.removeprefix("PARKING_").lower(): value for name, value in city.merchant.items()}
    till = Till(
        providers=build_providers(Settings.model_validate(settings)),
        database=Database(city.database_url),
        clock=RealClock(),
        notify_base_url=city.url,
    )
    yield till
    await till.aclose()
    await till.database.close()
