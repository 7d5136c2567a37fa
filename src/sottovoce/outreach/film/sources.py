"""Where the pictures of a body come from: a storyboard that is drawn, or a master film that is decoded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..call import Shape, Video
from ..errors import CallError
from .camera import moves_alone
from .encode import Feed
from .fonts import files
from .master import Master, read_master
from .sizes import RATE, frames
from .storyboard import Storyboard

if TYPE_CHECKING:
    from .paint import Pixels

_FOR_SQUARE = re.compile(r'data-only="[^"]*1x1')


@dataclass(frozen=True)
class Drawn:
    """A video's storyboard."""

    video: Video
    name = "drawn"
    rate = RATE

    @property
    def seconds(self) -> float:
        """How long it is without a card, in whole frames."""
        return frames(self.video.file.seconds) / RATE

    @cached_property
    def inputs(self) -> tuple[Path, ...]:
        """The files that decide its pictures."""
        file = self.video.file
        names = dict.fromkeys([scene.picture for scene in file.scenes] + [file.overlay] * bool(file.overlay))
        return (*(self.video.folder / name for name in names), *files())

    @property
    def recipe(self) -> str:
        """All else that decides them."""
        return msgspec.json.encode((self.video.file.scenes, self.video.file.overlay)).decode()

    def drawn_as(self, shape: Shape) -> Shape:
        """The shape that is drawn for another one: a square is cut out of the wide shape, where it has nothing own."""
        if shape != "1x1" or moves_alone(self.video.file.scenes, "1x1"):
            return shape
        drawings = [path for path in self.inputs if path.suffix.lower() == ".svg"]
        pictures = any(not scene.picture.lower().endswith(".svg") for scene in self.video.file.scenes)
        own = pictures or any(
            path.exists() and _FOR_SQUARE.search(path.read_text("utf-8", "replace")) for path in drawings
        )
        return "1x1" if own else "16x9"

    def feed(self, shape: Shape) -> Feed:
        """All its frames, drawn one by one."""
        return Feed.drawn(shape, RATE, self._frames(shape, range(frames(self.seconds))))

    def still(self, shape: Shape, t: float) -> Feed:
        """Its frame at a time."""
        return Feed.drawn(shape, RATE, self._frames(shape, [frames(t)]))

    def _frames(self, shape: Shape, numbers: range | list[int]) -> Iterator[Pixels]:
        from .paint import Painter  # noqa: PLC0415 Skia takes long to load: a build with nothing to paint does without

        board, painter = Storyboard(self.video), Painter(shape)
        return (painter.paint(board.frame(number, shape)) for number in numbers)


@dataclass(frozen=True)
class Filmed:
    """A master film of a video: the one for all languages, or a language's own."""

    video: Video
    name: str
    master: Master

    @property
    def seconds(self) -> float:
        """How long it is without a card, in whole frames."""
        return self.master.seconds

    @property
    def rate(self) -> int:
        """Frames a second."""
        return self.master.rate

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The files that decide its pictures."""
        return (self.master.path,)

    @property
    def recipe(self) -> str:
        """All else that decides them."""
        return msgspec.json.encode(self.video.file.shots).decode()

    def drawn_as(self, shape: Shape) -> Shape:
        """Each shape is fitted on its own."""
        return shape

    def feed(self, shape: Shape) -> Feed:
        """All its frames, each shot fitted into the shape."""
        return self.master.feed(self.video.file.shots, shape)

    def still(self, shape: Shape, t: float) -> Feed:
        """Its frame at a time."""
        return self.master.still(self.video.file.shots, shape, t)


Source = Drawn | Filmed


def source_of(video: Video, language: str) -> Source:
    """What a language sees of a video; CallError where the video says neither scenes nor a master."""
    file, own = video.file, video.file.own.get(language)
    if own and own.master:
        return Filmed(video, f"master-{language}", read_master(video.folder / own.master))
    if file.master:
        return Filmed(video, "master", read_master(video.folder / file.master))
    if not file.scenes or file.seconds <= 0:
        raise CallError(f"{video.folder / 'video.toml'} has neither a master nor scenes and their seconds: write one.")
    return Drawn(video)
