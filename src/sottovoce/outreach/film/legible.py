"""Whether the owner of a phone can read an end card: sizes and contrast, as they are 360 pixels wide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..call import Shape
from ..errors import CallError
from .sizes import CREAM, SIZES

PHONE = 360  # pixels: a phone held upright, also for a wide film
Role = Literal["address", "words", "small"]
LEAST_SIZE: dict[Role, float] = {
    "address": 16,
    "words": 8,
    "small": 5,
}  # pixels there; a wide film is turned or enlarged
LEAST_CONTRAST: dict[Role, float] = {"address": 4.5, "words": 7, "small": 4.5}  # WCAG 2.2: AA for large letters is 3


@dataclass(frozen=True)
class Text:
    """One line on a card. With `rtl`, x is its right edge where it begins; `width` is what it takes."""

    role: Role
    text: str
    x: float
    y: float
    size: float
    width: float
    family: str
    fill: str
    bold: bool = True
    opacity: float = 1
    rtl: bool = False


def check_legible(texts: Sequence[Text], shape: Shape, background: str = CREAM) -> None:
    """CallError for the first line that is too small, too pale, or leaves the picture at a phone's width."""
    width, height = SIZES[shape]
    for text in texts:
        seen = text.size * PHONE / width
        if seen < LEAST_SIZE[text.role]:
            raise CallError(f'"{text.text}" would be {seen:.1f} pixels high on a phone: make it shorter.')
        ratio = contrast(mixed(text.fill, background, text.opacity), background)
        if ratio < LEAST_CONTRAST[text.role]:
            raise CallError(f'"{text.text}" is too pale on the end card ({ratio:.1f} to 1): take a darker colour.')
        left = text.x - text.width * text.rtl
        if left < -width / 2 or left + text.width > width / 2 or not -height / 2 < text.y < height / 2:
            raise CallError(f'"{text.text}" does not fit on the end card in {shape}: make it shorter.')


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mixed(fill: str, background: str, opacity: float) -> str:
    """What a colour looks like, laid over another one."""
    pairs = zip(_parts(fill), _parts(background), strict=True)
    return "#" + "".join(f"{round(opacity * over + (1 - opacity) * under):02x}" for over, under in pairs)


def _parts(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if (c := part / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for part in _parts(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
