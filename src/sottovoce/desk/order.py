"""The order in which messages are shown: only as much as is known of it (spec 6.5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple


class Item(NamedTuple):
    """What decides a message's place: its edition, whether it came in, its id, and the id that it came after."""

    edition: int
    incoming: bool
    id: bytes
    after: bytes | None


def in_order(items: Iterable[Item]) -> list[tuple[Item, bool]]:
    """All messages by edition; in one edition by `after`, else by id, and what came before what we answered.

    Each with whether its order among those that came in the same six hours is unknown.
    """
    ordered: list[tuple[Item, bool]] = []
    by_time = sorted(items, key=lambda item: (item.edition, not item.incoming, item.id))
    for (_, incoming), group in groupby(by_time, key=lambda item: (item.edition, item.incoming)):
        found = list(group)
        chain = _after(found) if incoming else found
        unknown = incoming and not _is_chain(chain)
        ordered += [(item, unknown) for item in chain]
    return ordered


def _after(items: Sequence[Item]) -> list[Item]:
    """Each after the one it names, if that is here; a ring, as hostile sources make it, is cut at its least id."""
    ids, following = {item.id for item in items}, defaultdict[bytes | None, list[Item]](list)
    for item in items:
        following[item.after if item.after in ids else None].append(item)
    ordered: dict[bytes, Item] = {}
    for start in [*following[None], *items]:
        stack = [start]
        while stack:  # one visit to its end before the next
            item = stack.pop()
            if item.id not in ordered:
                ordered[item.id] = item
                stack += reversed(following[item.id])
    return list(ordered.values())


def _is_chain(items: Sequence[Item]) -> bool:
    return all(item.after == before.id for before, item in pairwise(items))
