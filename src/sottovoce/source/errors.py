"""What a client on the source's device says when it stops."""

from __future__ import annotations


class SourceError(Exception):
    """What was asked for can't be done now; the text says why, and what to do."""


class Alarm(SourceError):
    """Somebody shows this device something else than it knows: write nothing until it is cleared up."""

    def __init__(self, text: str) -> None:
        super().__init__(f"ALARM: {text}")
