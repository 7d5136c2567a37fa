"""The end card: whose film this is, where to write, and how to do so safely; one drawing a shape and language.

It begins as plain cream, out of which a film's last picture can grow; its parts come in during the first 1.1 seconds.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from ..call import Call, Shape
from ..errors import CallError
from ..tongues import TONGUES, Tongue
from ..words import words
from .compose import Composer
from .fonts import LATIN, face
from .legible import Text, check_legible
from .outline import GROUP, SVG, written
from .qr import qr_path
from .sizes import CREAM, CRIMSON, INK, SIZES

_COMES = {"code": ".05:0 .35:1", "name": ".3:0 .7:1", "address": ".45:0 .9:1", "rest": ".7:0 1.1:1"}  # seconds:opacity
_OWN_PLACE = ("viewBox", "width", "height", "x", "y", "preserveAspectRatio")
_LOGO = 100  # units that an organisation's sign is wide


@dataclass(frozen=True)
class Card:
    """What stands on a card in one language. `second` is the card's name where the language has another one."""

    tongue: Tongue
    name: str
    second: str
    address: str
    check_words: Sequence[str]
    type_it: str
    check: str
    notes: Sequence[str]
    label: str
    draft: str
    logo: str

    @classmethod
    def of(cls, call: Call, language: str, label: str, *, draft: bool) -> Card:
        """A call's card in a language; `label` says that a film is acted or made by a machine."""
        own, said = call.texts[language].organisation, words(language)
        return cls(
            tongue=TONGUES[language],
            name=own,
            second=call.card.name if call.card.name != own else "",
            address=call.address,
            check_words=call.card.check_words,
            type_it=said.type_it,
            check=said.check_words,
            notes=said.note_parts,
            label=label,
            draft=said.draft if draft else "",
            logo=read_logo(call.logo),
        )

    def svg(self, shape: Shape) -> str:
        """The drawing; CallError where something can't be read on a phone."""
        place = Composer(self.tongue, shape)
        parts: dict[str, list[Text]] = {
            "code": [],
            "name": list(place.names(self.name, self.second)),
            "address": [place.type_it(self.type_it), *place.address(self.address)],
            "rest": [*place.check(self.check, self.check_words), *place.notes(self.notes)],
        }
        parts["rest"] += [place.label(self.label)] if self.label else []
        check_legible([text for texts in parts.values() for text in texts], shape)
        shapes = {"code": self._code(place), "name": self._sign(place), "address": "", "rest": ""}
        drawn = "\n".join(_part(part, shapes[part], texts) for part, texts in parts.items())
        width, height = SIZES[shape]
        head = f'<svg xmlns="{SVG}" viewBox="{-width // 2} {-height // 2} {width} {height}">'
        ground = f'<rect x="{-width}" y="{-height}" width="{2 * width}" height="{2 * height}" fill="{CREAM}"/>'
        draft = draft_across(self.draft, self.tongue, shape) if self.draft else ""
        return f"{head}\n{ground}\n{drawn}\n{draft}</svg>\n"

    def _code(self, place: Composer) -> str:
        return f'<path d="{qr_path(self.address, *place.code, place.layout.module)}" fill="{INK}"/>'

    def _sign(self, place: Composer) -> str:
        (x, y), unit = place.logo, place.layout.logo[1]
        left, width = place.layout.x, place.layout.width
        rule = f'<rect x="{left}" y="{place.layout.rule}" width="{width}" height="5" fill="{CRIMSON}"/>'
        return f'<g transform="translate({x:g} {y}) scale({unit})">{self.logo}</g>{rule}'


def read_logo(path: Path) -> str:
    """An organisation's sign as a group of 100 units around the origin; CallError where the file is no drawing."""
    try:
        root = ET.fromstring(path.read_text("utf-8"))  # noqa: S314 the call's own file
        x, y, width, height = (float(part) for part in root.get("viewBox", "-50 -50 100 100").replace(",", " ").split())
        if not (width > 0 and height > 0):
            raise ValueError
    except FileNotFoundError:
        raise CallError(f"{path} is missing: put the organisation's sign there.") from None
    except (ET.ParseError, UnicodeDecodeError, ValueError):
        raise CallError(f"{path} is no SVG drawing with a viewBox that has a size: save it as plain SVG.") from None
    for name in _OWN_PLACE:
        root.attrib.pop(name, None)
    root.tag = GROUP
    root.set("transform", f"scale({_LOGO / width:g}) translate({-x - width / 2:g} {-y - height / 2:g})")
    return written(root)


def draft_across(word: str, tongue: Tongue, shape: Shape) -> str:
    """The word for a draft across a whole picture; pale enough that a QR code below it can still be read."""
    width, height = SIZES[shape]
    bold = face(tongue.sans, bold=True)
    size = round(min(0.8 * width / bold.width(word, 1), 0.4 * height))
    mark = Text("words", word, 0, 0, size, 0, bold.family, CRIMSON, opacity=0.3, rtl=tongue.rtl)
    return f'<g data-opacity="{_COMES["code"]}"><g transform="rotate(-18)">{_svg(mark, "middle")}</g></g>\n'


def _part(part: str, shapes: str, texts: Sequence[Text]) -> str:
    return f'<g data-opacity="{_COMES[part]}">{shapes}{"".join(_svg(text) for text in texts)}</g>'


def _svg(text: Text, anchor: str = "start") -> str:
    family = text.family if text.family == LATIN else f"{text.family}, {LATIN}"
    look = f'font-family="{family}" font-weight="{700 if text.bold else 400}" font-size="{text.size:.2f}"'
    turn = ' direction="rtl"' if text.rtl else ""
    return (
        f'<text x="{text.x:.1f}" y="{text.y:.1f}" {look} fill="{text.fill}" opacity="{text.opacity:g}"'
        f' text-anchor="{anchor}"{turn}>{escape(text.text)}</text>'
    )
