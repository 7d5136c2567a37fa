"""Captions as people write them: SubRip files, and WebVTT for platforms that want it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import CallError

_TIMES = re.compile(r"(\d+):([0-5]\d):([0-5]\d)[,.](\d{3}) --> (\d+):([0-5]\d):([0-5]\d)[,.](\d{3})")


@dataclass(frozen=True)
class Cue:
    """One caption: `start` and `end` in milliseconds since the film began, and its lines joined by line feeds."""

    start: int
    end: int
    text: str


def read_srt(path: Path) -> list[Cue]:
    """The cues of a file, in its order; CallError with the number of the first one that is none."""
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise CallError(
            f"{path} is missing: write the captions of this language, or take it out of the call."
        ) from None
    except UnicodeDecodeError:
        raise CallError(f"{path} is not text in UTF-8: save it as UTF-8.") from None
    blocks = [block for block in re.split(r"\n[ \t]*\n+", text.replace("\r\n", "\n").strip()) if block]
    return [_cue(path, number, block) for number, block in enumerate(blocks, 1)]


def _cue(path: Path, number: int, block: str) -> Cue:
    lines = block.split("\n")
    times = _TIMES.fullmatch(lines[1].strip()) if len(lines) > 2 and lines[0].strip().isdigit() else None
    if times is None:
        raise CallError(
            f"{path}: caption {number} has no number, times (00:00:01,500 --> 00:00:03,000) and text below: mend it."
        )
    parts = [int(part) for part in times.groups()]
    start, end = (((h * 60 + m) * 60 + s) * 1_000 + ms for h, m, s, ms in (parts[:4], parts[4:]))
    return Cue(start, end, "\n".join(line.strip() for line in lines[2:]))


def srt(cues: Sequence[Cue]) -> str:
    """Cues as a SubRip file."""
    return "\n".join(
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{cue.text}\n"
        for number, cue in enumerate(cues, 1)
    )


def vtt(cues: Sequence[Cue]) -> str:
    """Cues as a WebVTT file."""
    body = "\n".join(f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{_escaped(cue.text)}\n" for cue in cues)
    return f"WEBVTT\n\n{body}"


def _time(ms: int, mark: str) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1_000 % 60:02}{mark}{ms % 1_000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
