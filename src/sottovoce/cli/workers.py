"""The starter's side of its workers: each place has one at work; a successor is ready before it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from random import SystemRandom

from sottovoce.pool.errors import RoadError

from .channel import Channel, Word
from .worker import Setup

COMMAND = (sys.executable, "-P", "-m", "sottovoce.cli.worker")
_START_SECONDS = 60
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0  # seconds before a worker is started again that didn't come up
# What was large is given back to the system at once, emptied: forms and pages don't stay, and a flood's memory neither.
_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "2"}
_jitter = SystemRandom().uniform


@dataclass(frozen=True)
class Life:
    """How long a worker works: so many seconds or requests, each up to a quarter more or less, so never all at once.

    `least_seconds`: under a flood, starting workers must not become the flood. `drain_seconds`: for its last request.
    `silence_seconds`: one that does not answer for so long hangs.
    """

    seconds: float = 300
    requests: int = 2_000
    least_seconds: float = 60
    drain_seconds: float = 120
    silence_seconds: float = 60


class Handle:
    """One worker process, as its starter sees it."""

    def __init__(self, process: subprocess.Popen[bytes], ready: asyncio.Event) -> None:
        self.process, self.ready, self.due = process, ready, asyncio.Event()
        self.channel: Channel

    def hear(self, word: Word, _: bytes) -> None:
        """Takes the worker's words."""
        if word is Word.READY:
            self.ready.set()
        elif word is Word.DUE:
            self.due.set()

    async def reap(self, patience: float) -> None:
        """Waits for its end; it is killed when it doesn't come."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.channel.lost.wait(), patience)
        self.channel.close()
        try:
            await asyncio.to_thread(self.process.wait, 2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)


Answer = Callable[[Handle, Word, bytes], Awaitable[bytes]]


@dataclass
class Workers:
    """So many workers. `setup` is what each is told, with the ended visits of `ended`; `answer` serves their asks."""

    count: int
    setup: Setup
    sockets: Sequence[int]
    life: Life
    answer: Answer
    ended: Callable[[], list[bytes]]
    forsake: Callable[[Handle], None]
    say: Callable[[str], None]
    command: Sequence[str] = COMMAND

    def __post_init__(self) -> None:
        """Nothing starts yet."""
        self._handles: set[Handle] = set()
        self._reaping: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def pids(self) -> list[int]:
        """The processes, those that end included."""
        return [handle.process.pid for handle in self._handles]

    async def run(self, opened: asyncio.Event) -> None:
        """Keeps every place filled until it is cancelled; `opened` is set once all have a worker."""
        firsts = await asyncio.gather(*(self._start() for _ in range(self.count)))
        opened.set()
        await asyncio.gather(*(self._fill(first) for first in firsts))

    def tell(self, word: Word, content: bytes, but: Handle) -> None:
        """Tells all workers but one."""
        for handle in self._handles - {but}:
            handle.channel.say(word, content)

    async def stop(self, patience: float) -> None:
        """Lets what is under way end within `patience` seconds, and ends all."""
        self._stopping = True
        for handle in self._handles:
            handle.channel.say(Word.DRAIN)
        await asyncio.gather(*(handle.reap(patience) for handle in self._handles))
        for task in self._reaping:
            task.cancel()

    async def _fill(self, current: Handle) -> None:
        while True:
            watching = asyncio.create_task(self._watch(current))
            try:
                lost = await _first(current.channel.lost, current.due)
            finally:
                watching.cancel()
            if self._stopping:  # then it is asked to end, and gets no successor
                return
            if lost:
                self.say("A worker ended unasked. Another one takes its place.")
                self._let_go(current)
            successor = await self._start()
            if not lost:
                current.channel.say(Word.DRAIN)
                self._let_go(current)
            current = successor

    async def _watch(self, handle: Handle) -> None:
        """Kills a worker that hangs: so it is lost, and what visitors typed is gone with it."""
        with contextlib.suppress(RoadError):  # lost meanwhile
            while True:
                await asyncio.sleep(self.life.silence_seconds / 2)
                try:
                    await asyncio.wait_for(handle.channel.ask(Word.PING, b""), self.life.silence_seconds)
                except TimeoutError:
                    self.say("A worker did not answer and was ended.")
                    handle.process.kill()
                    return

    def _let_go(self, handle: Handle) -> None:
        async def reap() -> None:
            await handle.reap(self.life.drain_seconds + 10)
            self._handles.discard(handle)
            self.forsake(handle)

        task = asyncio.get_running_loop().create_task(reap())
        self._reaping.add(task)
        task.add_done_callback(self._reaping.discard)

    async def _start(self) -> Handle:
        pause = _FIRST_PAUSE
        while True:
            handle = await self._spawn()
            with contextlib.suppress(TimeoutError):
                lost = await asyncio.wait_for(_first(handle.channel.lost, handle.ready), _START_SECONDS)
                if not lost:
                    return handle
            self.say(f"A worker did not start. The next attempt is in {pause:g} s.")
            await handle.reap(0)
            self._handles.discard(handle)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _spawn(self) -> Handle:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            process = self._process(theirs.fileno())
        handle = Handle(process, asyncio.Event())
        handle.channel = await Channel.open(ours, lambda word, content: self.answer(handle, word, content), handle.hear)
        self._handles.add(handle)
        jittered = replace(
            self.setup,
            seconds=self.life.seconds * _jitter(0.75, 1.25),
            requests=round(self.life.requests * _jitter(0.75, 1.25)),
            ended=self.ended(),
        )
        handle.channel.say(Word.SETUP, jittered.pack())
        return handle

    def _process(self, end: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  our own program
            [*self.command, str(end)],
            stdin=subprocess.DEVNULL,
            env={**os.environ, **_MEMORY},
            pass_fds=[end, *self.sockets],
            start_new_session=True,  # a terminal's Ctrl-C is for the starter
        )


async def _first(one: asyncio.Event, other: asyncio.Event) -> bool:
    """Waits for one of two events; whether it was the first."""
    tasks = [asyncio.create_task(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    return one.is_set()
