"""A drawing over all scenes of a film: what is drawn is the same in all languages, its words are each language's own.

So the drawing is painted once with the scenes, and the words are burnt in with the captions. Each text of it is a key:
{label} says what kind of film this is, the others stand in texts/LANGUAGE.toml. `serif` and `sans-serif` are typefaces
of the language; data-fit is the widest that a line may be. Words stay in their place, and change in opacity only.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ..call import Shape
from ..errors import CallError
from ..tongues import Tongue
from .ass import Anchor, Inscription
from .letters import Letters
from .motion import Motion, Track, at, take_motion
from .outline import TEXT
from .scene import Drawing, parse
from .sizes import SIZES

LABEL = "label"
_KEY = re.compile(r"\{(\w+)\}")
_ANCHORS: dict[str, Anchor] = {"start": "start", "middle": "middle", "end": "end"}
_HANDED_DOWN = ("font-family", "font-size", "font-weight", "fill", "text-anchor", "transform")
_FOREVER = 86_400.0
_BOLD = 600  # and all weights above
_WEIGHTS = {"normal": "400", "bold": "700"}
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")


@dataclass(frozen=True)
class Word:
    """One text of an overlay: its key, place and look, and the movements that it lies in, from the outermost in.

    x and y count from the centre; `fit` is the widest that it may be, or 0.
    """

    key: str
    x: float
    y: float
    size: float
    fit: float
    anchor: Anchor
    serif: bool
    bold: bool
    fill: str
    opacity: float
    motions: Sequence[Motion]

    def inscription(self, text: str, tongue: Tongue, shape: Shape) -> Inscription:
        """Words in its place."""
        letters, (width, height) = Letters(tongue, serif=self.serif, bold=self.bold), SIZES[shape]
        size = min(self.size, self.size * self.fit / max(1, letters.width(text, self.size))) if self.fit else self.size
        return Inscription(text, letters, size, width / 2 + self.x, height / 2 + self.y, self.anchor, self.fill)

    def opacity_at(self, t: float) -> float:
        """How much of it shows at a time."""
        return math.prod([self.opacity, *(at(track, t) for track in self.tracks)])

    @property
    def tracks(self) -> list[Track]:
        """All changes of its opacity."""
        return [motion.tracks["opacity"] for motion in self.motions if "opacity" in motion.tracks]


class Overlay:
    """An overlay, read: `drawing` is all of it but its words. Not to be shared between threads."""

    def __init__(self, path: Path) -> None:
        """Reads an SVG file; CallError where it is none, or where words in it move."""
        root = parse(path)
        try:
            self.words = list(_take_words(root, {}, (), 1))
            self.drawing = Drawing(root)
        except ValueError as error:
            raise CallError(f"{path} doesn't fit, mend it: {error}.") from None

    def says(self, key: str, shape: Shape) -> bool:
        """Whether a shape shows a key's words."""
        return any(word.key == key and self._is_on(word, shape) for word in self.words)

    def events(self, said: Mapping[str, str], tongue: Tongue, shape: Shape, rate: int) -> Iterator[str]:
        """The words of a language for a shape, as libass shows them."""
        for word in self.words:
            if not self._is_on(word, shape):
                continue
            if word.key not in said:
                raise CallError(
                    f"The overlay asks for {{{word.key}}}: write it in texts/{tongue.tag}.toml, among the film's words."
                )
            if said[word.key]:
                yield from _shown(word, said[word.key], tongue, shape, rate)

    def _is_on(self, word: Word, shape: Shape) -> bool:
        return all(motion.shown(shape, own_square=self.own_square) for motion in word.motions)

    @property
    def own_square(self) -> bool:
        """Whether something in it is for the square shape alone."""
        own = any("1x1" in motion.only for word in self.words for motion in word.motions)
        return own or self.drawing.own_square


def _take_words(
    element: ET.Element, look: Mapping[str, str], motions: tuple[Motion, ...], opacity: float
) -> Iterator[Word]:
    """Takes all texts out of a drawing."""
    for child in list(element):
        seen = {**look, **{name: value for name in _HANDED_DOWN if (value := child.get(name))}}
        pale = opacity * float(child.get("opacity", "1"))
        if child.tag == TEXT:
            element.remove(child)
            yield _word(child, seen, motions, pale)
        else:
            own = take_motion(ET.Element("copy", child.attrib))
            yield from _take_words(child, seen, (*motions, own) if own else motions, pale)


def _word(text: ET.Element, look: Mapping[str, str], motions: tuple[Motion, ...], opacity: float) -> Word:
    key, fit = _KEY.fullmatch((text.text or "").strip()), text.attrib.pop("data-fit", "0")
    if key is None:
        raise ValueError(f'"{text.text}" must be a key in braces, as {{title}}: its words stand in texts/LANGUAGE.toml')
    own = take_motion(text)
    motions = (*motions, own) if own else motions
    if "transform" in look or any(motion.values or motion.tracks.keys() - {"opacity"} for motion in motions):
        raise ValueError(f'"{key[0]}" must stay in its place: words change in opacity only')
    fill, weight = look.get("fill", "#000"), _WEIGHTS.get(look.get("font-weight", ""), look.get("font-weight", "400"))
    if not _COLOUR.fullmatch(fill):
        raise ValueError(f'"{key[0]}" must have a colour as #fff or #ffffff, not {fill}')
    return Word(
        key=key[1],
        x=float(text.get("x", "0")),
        y=float(text.get("y", "0")),
        size=float(look.get("font-size", "40")),
        fit=float(fit),
        anchor=_ANCHORS[look.get("text-anchor", "start")],
        serif=look.get("font-family") == "serif",
        bold=float(weight) >= _BOLD,
        fill=fill,
        opacity=opacity,
        motions=motions,
    )


def _shown(word: Word, text: str, tongue: Tongue, shape: Shape, rate: int) -> Iterator[str]:
    """One event for each time between two changes of opacity."""
    line = word.inscription(text, tongue, shape)
    times = sorted({0.0, _FOREVER, *(t for track in word.tracks for t, _ in track)})
    for start, end in pairwise(times):
        first, last = word.opacity_at(start), word.opacity_at(end)
        if first or last:
            yield line.fading(start, end, first, last, rate)
