"""A desk that runs by itself: it syncs now and then, and posts at times that say nothing (DESIGN, Cover).

The gap to the next post is drawn before anybody looks at what waits. So posts of a desk that answers and of one that
has nothing to say come at the same times; in a team of D devices each posts D times as seldom, and one desk or sixteen
fill the pool alike. It hides when the desk answers, and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from .road import Report, Road, SyncReport

GAP = 20 * 60.0  # seconds between posts of a whole team, on average: 18 an edition, less than its padding
SYNC = 30 * 60.0  # seconds between syncs, on average
LATE = 10 * 60.0  # what a long sync held up is made up for; what a laptop's sleep did is not, or it would burst
_RANDOM = 7  # bytes, of which a double holds 53 bits


class Runs(Protocol):
    """What of a desk runs by itself."""

    def sync(self, road: Road, *, post: bool) -> SyncReport:
        """Fetches; posts nothing but what the team needs when `post` is false."""

    def post_one(self, road: Road) -> SyncReport:
        """Posts one envelope: what waits, else a dummy."""


def exponential(random: Callable[[int], bytes], mean: float) -> float:
    """A gap in seconds of the exponential distribution: what came before says nothing about it."""
    uniform = (int.from_bytes(random(_RANDOM), "big") >> 3) / (1 << 53)  # 0 to less than 1
    return -mean * math.log1p(-uniform)


def jittered(random: Callable[[int], bytes], mean: float) -> float:
    """Seconds between two thirds and four thirds of `mean`."""
    return mean * (2 + 2 * int.from_bytes(random(_RANDOM), "big") / (1 << 8 * _RANDOM)) / 3


class Cover:
    """The times of one running desk; `devices` are those of the team, `random` is its own and used for nothing else."""

    def __init__(self, devices: int, now: Callable[[], float], random: Callable[[int], bytes]) -> None:
        self._mean, self._now, self._random = max(1, devices) * GAP, now, random
        self.next_sync = now()
        self.next_post = now() + exponential(random, self._mean)

    def run(
        self,
        desk: Runs,
        road: Road,
        sleep: Callable[[float], object],
        told: Callable[[Report], object],
        times: int | None,
    ) -> None:
        """Syncs and posts when it is time, `times` times or until it is interrupted.

        `sleep` waits for so many seconds of the clock `now`; `told` is handed what each step found.
        """
        done = 0
        while times is None or done < times:
            sleep(max(0.0, min(self.next_sync, self.next_post) - self._now()))
            told(self.step(desk, road))
            done += 1

    def step(self, desk: Runs, road: Road) -> Report:
        """The step that is due first; when the next of its kind is due is drawn before it is done."""
        if self.next_sync <= self.next_post:
            self.next_sync = self._now() + jittered(self._random, SYNC)
            with road.fresh() as fresh:
                return desk.sync(fresh, post=False)
        self.next_post = max(self.next_post, self._now() - LATE) + exponential(self._random, self._mean)
        with road.fresh() as fresh:
            return desk.post_one(fresh)
