"""All that a call says, as sentences with their place: texts, captions, spoken lines, words in pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ..call import Texts, Video
from ..srt import Cue
from .parts import Parts
from .plain import sentences

Kind = Literal["organisation", "text", "tag", "caption", "spoken"]
_ENDS = ".!?…؟。！？"  # noqa: RUF001
_UNSTOPPED = {"ko", "zh-Hans", "zh-Hant"}  # captions there often end without a stop: each is a sentence of its own


@dataclass(frozen=True)
class Passage:
    """A text in a language, in a file, at a place that a person finds ("lead", "caption 3")."""

    kind: Kind
    language: str
    file: str
    place: str
    text: str

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Its sentences."""
        return tuple(sentences(self.text))


def passages(call: Parts) -> Iterator[Passage]:
    """Every passage of the call."""
    for language, texts in call.texts.items():
        yield from _written(f"texts/{language}.toml", language, texts)
    for video in call.videos:
        for language in call.languages:
            cues = call.captions.get((video.name, language), ())
            yield from _captions(call.path(video.captions(language)), language, cues)
        yield from _spoken(call, video)


def _written(file: str, language: str, texts: Texts) -> Iterator[Passage]:
    def passage(kind: Kind, place: str, text: str) -> Passage:
        return Passage(kind, language, file, place, text)

    yield passage("organisation", "organisation", texts.organisation)
    yield passage("text", "title", texts.title)
    yield passage("text", "lead", texts.lead)
    yield from (passage("text", f"body {number}", text) for number, text in enumerate(texts.body, 1))
    for name, video in texts.videos.items():
        yield passage("text", f"title of {name}", video.title)
        yield passage("text", f"description of {name}", video.description)
        yield from (passage("tag", f"tags of {name}", tag) for tag in video.tags)
        yield from (passage("text", f"words of {name}", text) for text in video.words.values())


def _captions(file: str, language: str, cues: Sequence[Cue]) -> Iterator[Passage]:
    """Captions, each with those that go on with its sentence."""
    held, first = "", 1
    for number, cue in enumerate(cues, 1):
        held = f"{held} {cue.text.replace(chr(10), ' ')}".strip()
        if language in _UNSTOPPED or held.endswith(tuple(_ENDS)) or number == len(cues):
            yield Passage("caption", language, file, f"caption {first}", held)
            held, first = "", number + 1


def _spoken(call: Parts, video: Video) -> Iterator[Passage]:
    """What a synthetic voice reads; pinyin is no text of a language, the captions tell what it says."""
    sound = video.file.sound
    if "pinyin" in sound.voice:
        return
    for number, line in enumerate(sound.lines, 1):
        if line.say:
            file = call.path(video.folder / "video.toml")
            yield Passage("spoken", video.file.spoken, file, f"spoken line {number}", line.say)
