"""Sizes in pixels, frames and seconds that hold for all films."""

from __future__ import annotations

from ..call import Shape

SIZES: dict[Shape, tuple[int, int]] = {"16x9": (1920, 1080), "9x16": (1080, 1920), "1x1": (1080, 1080)}
HZ = 48_000  # samples of sound a second
RATE = 30  # phones show 60 pictures a second: 25 stumble there
CARD_SECONDS = 6  # its parts come in during the first 1.1; the rest is for typing, or for a pause
CLEAR = 0.35  # seconds before the card in which nothing lies over the picture: the card grows out of it
CREAM, INK, TEAL, CRIMSON = "#f4ecdc", "#16233b", "#0b6573", "#c9372a"


def frames(seconds: float, rate: int = RATE) -> int:
    """How many pictures fill a time."""
    return round(seconds * rate)
