"""How far two texts are apart: what looks almost like ours is a mistake of reading, or somebody's trick."""

from __future__ import annotations


def edits(one: str, other: str, most: int) -> int:
    """The least number of letters put in, taken out or changed that makes one of the other; above `most`, most + 1."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        before, row[0] = row[0], place
        for at, wanted in enumerate(other, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (letter != wanted))
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
