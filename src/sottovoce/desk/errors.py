"""The desk's faults: what a member asked for can't be done."""

from __future__ import annotations


class DeskError(Exception):
    """The desk can't do this; the text is one sentence that says what to do."""
