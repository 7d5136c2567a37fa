"""How finely a film is encoded for a platform, so that it keeps within the platform's bytes whatever it shows."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import CallError
from ..platforms import Platform
from .encode import BUFFER
from .sizes import CARD_SECONDS

_FINE, _COARSE = 18, 23  # x264's crf: not to be told from the drawing; good on a phone, a quarter of the bytes
_SMALL = 50_000_000  # what must be smaller is meant to be passed on, and its receivers pay for bytes
_USABLE = 0.94  # of the bytes: the rest is for the container, and for what signs the file
_CARD = 1_600  # kbit that a card may take
_NEVER = 20_000  # kbit/s that no film of ours reaches
_SOUND, _THIN_SOUND = 128, 48  # kbit/s
_LEAST = 100  # kbit/s below which pictures fall apart


class Quality(NamedTuple):
    """x264's crf, and ceilings in kbit/s of pictures (0: none) and sound."""

    crf: int
    kbps: int
    sound: int


def quality(platform: Platform, seconds: float) -> Quality:
    """For a body of so many seconds; CallError where a platform's bytes are too few for it."""
    if not platform.bytes_most:
        return Quality(_FINE, 0, _SOUND)
    room, whole = platform.bytes_most * 8 * _USABLE / 1_000, seconds + CARD_SECONDS
    sound = _SOUND if room / whole > 4 * _SOUND else _THIN_SOUND
    kbps = int((room - _CARD - sound * whole) / (seconds + BUFFER))
    if kbps < _LEAST:
        raise CallError(
            f"A film of {seconds:.0f} s is too long for {platform.name}, which takes {platform.bytes_most:,} bytes: "
            "shorten it, or take the platform out of the call."
        )
    return Quality(_COARSE if platform.bytes_most < _SMALL else _FINE, kbps if kbps < _NEVER else 0, sound)
