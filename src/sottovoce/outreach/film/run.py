"""The programs that do the work: found, run, and asked for their versions."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from ..errors import CallError
from ..proof.programs import check_container

_PACKAGES = {"ffmpeg": "ffmpeg", "ffprobe": "ffmpeg", "espeak-ng": "espeak-ng", "rsvg-convert": "librsvg2-bin"}
_LIBRARIES = ("budoux", "numpy", "pillow", "segno", "skia-python")
FFMPEG = ("ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-y")


def run(*command: str, given: bytes | None = None, about: str = "") -> subprocess.CompletedProcess[bytes]:
    """Runs a program to its end; CallError with its last words when it is missing or fails; `about` is the file."""
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False)  # noqa: S603 our own choice
    except FileNotFoundError:
        raise missing(command[0]) from None
    if done.returncode != 0:
        raise failed(command[0], done.stderr, about)
    return done


def missing(program: str) -> CallError:
    """What is said where a program isn't installed."""
    return CallError(f"{program} is not installed: run `apt-get install {_PACKAGES.get(program, 'fontconfig')}`.")


def failed(program: str, said: bytes, about: str = "") -> CallError:
    """What is said where a program ended with a fault."""
    words = said.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it did not say why"]
    return CallError(f"{program} failed{f' with {about}' if about else ''}: {words[0]}. Check the file, or report it.")


def probe(path: Path) -> dict[str, Any]:
    """What ffprobe says of a film's or a sound's container and streams; CallError where it is none."""
    shown = "format=duration,size,format_name:format_tags:stream:stream_tags:stream_side_data"
    done = run(
        "ffprobe", "-v", "error", "-show_entries", shown, "-of", "json", f"file:{path}", about=str(path)
    )  # fmt: skip
    read: dict[str, Any] = json.loads(done.stdout)
    check_container(read, path)
    return read


@cache
def versions() -> str:
    """All that decides the bytes besides a call's own files: this package's code, libraries, and programs."""
    code = hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
    libraries = [f"{name} {metadata.version(name)}" for name in _LIBRARIES]
    asked = [("ffmpeg", "-version"), ("espeak-ng", "--version"), ("rsvg-convert", "--version")]
    with ThreadPoolExecutor(len(asked)) as pool:  # whoever builds anew waits for this each time
        return "\n".join([code.hexdigest(), *libraries, *pool.map(_first_line, asked)])


def _first_line(command: Sequence[str]) -> str:
    return run(*command).stdout.decode("utf-8", "replace").partition("\n")[0]
