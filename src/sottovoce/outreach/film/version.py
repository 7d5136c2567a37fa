"""A video in one language: what is seen, said, written into its pictures, and shown at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..call import Call, Shape, Video, VideoText
from ..errors import CallError
from ..srt import Cue, read_srt
from ..tongues import TONGUES
from ..words import words
from .captions import Burnt
from .endcard import Card
from .overlay import LABEL
from .sources import Filmed, Source, source_of


@dataclass(frozen=True)
class Version:
    """A video of a call in one of its languages. `draft`: nobody signed off what it says."""

    call: Call
    video: Video
    language: str
    draft: bool

    @cached_property
    def source(self) -> Source:
        """Where its pictures come from."""
        return source_of(self.video, self.language)

    @cached_property
    def texts(self) -> VideoText:
        """What is said about it; CallError where that isn't written."""
        said = self.call.texts[self.language].videos.get(self.video.name)
        if said is None:
            raise CallError(f"texts/{self.language}.toml says nothing on {self.video.name}: write its title there.")
        return said

    @cached_property
    def cues(self) -> Sequence[Cue]:
        """Its captions."""
        return read_srt(self.video.captions(self.language))

    @cached_property
    def card(self) -> Card:
        """Its end card."""
        return Card.of(self.call, self.language, self._label(self.language), draft=self.draft)

    def burnt(self, shape: Shape, *, captions: bool, own: bool = False) -> Burnt:
        """What is burnt into its pictures. Without captions and an overlay, they are shared by all languages: their
        label is in the film's language, unless `own` is asked for."""
        own = own or captions or self._overlay is not None or self.source.name.startswith("master-")
        tag = self.language if own or self.video.file.spoken not in TONGUES else self.video.file.spoken
        mark = [words(tag).draft] if own and self.draft else []
        label = " · ".join([*mark, self._label(tag)]).removesuffix(" · ")
        said = {**self.texts.words, LABEL: label} if self._overlay else {}
        return Burnt(
            tongue=TONGUES[tag],
            shape=shape,
            seconds=self.source.seconds,
            rate=self.source.rate,
            label=label,
            cues=tuple(self.cues) if captions else (),
            overlay=self._overlay,
            words=tuple(sorted(said.items())),
        )

    @property
    def _overlay(self) -> Path | None:
        drawn = not isinstance(self.source, Filmed) and self.video.file.overlay
        return self.video.folder / self.video.file.overlay if drawn else None

    def _label(self, tag: str) -> str:
        return words(tag).label(dramatised=self.video.file.dramatised, synthetic=self.video.file.synthetic)
