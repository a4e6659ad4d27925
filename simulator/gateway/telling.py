"""Telling merchants: each notice until it is acknowledged, on its provider's schedule, meeting the script's faults."""

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial
from typing import Final, get_args

import httpx
import structlog

from simulator.gateway.alipay import telling as alipay
from simulator.gateway.faults import NoticeFault, Rule
from simulator.gateway.parts import Gateway
from simulator.gateway.trades import Notice
from simulator.gateway.wechat import telling as wechat
from simulator.gateway.wechat.routes import end_due_refunds

log = structlog.get_logger()

ANSWER_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.25
"""How often is looked for what has become due."""
AT_ONCE: Final = 64
"""Notices on their way at the same time."""
HELD_SECONDS: Final = 5.0
"""How long a notice that is to be overtaken waits for another at most."""
NOTICE_FAULTS: Final = get_args(NoticeFault)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the merchant answered."""

    taken: bool
    words: str


class Teller:
    """A task for as long as the gateway runs."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._http = httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False, headers={"User-Agent": "Mozilla/4.0"})
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._told = asyncio.Condition()
        self._count = 0
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin with what was left untold."""
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Tell nothing more; what is on its way may be told again after the next start."""
        tasks = [task for task in (self._loop, *self._under_way.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gateway.wake.wait(), LOOK_SECONDS)
            self._gateway.wake.clear()
            end_due_refunds(self._gateway)
            for notice in self._gateway.outbox.due(self._gateway.clock.now()):
                if notice.id not in self._under_way and len(self._under_way) < AT_ONCE:
                    task = asyncio.create_task(self._tell(notice))
                    self._under_way[notice.id] = task
                    task.add_done_callback(partial(self._arrived, notice.id))

    def _arrived(self, notice_id: str, task: asyncio.Task[None]) -> None:
        self._under_way.pop(notice_id, None)
        if not task.cancelled() and (error := task.exception()):
            log.error("notice.failed", error=repr(error))

    async def _tell(self, notice: Notice) -> None:
        kind = "refund" if notice.refund_no is not None else "payment"
        rule = self._gateway.faults.choose(f"{notice.provider}.notify.{kind}", notice.order_no, among=NOTICE_FAULTS)
        heard = await self._attempt(notice, rule)
        at = self._gateway.clock.now()
        if heard.taken:
            self._gateway.outbox.acknowledged(notice, heard.words, at)
        else:
            self._gateway.outbox.refused(notice, heard.words, at)
        log.info(
            "notice.told",
            provider=notice.provider,
            kind=kind,
            attempt=notice.attempts + 1,
            taken=heard.taken,
            fault=rule.do if rule else None,
        )

    async def _attempt(self, notice: Notice, rule: Rule | None) -> Heard:
        fault = rule.do if rule else None
        if fault == "drop":
            return Heard(taken=False, words="dropped by the script")
        if rule and fault == "delay":
            await asyncio.sleep(rule.seconds)
        if fault == "reorder":
            await self._let_another_pass()
        tell = wechat.told if notice.provider == "wechat" else alipay.told
        headers, body = tell(self._gateway, notice, rule)
        copies = rule.copies if rule and fault == "repeat" else 1
        answers = await asyncio.gather(*(self._post(notice, headers, body) for _ in range(copies)))
        async with self._told:
            self._count += 1
            self._told.notify_all()
        return next((answer for answer in answers if answer.taken), answers[0])

    async def _post(self, notice: Notice, headers: dict[str, str], body: bytes) -> Heard:
        try:
            answer = await self._http.post(notice.url, headers=headers, content=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Heard(taken=False, words=type(error).__name__)
        if notice.provider == "wechat":
            return Heard(taken=wechat.is_taken(answer.status_code), words=str(answer.status_code))
        taken = answer.is_success and alipay.is_taken(answer.text)
        return Heard(taken=taken, words=f"{answer.status_code} {answer.text[:40]}")

    async def _let_another_pass(self) -> None:
        """Wait until a notice that came later has been told."""
        before = self._count
        async with self._told:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait_for(lambda: self._count > before), HELD_SECONDS)
