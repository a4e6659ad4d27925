"""Opening a page and looking at it: what it shows, what it asked for, what it complained about."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Page, Request

from tests.support.waiting import until

PHONE: Final = (390, 844)
WIDE: Final = (1280, 800)


@dataclass(kw_only=True)  # without slots: Playwright hangs its own note on an object whose method it calls
class Visit:
    """One page, opened."""

    page: Page
    origin: str
    opened_at: float
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    forgiving: bool = False
    """Whether it is expected that the server cannot be reached for a while."""
    refusals: Collection[int] = ()
    """The statuses with which it is expected to refuse something."""
    leads_to: str = ""
    """Another place that a link of the page leads to on purpose: the payment provider's."""

    async def map_ready(self) -> str:
        """Wait until the page says that its map is drawn, or ``none`` when it can have no map."""
        state: str = await until(lambda: self.page.evaluate("document.body.dataset.mapReady"))
        return state

    async def total(self) -> int:
        """The total of free spaces that the page shows."""
        return int((await self.page.locator("#total-free").inner_text()).replace(",", ""))

    async def on_map(self, script: str, argument: object = None) -> Any:
        """Ask the map something: a script with ``map`` and ``argument`` in its scope."""
        return await self.page.evaluate(
            f"async (argument) => {{ const map = document.querySelector('#map').map; {script} }}", argument
        )

    def listen(self) -> None:
        """Keep what the page asks for and what it complains about."""
        self.page.on("request", self._asked)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _asked(self, request: Request) -> None:
        self.requests.append(request)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not self._is_expected(message.text):
            self.complaints.append(f"{message.type}: {message.text}")

    def _is_expected(self, said: str) -> bool:
        """Told when it is said, not afterwards: a page asks again when it likes."""
        is_of_an_outage = "net::" in said or "EventSource" in said
        return (self.forgiving and is_of_an_outage) or any(f"status of {code}" in said for code in self.refusals)

    def strangers(self) -> list[str]:
        """Requests that left our origin; drawings the page makes for itself are data and blobs."""
        return [
            request.url
            for request in self.requests
            if urlsplit(request.url).scheme not in {"data", "blob"}
            and not request.url.startswith(self.origin)
            and not (self.leads_to and request.url.startswith(self.leads_to))
        ]


@dataclass(slots=True)
class Visits:
    """All pages of one test."""

    browser: Browser
    made: list[Visit] = field(default_factory=list)

    async def to(
        self,
        url: str,
        *,
        size: tuple[int, int] = WIDE,
        lang: Literal["zh-CN", "en-GB"] = "zh-CN",
        dark: bool = False,
        frozen: bool = False,
        forgiving: bool = False,
        refusals: Collection[int] = (),
        **options: Any,
    ) -> Visit:
        """Open a page as a fresh visitor.

        Args:
            url: with or without a part after ``#``.
            size: of the window; a phone's has two pixels for each of the page's.
            lang: the browser's language.
            dark: whether the device prefers dark.
            frozen: whether the page's clock can be moved by the test.
            forgiving: whether it is expected that the server cannot be reached for a while.
            refusals: the statuses with which it is expected to refuse something.
            options: more of Playwright's own for the browser context.
        """
        phone = size == PHONE
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            device_scale_factor=2 if phone else 1,
            locale=lang,
            color_scheme="dark" if dark else "light",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",  # the camera jumps, which software drawing can keep up with
            **options,
        )
        page = await context.new_page()
        parts = urlsplit(url)
        visit = Visit(
            page=page,
            origin=f"{parts.scheme}://{parts.netloc}",
            opened_at=time.monotonic(),
            forgiving=forgiving,
            refusals=refusals,
        )
        visit.listen()
        self.made.append(visit)
        if frozen:
            await page.clock.install()
        await page.goto(url)
        return visit

    async def end(self) -> None:
        """Close every page that was opened, and check that it was clean."""
        for visit in self.made:
            await visit.page.context.close()
            assert visit.complaints == []
            assert visit.strangers() == []
