"""Captions that can be read: by the width of lines, the speed, and the times between them.

Times and lines: Netflix, Timed Text Style Guide, General Requirements (5/6 to 7 s, two lines, gaps of two frames); 16
characters a line in Korean, where Latin letters, spaces and stops count half, and 39 in Russian (the guides of these
languages). Chinese lines (16, counted in the same way) and all speeds are the usual ones of the same series; a picture
9x16 holds no more either.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ..call import Video
from ..srt import Cue
from .finding import Finding
from .lengths import seconds_of
from .parts import Parts


class Measure(NamedTuple):
    """The longest line, in characters, and the most of them that are read in a second."""

    line: float
    speed: float
    wide: bool = False  # what is not wide counts half


MEASURES = {
    "en": Measure(42, 20), "fa": Measure(42, 20), "ru": Measure(39, 20),
    "ko": Measure(16, 12, wide=True), "zh-Hans": Measure(16, 9, wide=True), "zh-Hant": Measure(16, 9, wide=True),
}  # fmt: skip
LINES_MOST = 2
LEAST, MOST = 800, 7_000  # milliseconds
GAP = 66  # milliseconds: two frames of 30 a second, rounded down as people write them
_SHARE = 0.7  # of the spoken language's captions: below that, some are missing


def captions(call: Parts) -> Iterator[Finding]:
    """What is wrong with the captions of each film in each language."""
    for video in call.videos:
        for language in call.languages:
            if (video.name, language) in call.captions:
                file, cues = call.path(video.captions(language)), call.captions[video.name, language]
                faults = [*_each(language, cues), *_between(cues), *_whole(call, video, language, cues)]
                yield from (Finding("captions", file, said) for said in faults)


def _each(language: str, cues: Sequence[Cue]) -> Iterator[str]:
    for number, cue in enumerate(cues, 1):
        if not cue.text.strip():
            yield f"Caption {number} is empty: write it, or take it out."
        elif cue.end - cue.start <= 0:
            yield f"Caption {number} ends before it begins: mend its times."
        else:
            yield from _one(number, cue, MEASURES[language])


def _one(number: int, cue: Cue, measure: Measure) -> Iterator[str]:
    lines, time = cue.text.split("\n"), cue.end - cue.start
    if len(lines) > LINES_MOST:
        yield f"Caption {number} has {len(lines)} lines, {LINES_MOST} are the most: make two captions of it."
    most = measure.line * (LINES_MOST if len(lines) == 1 else 1)  # the program breaks what stands in one line
    if (longest := max(width(line, measure) for line in lines)) > most:
        yield (
            f"Caption {number} has a line of {longest:g} characters, {most:g} are the most: "
            "say it shorter, or in two captions."
        )
    if not LEAST <= time <= MOST:
        yield f"Caption {number} is shown for {time / 1_000:g} s: show it for {LEAST / 1_000:g} to {MOST / 1_000:g} s."
    elif (speed := sum(width(line, measure) for line in lines) * 1_000 / time) > measure.speed:
        yield (
            f"Caption {number} asks for {speed:.1f} characters a second, {measure.speed:g} are the most: "
            "show it longer, or say it shorter."
        )


def width(line: str, measure: Measure) -> float:
    """How many characters a line counts as: marks that stand on others and joiners count nothing."""
    seen = [letter for letter in line if unicodedata.category(letter) not in ("Mn", "Cf")]
    if not measure.wide:
        return len(seen)
    return sum(1 if unicodedata.east_asian_width(letter) in "WF" else 0.5 for letter in seen)


def _between(cues: Sequence[Cue]) -> Iterator[str]:
    for number, (first, second) in enumerate(pairwise(cues), 2):
        gap = second.start - first.end
        if second.start < first.start:
            yield f"Caption {number} begins before caption {number - 1} does: put them into the order of time."
        elif gap < 0:
            yield f"Caption {number} begins {-gap} ms before caption {number - 1} has ended: end that one earlier."
        elif gap < GAP:
            yield f"Between captions {number - 1} and {number} are {gap} ms, {GAP} are the least: end one earlier."


def _whole(call: Parts, video: Video, language: str, cues: Sequence[Cue]) -> Iterator[str]:
    if not cues:
        yield "There is no caption in it: write them."
        return
    seconds = seconds_of(video, language)
    if seconds and cues[-1].end > seconds * 1_000:
        yield f"Caption {len(cues)} ends after the film, which has {seconds:g} s before its card: end it earlier."
    spoken = call.captions.get((video.name, video.file.spoken), ())
    if len(cues) < len(spoken) * _SHARE:
        yield f"It has {len(cues)} of the spoken language's {len(spoken)} captions: translate all of them."
