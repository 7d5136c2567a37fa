"""Text that others wrote, made harmless for a terminal."""

from __future__ import annotations

import unicodedata

_KEPT = ("\n", "\t", "\u200c", "\u200d")  # joiners are letters' business in Persian


def clean(text: str) -> str:
    """Hostile text for a terminal: without control characters and direction overrides, lines and tabs kept."""
    return "".join(c if c in _KEPT or unicodedata.category(c) not in ("Cc", "Cf") else "\ufffd" for c in text)
