"""The live stream: snapshot, changes, going on where one left off, and viewers who cannot keep up."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from api.live_city.picture import Changes, Picture
from api.live_city.registry import Registry
from api.live_city.stream import HEARTBEAT, RING, SLOW, Stream
from tests.api.conftest import Api
from tests.api.town import Town
from tests.support.waiting import until


@pytest.mark.services
async def test_a_viewer_gets_a_snapshot_and_then_what_changes(api: Api, town: Town) -> None:
    async with api.watching() as viewer:
        name, snapshot = await viewer.event()
        assert name == "snapshot"
        state = await api.json("/api/v1/spaces/state")
        assert {**snapshot, "at": None} == {**state, "at": None}
        await town.report("KA-002", occupied=True)
        name, changes = await viewer.event()
    assert name == "changes"
    assert changes["changes"] == {"f": [], "o": [1], "u": [], "c": []}
    assert changes["lots"] == {"KA": {"available": 0, "free": 0, "occupied": 1, "unknown": 2, "closed": 0}}
    assert changes["version"] == snapshot["version"] + 1
    start, _, number = (viewer.last_id or "").partition("-")
    assert start.isdecimal()
    assert int(number) == changes["version"]


@pytest.mark.services
async def test_a_change_after_a_quiet_second_is_on_the_stream(api: Api, town: Town) -> None:
    async with api.watching() as viewer:
        await viewer.event()
        await asyncio.sleep(1.1)
        await town.report("KA-001", occupied=True)
        await viewer.event()


@pytest.mark.services
async def test_changes_come_at_most_once_a_second_and_are_merged(api: Api, town: Town) -> None:
    async with api.watching() as viewer:
        await viewer.event()
        shown_at: list[datetime] = []
        shown = ["u"] * 5
        for turn in range(12):
            await town.report("KA-001", "KB-001", occupied=turn % 2 == 0)
            await asyncio.sleep(0.15)
        await town.report("KA-001", occupied=True)
        while shown[0] != "o" or shown[3] != "f" or len(shown_at) < 2:
            _, changes = await viewer.event()
            shown_at.append(datetime.fromisoformat(changes["at"]))
            for letter, places in changes["changes"].items():
                for place in places:
                    shown[place] = letter
        assert min(later - earlier for earlier, later in pairwise(shown_at)) >= timedelta(seconds=0.99)


@pytest.mark.services
async def test_a_returning_viewer_gets_what_was_missed(api: Api, town: Town) -> None:
    async with api.watching() as viewer:
        await viewer.event()
        left_at = viewer.last_id
    await town.report("KA-001", occupied=True)
    await api.until_states("ouuuu")
    await asyncio.sleep(1)
    await town.report("KA-003", occupied=False)
    await api.until_states("oufuu")
    async with api.watching(last_event_id=left_at) as viewer:
        first, second = await viewer.event(), await viewer.event()
    assert [first[0], second[0]] == ["changes", "changes"]
    assert (first[1]["changes"]["o"], second[1]["changes"]["f"]) == ([0], [2])


@pytest.mark.services
@pytest.mark.parametrize("unknown", ["1-1", "x", "99999999999999-5", "-", "1795358210250-99999999999999999999"])
async def test_an_unknown_id_gets_a_snapshot(api: Api, unknown: str) -> None:
    async with api.watching(last_event_id=unknown) as viewer:
        name, _ = await viewer.event()
    assert name == "snapshot"


@pytest.mark.services
async def test_another_order_of_spaces_is_a_snapshot_with_another_etag(api: Api, town: Town) -> None:
    async with api.watching() as viewer:
        _, before = await viewer.event()
        await town.add_space("KA")
        name, after = await viewer.event()
    assert name == "snapshot"
    assert after["spaces_etag"] != before["spaces_etag"]
    assert len(after["states"]) == 6
    assert (await api.get("/api/v1/spaces")).headers["etag"] == after["spaces_etag"]


@pytest.mark.services
async def test_viewers_are_counted_and_let_go(api: Api) -> None:
    async with api.watching() as viewer:
        await viewer.event()
        assert "parking_api_viewers 1.0" in (await api.get("/metrics")).text

    async def nobody_watches() -> bool:
        return "parking_api_viewers 0.0" in (await api.get("/metrics")).text

    await until(nobody_watches)


# --- the stream alone: no clock, no network --------------------------------------------------------------------------

START = 1_795_358_210_250


class Turns:
    """A stream whose pictures this test makes up."""

    def __init__(self) -> None:
        self.version = 100
        self.stream = Stream(START, lambda: (self.version, b'{"snapshot":%d}' % self.version))
        self.stream.begin(self.version)

    def change(self) -> None:
        self.version += 1
        picture = Picture(version=self.version, at_ms=START, registry=Registry(), letters=b"", lots=())
        self.stream.publish(picture, Changes(spaces={"f": [], "o": [self.version], "u": [], "c": []}, lots=[]))


def events(frames: bytes) -> list[str]:
    return [line.removeprefix(b"event: ").decode() for line in frames.splitlines() if line.startswith(b"event")]


async def started(turns: Turns, last: str | None = None) -> AsyncGenerator[bytes]:
    viewer = turns.stream.watch(last)
    await anext(viewer)
    return viewer


async def test_a_viewer_who_is_a_little_late_gets_every_frame() -> None:
    turns = Turns()
    async with aclosing(await started(turns)) as viewer:
        for _ in range(SLOW):
            turns.change()
        assert events(await anext(viewer)) == ["changes"] * SLOW


async def test_a_viewer_who_is_too_late_gets_a_snapshot_and_holds_no_memory() -> None:
    turns = Turns()
    async with aclosing(await started(turns)) as viewer:
        for _ in range(SLOW + 1):
            turns.change()
        assert events(await anext(viewer)) == ["snapshot"]
        assert turns.stream.resyncs == 1
        turns.change()
        assert events(await anext(viewer)) == ["changes"]


async def test_every_viewer_gets_the_very_same_bytes() -> None:
    turns = Turns()
    viewers = [await started(turns) for _ in range(50)]
    turns.change()
    frames = [await anext(viewer) for viewer in viewers]
    assert len(set(frames)) == 1
    for viewer in viewers:
        await viewer.aclose()


async def test_a_quiet_stream_shows_that_it_lives_without_an_event() -> None:
    turns = Turns()
    async with aclosing(await started(turns)) as viewer:
        turns.stream.beat()
        turns.change()
        assert events(await anext(viewer)) == ["changes"]
        waiting = asyncio.ensure_future(anext(viewer))
        await asyncio.sleep(0)
        turns.stream.beat()
        assert await waiting == HEARTBEAT


async def test_resuming_reaches_back_as_far_as_the_ring_and_no_further() -> None:
    turns = Turns()
    for _ in range(RING + 5):
        turns.change()
    oldest = turns.version - RING
    async with aclosing(turns.stream.watch(f"{START}-{oldest}")) as viewer:
        assert events(await anext(viewer)) == ["changes"] * RING
    async with aclosing(turns.stream.watch(f"{START}-{oldest - 1}")) as viewer:
        assert events(await anext(viewer)) == ["snapshot"]
    async with aclosing(turns.stream.watch(f"{START}-{turns.version}")) as viewer:
        assert await anext(viewer) == HEARTBEAT


async def test_frames_are_well_formed() -> None:
    turns = Turns()
    async with aclosing(await started(turns)) as viewer:
        turns.change()
        frame = await anext(viewer)
    lines = frame.decode().split("\n")
    assert lines[0] == f"id: {START}-{turns.version}"
    assert lines[1] == "event: changes"
    assert msgspec.json.decode(lines[2].removeprefix("data: "))["changes"]["o"] == [turns.version]
    assert lines[3:] == ["", ""]


async def test_a_closed_stream_ends_for_everybody() -> None:
    turns = Turns()
    viewers = [await started(turns) for _ in range(3)]
    turns.stream.close()
    for viewer in viewers:
        with pytest.raises(StopAsyncIteration):
            await anext(viewer)
    assert turns.stream.viewers == 0
