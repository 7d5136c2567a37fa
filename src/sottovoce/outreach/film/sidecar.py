"""Captions as a file beside a film, where a platform takes one."""

from __future__ import annotations

from collections.abc import Sequence

from ..platforms import Platform
from ..srt import Cue, srt, vtt
from ..tongues import Tongue


def sidecar_name(platform: Platform, video: str, tongue: Tongue) -> str:
    """How a platform wants a captions file to be named."""
    return platform.caption.format(video=video, tag=tongue.tag, locale=tongue.locale)


def sidecar(name: str, cues: Sequence[Cue]) -> str:
    """The text of a captions file, by the ending of its name."""
    return vtt(cues) if name.endswith(".vtt") else srt(cues)
