"""Pictures out of a film, sampled: all of it roughly, and its end closely, since that is where a card stands."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from sottovoce.outreach.errors import CallError

from .programs import probe, said_by

_END = 12.0  # seconds: a card of 6, and what a copy may have appended
_STEP = 0.5
_ROUGH_STEP = 2.0  # a card of six seconds is met three times
_MOST = 450  # pictures before the end, a quarter of an hour; of longer films the step is longer
_PAGES_MOST = 100  # some seconds each
_LARGEST = 1920  # pixels of a side: larger ones hold nothing more


def sampled(path: Path) -> Iterator[tuple[float, Image.Image]]:
    """Times in seconds and pictures of a film; the last ones first. CallError where it is none.

    A player may show another one of several streams than ffmpeg would: all are looked at. What does not say how long it
    is, as some recordings, is looked at from its beginning; what goes on after the end that it says, after that, too.
    """
    said = probe(path)
    seconds = float(said["format"].get("duration", 0))
    films = [each for each in said["streams"] if each.get("codec_type") == "video"]
    for stream in [number for number, each in enumerate(films) if not each.get("disposition", {}).get("attached_pic")]:
        begin = max(0.0, seconds - _END)
        if not seconds:
            yield from _pictures(path, stream, 0.0, _MOST * _ROUGH_STEP, _STEP)
            continue
        yield from _pictures(path, stream, begin, seconds, _STEP)
        if begin > 0:
            yield from _pictures(path, stream, 0.0, begin, max(_ROUGH_STEP, begin / _MOST))
        unsaid = ("-ignore_editlist", "1") if "mp4" in said["format"]["format_name"] else ()
        yield from _pictures(path, stream, seconds, seconds + _MOST * _ROUGH_STEP, _ROUGH_STEP, unsaid)


def subtitles(path: Path) -> Iterator[str]:
    """The texts of a film's own subtitles, as far as they are text."""
    count = sum(each.get("codec_type") == "subtitle" for each in probe(path)["streams"])
    only = ("-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe")
    for number in range(count):
        shown = ("-map", f"0:s:{number}", "-f", "srt", "-")
        said = said_by("ffmpeg", *only, "-i", f"file:{path}", *shown, allowed=tuple(range(256)))
        yield said.decode("utf-8", "replace")


def _pictures(
    path: Path, stream: int, begin: float, end: float, step: float, more: Sequence[str] = ()
) -> Iterator[tuple[float, Image.Image]]:
    fit = f"fps=1/{step},scale='min({_LARGEST},iw)':'min({_LARGEST},ih)':force_original_aspect_ratio=decrease"
    part = ("-ss", f"{begin:.3f}", "-t", f"{max(end - begin, step):.3f}", "-i", f"file:{path}")
    with tempfile.TemporaryDirectory() as folder:
        # Single pictures: a film can change its size within, and then no stream of raw pixels could be cut apart.
        # A file that claims to be a film may be a list of addresses: nothing but itself is opened.
        only = ("-nostdin", "-v", "error", "-protocol_whitelist", "file")
        said_by("ffmpeg", *only, *more, *part, "-map", f"0:v:{stream}", "-vf", fit, "-q:v", "2", f"{folder}/%05d.jpg")
        for made in sorted(Path(folder).glob("*.jpg")):
            number = int(made.stem) - 1
            with Image.open(made) as picture:
                yield begin + number * step, picture.convert("L")


def pages(path: Path, folder: Path, dots: int = 150) -> Sequence[Path]:
    """The pages of a PDF as pictures in a folder, in their order; `dots` an inch. CallError for none or too many."""
    said_by("pdftoppm", "-l", str(_PAGES_MOST + 1), "-r", str(dots), "-gray", "-png", path, folder / "page")
    made = sorted(folder.glob("page*.png"), key=lambda each: int(re.findall(r"\d+", each.stem)[-1]))
    if len(made) > _PAGES_MOST:
        raise CallError(f"{path.name} has more than {_PAGES_MOST} pages: cut it into parts, and name these.")
    return made
