"""A drawing over all scenes of a film: what is drawn is the same in all languages, its words are each language's own.

So the drawing is painted once with the scenes, and the words are burnt in with the captions. Each text of it is a key:
{label} says what kind of film this is, the others stand in texts/LANGUAGE.toml. `serif` and `sans-serif` are typefaces
of the language; data-fit is the widest that a line may be. Words stay in their place, and change in opacity only.
"""

from __future__ import annotations

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
from .motion import Motion, at, take_motion
from .outline import TEXT
from .scene import Drawing, parse
from .sizes import SIZES

LABEL = "label"
_KEY = re.compile(r"\{(\w+)\}")
_ANCHORS: dict[str, Anchor] = {"start": "start", "middle": "middle", "end": "end"}
_HANDED_DOWN = ("font-family", "font-size", "font-weight", "fill", "text-anchor", "transform")
_FOREVER = 86_400.0
_BOLD = 600  # and all weights above


@dataclass(frozen=True)
class Word:
    """One text of an overlay: its key and look, and the movements that it lies in, from the outermost to its own."""

    key: str
    look: Mapping[str, str]
    motions: Sequence[Motion]
    opacity: float


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
    key = _KEY.fullmatch((text.text or "").strip())
    if key is None:
        raise ValueError(f'"{text.text}" must be a key in braces, as {{title}}: its words stand in texts/LANGUAGE.toml')
    own = {"x": text.get("x", "0"), "y": text.get("y", "0"), "fit": text.attrib.pop("data-fit", "")}
    moved = take_motion(text)
    all_motions = (*motions, moved) if moved else motions
    if "transform" in look or any(motion.values or motion.tracks.keys() - {"opacity"} for motion in all_motions):
        raise ValueError(f'"{key[0]}" must stay in its place: words change in opacity only')
    return Word(key[1], {**look, **own}, all_motions, opacity)


def _shown(word: Word, text: str, tongue: Tongue, shape: Shape, rate: int) -> Iterator[str]:
    """One event for each time between two changes of opacity."""
    line = _inscription(word, text, tongue, shape)
    tracks = [motion.tracks["opacity"] for motion in word.motions if "opacity" in motion.tracks]
    times = sorted({0.0, _FOREVER, *(t for track in tracks for t, _ in track)})
    for start, end in pairwise(times):
        first, last = (_opacity(word, tracks, t) for t in (start, end))
        if first or last:
            yield line.fading(start, end, first, last, rate)


def _opacity(word: Word, tracks: Sequence[Sequence[tuple[float, float]]], t: float) -> float:
    opacity = word.opacity
    for track in tracks:
        opacity *= at(tuple(track), t)
    return opacity


def _inscription(word: Word, text: str, tongue: Tongue, shape: Shape) -> Inscription:
    look, (width, height) = word.look, SIZES[shape]
    bold = int(look.get("font-weight", "400").replace("bold", "700").replace("normal", "400")) >= _BOLD
    letters = Letters(tongue, serif=look.get("font-family") == "serif", bold=bold)
    size = float(look.get("font-size", "40"))
    if look["fit"]:
        size = min(size, size * float(look["fit"]) / max(1, letters.width(text, size)))
    x, y = width / 2 + float(look["x"]), height / 2 + float(look["y"])
    anchor = _ANCHORS[look.get("text-anchor", "start")]
    return Inscription(text, letters, size, x, y, anchor, look.get("fill", "#000000"))
