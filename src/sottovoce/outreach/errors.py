"""What can go wrong with a call; each is one sentence that says what is wrong and what to do."""

from __future__ import annotations


class CallError(Exception):
    """A call's folder, or a program that it needs, is not as it must be."""
