"""End cards as moving pictures: one for each language, size and quality, shared by all films that end with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..call import Call, Shape
from ..errors import CallError
from ..steps import Step
from .camera import STILL
from .encode import Cut, Feed, encode
from .endcard import Card
from .fonts import files
from .layout import LAYOUTS
from .run import versions
from .scene import Drawing
from .sizes import CARD_SECONDS, SIZES, frames
from .storyboard import Layer

if TYPE_CHECKING:
    from .paint import Pixels


@dataclass(frozen=True)
class CardFilm:
    """An end card of a language, encoded so that it can be joined to a body of the same size, quality and rate."""

    call: Call
    card: Card
    shape: Shape
    size: tuple[int, int]
    crf: int
    rate: int

    @property
    def path(self) -> Path:
        """Where it lies: equal cards lie in one place."""
        look = hashlib.sha256(repr((self.card, self.shape, self.size, self.crf, self.rate)).encode()).hexdigest()[:8]
        name = f"{self.card.tongue.tag}-{self.size[0]}x{self.size[1]}-{look}.mp4"
        return self.call.built / "parts" / "cards" / name

    def step(self) -> Step:
        """The step that makes it."""
        look = repr((self.card, self.shape, self.size, self.crf, self.rate))
        recipe = "\0".join(["card", versions(), look])
        return Step("cards", (self.path,), (self.call.logo, *files()), recipe, partial(self._make, self.path.name))

    def _make(self, name: str, fresh: Path) -> None:
        count = frames(CARD_SECONDS, self.rate)
        drawn = Feed.drawn(self.shape, self.rate, card_frames(self.card, self.shape, self.size, self.rate), self.size)
        feed = replace(drawn, filters=f"{drawn.filters},tpad=stop_mode=clone:stop={count}")  # the last picture stays
        encode(feed, [Cut(name, self.shape, self.size, self.crf, every=CARD_SECONDS)], count, fresh)


def card_frames(card: Card, shape: Shape, size: tuple[int, int], rate: int) -> Iterator[Pixels]:
    """The frames of a card until nothing moves; CallError where its QR code would not have whole pixels in a size."""
    from .paint import Painter  # noqa: PLC0415 as in sources.py

    if LAYOUTS[shape].module * size[0] % SIZES[shape][0]:
        raise CallError(f"An end card of {size[0]}x{size[1]} pixels has no sharp QR code: use another size.")
    drawing, painter = Drawing.of(card.svg(shape)), Painter(shape, size)
    last = drawing.text(CARD_SECONDS, STILL, shape)
    for number in range(frames(CARD_SECONDS, rate)):
        text = drawing.text(number / rate, STILL, shape)
        yield painter.paint([Layer(drawing, STILL, text, 1)])
        if text == last:
            return
