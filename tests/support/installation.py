"""A whole installation as a user starts it: the command line, in a state folder of its own."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ops.services.processes import Running, find_recorded
from ops.state import State, free_port
from tests.support.services import folder_for_state
from tests.support.waiting import until


@dataclass(slots=True, kw_only=True)
class Installation:
    """Commands run beside each other in one state folder."""

    state: State
    started: list[asyncio.subprocess.Process] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        """One command to its end: exit status, stdout, stderr."""
        process = await self._start(*arguments)
        out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def env(self) -> dict[str, str]:
        """What ``parking env`` says."""
        status, out, err = await self.run("env")
        assert status == 0, err
        return dict(line.removeprefix("export ").split("=", 1) for line in out.replace("'", "").splitlines())

    async def begin(self, *arguments: str) -> asyncio.subprocess.Process:
        """A command that stays; returns when it says that everything runs."""
        process = await self._start(*arguments)
        self.started.append(process)
        self.said.clear()
        assert process.stdout is not None
        reading = asyncio.create_task(self._listen(process.stdout))

        async def is_up() -> bool:
            assert not reading.done(), f"it ended: {''.join(self.said)}"
            return "Ctrl-C stops all of it." in "".join(self.said)

        await until(is_up, within_seconds=180)
        return process

    def process(self, name: str) -> Running | None:
        """One of the running installation's own processes."""
        return find_recorded(self.state.run / f"process-{name}.json")

    def service(self, name: str) -> Running | None:
        """One of its services."""
        found = [find_recorded(path) for path in self.state.run.glob(f"*{name}*.json")]
        return next((running for running in found if running), None)

    async def _start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "ops.cli",
            *arguments,
            env={**os.environ, "PARKING_STATE_DIR": str(self.state.root), "COLUMNS": "200"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            self.said.append(line.decode())


@asynccontextmanager
async def an_installation() -> AsyncIterator[Installation]:
    """An empty state folder; whatever still runs in it at the end is ended."""
    folder = folder_for_state()
    installation = Installation(state=State.find(folder / "state"))
    try:
        yield installation
    finally:
        for process in installation.started:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def a_port() -> str:
    """A free port as an argument."""
    return str(free_port())
