"""What the pool answers to a put, and the road's one error."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class PutResult(Enum):
    """How a put ended: only STORED and KNOWN mean that the envelope is safe."""

    STORED = "stored"
    KNOWN = "the same bytes were there already"
    TAKEN = "other bytes lie under this tag"
    WRONG_EPOCH = "the epoch is neither today nor yesterday"
    FULL = "the pool takes nothing more for now"


class Reply(NamedTuple):
    """How a put ended; `epoch` is the server's day, `hour` (UTC, 0 to 23) that at which the next edition begins."""

    result: PutResult
    epoch: int
    hour: int


class RoadError(Exception):
    """The pool could not be reached or did not answer as it should; the text says what to do."""
