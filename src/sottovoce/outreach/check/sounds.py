"""What is heard: lines that are spoken once, by a voice that exists, and said to be synthetic where they are."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache

from ..call import Video
from ..film.run import missing
from ..film.sizes import CARD_SECONDS
from .films import media
from .finding import Finding
from .lengths import seconds_of
from .parts import Parts

_RATES = (80, 450)  # words a minute that espeak-ng speaks


def sounds(call: Parts) -> Iterator[Finding]:
    """What is wrong with each film's sound."""
    for video in call.videos:
        file = call.path(video.folder / "video.toml")
        yield from (Finding("sound", file, said) for said in [*_lines(video), *_voice(video)])
        yield from (Finding("synthetic", file, said) for said in _synthetic(video))
        for name in dict.fromkeys([video.file.sound.bed, *(line.file for line in video.file.sound.lines)]):
            yield from media(call, video, name, pictures=False)


def _lines(video: Video) -> Iterator[str]:
    ends = seconds_of(video) + CARD_SECONDS
    for number, line in enumerate(video.file.sound.lines, 1):
        if bool(line.say) == bool(line.file):
            yield f"Spoken line {number} must have either words to `say` or a `file`: give it one of them."
        if not 0 <= line.start < ends:
            yield f"Spoken line {number} begins at {line.start:g} s, the film ends at {ends:g}: begin it earlier."
    starts = [line.start for line in video.file.sound.lines]
    if starts != sorted(set(starts)):
        yield "The spoken lines are not in the order of time: let each begin after the one before."


def _voice(video: Video) -> Iterator[str]:
    sound = video.file.sound
    if any(line.say for line in sound.lines) and not sound.voice:
        yield "Lines are to be read by a voice, but none is named: name one of espeak-ng's as `voice`."
    if sound.voice and not _speaks(sound.voice):
        yield f"espeak-ng has no voice “{sound.voice}”: name one that `espeak-ng --voices` lists."
    if not _RATES[0] <= sound.rate <= _RATES[1]:
        yield f"A rate of {sound.rate} words a minute can't be spoken: take {_RATES[0]} to {_RATES[1]}."


def _synthetic(video: Video) -> Iterator[str]:
    file = video.file
    if any(line.say for line in file.sound.lines) and "voice" not in file.synthetic:
        yield 'A machine reads the spoken lines, but the film hides it: write synthetic = ["voice"].'
    if len(set(file.synthetic)) < len(file.synthetic):
        yield "Something is named twice in `synthetic`: name it once."


@cache
def _speaks(voice: str) -> bool:
    """Whether espeak-ng has a voice; CallError where the program is missing."""
    try:
        done = subprocess.run(  # noqa: S603 our own choice
            ["espeak-ng", "-q", "-v", voice, "--", ""],  # noqa: S607 the system's
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise missing("espeak-ng") from None
    return done.returncode == 0
