"""A real browser on the real pages."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from ops.services import RunningServices
from tests.web.live import LiveCity, running_city
from tests.web.looking import Visits

CURE: Final = "apt-get install --no-install-recommends chromium fonts-noto-cjk"
FLAGS: Final = [
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
NO_GL_FLAGS: Final = [flag for flag in FLAGS if "gl" not in flag and "swiftshader" not in flag] + [
    "--disable-gpu",
    "--disable-3d-apis",
]
expect.set_options(timeout=60_000)  # on a busy machine a page may take its time


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that can draw Chinese; without one the test is skipped, in CI it fails."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    missing = [] if program else ["Chromium"]
    if not _has_chinese_font():
        missing.append("a font with Chinese characters")
    if missing:
        reason = f"{' and '.join(missing)} not found; {CURE}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return str(program)


def _has_chinese_font() -> bool:
    program = shutil.which("fc-list")
    if program is None:
        return any(Path("/usr/share/fonts").rglob("*CJK*"))
    found = subprocess.run([program, ":lang=zh-cn", "family"], capture_output=True, check=False)
    return bool(found.stdout.strip())


@pytest.fixture(scope="session")
def live_city(services: RunningServices, template: str) -> Iterator[LiveCity]:
    """A small town with everything behind it running; one for all tests, which therefore say what they change."""
    with running_city(services.endpoints, template) as city:
        yield city


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Chromium drawing in software, as on a machine without a graphics card."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def blind_browser(chromium: str) -> AsyncIterator[Browser]:
    """Chromium that has no WebGL."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=NO_GL_FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visits(browser: Browser) -> AsyncIterator[Visits]:
    """Opens pages; after the test no page may have complained or asked anybody but us for anything."""
    visits = Visits(browser)
    yield visits
    await visits.end()


@pytest_asyncio.fixture(loop_scope="session")
async def blind_visits(blind_browser: Browser) -> AsyncIterator[Visits]:
    """As ``visits``, without WebGL."""
    visits = Visits(blind_browser)
    yield visits
    await visits.end()
