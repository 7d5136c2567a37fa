"""The road's faults: Tor, its programs, its network."""

from __future__ import annotations


class OnionError(Exception):
    """Tor can't do what was asked; the text is one sentence that says what to do."""
