"""How long films and sounds are, as ffprobe reads them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ..call import Video
from ..errors import CallError
from ..film.run import probe


class Length(NamedTuple):
    """A file's seconds, and whether it has pictures and sound."""

    seconds: float
    pictures: bool
    sound: bool


def length(path: Path) -> Length:
    """What a film or a sound holds; CallError where ffprobe can't read it."""
    status = path.stat()
    return _length(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _length(path: Path, _time: int, _size: int) -> Length:
    read = probe(path)
    kinds = {stream.get("codec_type") for stream in read.get("streams", ())}
    return Length(float(read.get("format", {}).get("duration", 0)), "video" in kinds, "audio" in kinds)


def seconds_of(video: Video, language: str = "") -> float:
    """A film's seconds in a language, without its card; 0 where nobody can say yet."""
    own = video.file.own.get(language)
    master = (own.master if own else "") or video.file.master
    if not master:
        return video.file.seconds
    try:
        return length(video.folder / master).seconds
    except (CallError, OSError):
        return 0
