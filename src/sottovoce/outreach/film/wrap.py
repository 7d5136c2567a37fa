"""Where a line of text may break: at pauses first, never inside a word, and no closing mark begins a line.

Chinese has no spaces: budoux knows its phrases. All others break at spaces only. Widths are measured as they are shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

import budoux

from ..tongues import Tongue

_WIDE = "\u3000"  # the wide space that stands for a comma in Chinese captions
_NO_START = "，。、；：？！）》」』”’…·—％%,.;:?!)]»›،؛؟" + _WIDE  # noqa: RUF001
_NO_END = "（《「『“‘([«‹"  # noqa: RUF001
_CLOSING = "）》」』”’)]»›"  # noqa: RUF001
_PAUSES = tuple("，。、；：？！,.;:?!،؛؟…" + _WIDE)  # noqa: RUF001
_LATIN = re.compile(r"[A-Za-z0-9.\-_]+")
_AWKWARD, _WRONG = 0.5, 1.0  # what a break costs where nobody pauses, and where a reader stumbles; evenness: 0 to 1
_LINE = 0.4  # what a line more costs
Width = Callable[[str], float]


def wrap(text: str, tongue: Tongue, width: Width, most: float) -> list[str]:
    """Few lines of at most `most` pixels, as even as may be; a piece that is wider has a line of its own."""
    if width(text) <= most:
        return [text]
    parts = pieces(text, tongue)
    costs = [_cost(parts, end, tongue) for end in range(1, len(parts))] + [0.0]
    least = next((count for count in range(2, len(parts)) if _break(parts, costs, count, width, most)), len(parts))
    ways = [_break(parts, costs, count, width, most) for count in (least, least + 1)]
    found = [(cost + _LINE * len(lines), lines) for cost, lines in filter(None, ways)]
    return min(found)[1] if found else [_bare(part) for part in parts]


def pieces(text: str, tongue: Tongue) -> list[str]:
    """The parts of a text between which a line may break; joined, they are the text."""
    if not tongue.tag.startswith("zh"):
        return re.findall(r"\S+\s*", text)
    found: list[str] = []
    for phrase in _phrases(text, tongue):
        if found and (
            phrase.isspace() or phrase[0] in _NO_START or found[-1][-1] in _NO_END or _inside(found[-1], phrase)
        ):
            found[-1] += phrase
        else:
            found.append(phrase)
    return found


def _phrases(text: str, tongue: Tongue) -> list[str]:
    """Phrases without spaces in them: budoux was taught on texts that have none."""
    words = re.findall(rf"[^ {_WIDE}]+[ {_WIDE}]*", text)
    return [phrase for word in words for phrase in _parser(tongue.tag).parse(word)]


@cache
def _parser(tag: str) -> budoux.Parser:
    return budoux.load_default_traditional_chinese_parser() if tag == "zh-Hant" else (
        budoux.load_default_simplified_chinese_parser()
    )  # fmt: skip


def _inside(before: str, after: str) -> bool:
    """Whether a break would stand between the letters of one Latin word."""
    return _LATIN.fullmatch(before[-1] + after[0]) is not None


def _cost(parts: Sequence[str], end: int, tongue: Tongue) -> float:
    """What it costs to break after so many pieces: nothing at a pause, much inside brackets, words and names.

    A piece of one Chinese letter is a particle or half a word: both belong to what stands before.
    """
    before, after = _bare(parts[end - 1]), _bare(parts[end])
    if before.endswith(_PAUSES) or parts[end - 1].endswith(_WIDE):
        return 0
    so_far = "".join(parts[:end])
    inside = sum(map(so_far.count, _NO_END)) > sum(map(so_far.count, _CLOSING))
    half = tongue.tag.startswith("zh") and 1 in (len(before), len(after))
    return _AWKWARD + _WRONG * (inside + half + (before == "Tor"))


def _bare(line: str) -> str:
    return line.strip(" " + _WIDE)


def _break(
    parts: Sequence[str], costs: Sequence[float], count: int, width: Width, most: float
) -> tuple[float, list[str]] | None:
    """The best way into so many lines, and its cost; None where there is none."""
    wanted = width("".join(parts)) / count
    best: dict[int, tuple[float, tuple[str, ...]]] = {0: (0, ())}  # by the pieces used: cost and lines
    for _ in range(count):
        ways: dict[int, tuple[float, tuple[str, ...]]] = {}
        for first, (total, lines) in best.items():
            for end in range(first + 1, len(parts) + 1):
                line = _bare("".join(parts[first:end]))
                if (wide := width(line)) > most:
                    break
                way = (total + costs[end - 1] + ((wide - wanted) / most) ** 2, (*lines, line))
                ways[end] = min(way, ways.get(end, way))
        best = ways
    found = best.get(len(parts))
    return (found[0], list(found[1])) if found else None
