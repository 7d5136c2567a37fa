"""The programs that look into files, run one at a time: what they say, or one sentence."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from sottovoce.outreach.errors import CallError

_CONTAINERS = {
    "mov", "matroska", "avi", "mpegts", "mpeg", "flv", "asf", "wav", "w64", "aiff", "mp3", "flac", "ogg", "aac"
}  # fmt: skip
_SECONDS = 600  # no file of a call takes so long to look at


def said_by(*command: str | Path, allowed: tuple[int, ...] = (0,)) -> bytes:
    """What a program writes to its standard output; CallError where it is missing, or ends otherwise than `allowed`."""
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603  our own choice
    except FileNotFoundError:
        raise CallError(f"{command[0]} is missing: run `tools/setup call` on this machine first.") from None
    except subprocess.TimeoutExpired:
        raise CallError(f"{command[0]} did not come to an end with {command[-1]}: look at the file.") from None
    if done.returncode not in allowed:
        raise CallError(f"{command[0]} can't read {command[-1]}: it is damaged, or no file of its kind.")
    return done.stdout


def probe(path: Path) -> dict[str, Any]:
    """What ffprobe says of a film: `format`, `streams` and `chapters`; CallError where it is none."""
    shown = ("-show_format", "-show_streams", "-show_chapters")
    only = ("-v", "error", "-protocol_whitelist", "file", "-of", "json")
    said: dict[str, Any] = json.loads(said_by("ffprobe", *only, *shown, f"file:{path}"))
    check_container(said, path)
    return said


def check_container(said: dict[str, Any], path: Path) -> None:
    """CallError where a file is no real container: ffmpeg reads playlists, which open others, and texts, too."""
    name = said.get("format", {}).get("format_name", "").partition(",")[0]
    if name not in _CONTAINERS:
        raise CallError(f"{path} is no film or sound of a usual kind ({name or 'unknown'}): save it as MP4 or WAV.")
