"""Text as shapes: what draws frames knows no typefaces, so each text of a drawing becomes paths, once.

Pango (by rsvg-convert) shapes and orders the text: Chinese, Korean, Cyrillic, and Persian with Latin words in it.
All texts of a drawing go in one run: each has a colour of its own, by which its paths are found again.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from ..errors import CallError
from .run import run

SVG = "http://www.w3.org/2000/svg"
TEXT, PATH, GROUP = (f"{{{SVG}}}{name}" for name in ("text", "path", "g"))
_INHERITED = (
    "font-family", "font-weight", "font-style", "font-size", "fill", "text-anchor", "letter-spacing", "direction",
)  # fmt: skip
_PLACED = ("x", "y", "dx", "dy", "{http://www.w3.org/XML/1998/namespace}space")
_KEPT = ("opacity", "transform", "id", "fill-opacity")
_HALF, _SCALE = 1_200, 4  # a drawing reaches this far from its centre; outlines are made this many times larger
_COLOUR = re.compile(r"fill:rgb\(([\d.]+)%,([\d.]+)%,([\d.]+)%\)")
_NUMBER = re.compile(r"\d+\.\d+")
_known: dict[str, tuple[str, ...]] = {}


def written(root: ET.Element) -> str:
    """A drawing as text, without prefixes: other libraries of this process may have taken the empty one for theirs."""
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    return ET.tostring(root, encoding="unicode")


def outline(root: ET.Element) -> None:
    """Puts groups of paths in the place of all <text> below an element; one text has one colour."""
    places = list(_texts(root, {}))
    sources = [_source(text, inherited) for _, _, text, inherited in places]
    _learn([source for source in dict.fromkeys(sources) if source not in _known])
    for (parent, index, text, inherited), source in zip(places, sources, strict=True):
        parent[index] = _group(text, inherited.get("fill", "#000"), _known[source])


def _texts(
    element: ET.Element, above: Mapping[str, str]
) -> Iterator[tuple[ET.Element, int, ET.Element, dict[str, str]]]:
    for index, child in enumerate(element):
        inherited = {**above, **{name: value for name in _INHERITED if (value := child.get(name)) is not None}}
        if child.tag == TEXT:
            yield element, index, child, inherited
        else:
            yield from _texts(child, inherited)


def _source(text: ET.Element, inherited: Mapping[str, str]) -> str:
    """The text alone, as it is shaped: without colour, movement and place of its group."""
    shape = {name: value for name, value in inherited.items() if name != "fill"}
    alone = ET.Element(TEXT, shape | {name: text.attrib[name] for name in _PLACED if name in text.attrib})
    alone.text = text.text
    alone.extend(text)
    return written(alone)


def _learn(sources: Sequence[str]) -> None:
    if not sources:
        return
    size = 2 * _HALF
    body = "".join(f'<g fill="#{number:06x}">{source}</g>' for number, source in zip(count(1), sources, strict=False))
    head = f'<svg xmlns="{SVG}" viewBox="{-_HALF} {-_HALF} {size} {size}"'
    whole = f'{head} width="{size * _SCALE}" height="{size * _SCALE}">{body}</svg>'
    made = ET.fromstring(run("rsvg-convert", "-f", "svg", given=whole.encode()).stdout)  # noqa: S314 made here
    found: dict[int, list[str]] = {number: [] for number in range(1, len(sources) + 1)}
    for path in made.iter(PATH):
        found[_number(path)].append(_NUMBER.sub(lambda match: f"{float(match[0]):.1f}", path.get("d", "")))
    for number, paths in found.items():
        _known[sources[number - 1]] = tuple(paths)


def _number(path: ET.Element) -> int:
    colour = _COLOUR.search(path.get("style", ""))
    if colour is None:
        raise CallError("rsvg-convert writes shapes in a way that this program doesn't know: report its version.")
    red, green, blue = (round(float(part) * 255 / 100) for part in colour.groups())
    return red << 16 | green << 8 | blue


def _group(text: ET.Element, fill: str, paths: Sequence[str]) -> ET.Element:
    kept = {name: value for name, value in text.attrib.items() if name in _KEPT or name.startswith("data-")}
    group = ET.Element(GROUP, {**kept, "fill": fill})
    inner = ET.SubElement(group, GROUP, {"transform": f"translate({-_HALF} {-_HALF}) scale({1 / _SCALE})"})
    inner.extend(ET.Element(PATH, {"d": path}) for path in paths)
    return group
