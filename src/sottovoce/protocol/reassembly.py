"""Joining parts that nothing authenticates one by one: the hash of the whole decides (spec 7.5).

Anybody who knows a message's id can seal further parts under it. So several candidates a part are kept, a few of
them, and the combinations are tried, a bounded number of them.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence

CANDIDATES = 4  # a part (spec 7.5.1): honest sources send one; who knows the id, an insider, can add some
TRIES = 4_096  # combinations (spec 7.5.2): with fifteen full parts less than a second of hashing
ORPHANS = 4_096  # later parts (spec 7.5.3) whose first part is not here: 28 MiB of a vault, and no more


def join_candidates(first: bytes, whole: bytes, candidates: Sequence[Sequence[bytes]]) -> list[bytes] | None:
    """The bodies of the later parts that give the hash `whole` after the body `first`; None when none do (spec 7.5.2).

    `candidates[i]` are the bodies known for part i + 1. At most TRIES combinations are looked at.
    """
    if not all(candidates):
        return None  # a part is missing: looking through the others would find nothing, and TRIES would not bound it
    tried = itertools.islice(_combinations(hashlib.sha256(first), candidates), TRIES)
    return next((bodies for digest, *bodies in tried if digest == whole), None)


def _combinations(begun: hashlib._Hash, candidates: Sequence[Sequence[bytes]]) -> Iterator[list[bytes]]:
    """Each combination as its hash, then its bodies; what is shared is hashed once."""
    if not candidates:
        yield [begun.digest()]
        return
    for body in candidates[0]:
        longer = begun.copy()
        longer.update(body)
        for digest, *rest in _combinations(longer, candidates[1:]):
            yield [digest, body, *rest]
