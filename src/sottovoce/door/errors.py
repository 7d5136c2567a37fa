"""The door's errors: its texts can't be used."""

from __future__ import annotations


class TextsError(Exception):
    """A language's texts are missing, damaged, or of another version; the text says so, and what to do."""
