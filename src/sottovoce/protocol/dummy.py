"""Dummies: envelopes that nobody can open, made exactly like real ones (spec 5.9)."""

from __future__ import annotations

from collections.abc import Callable

from .envelope import TO_DESK
from .keys import KemKey
from .sealing import binding, seal
from .sizes import KEY, PLAINTEXT, TAG


def make_dummy(random: Callable[[int], bytes], org: bytes, epoch: int) -> tuple[bytes, bytes]:
    """A random tag, and a real sealing of zeros to a fresh key that is thrown away.

    Random bytes would not do: ML-KEM's compression is biased, and one envelope is enough to tell with 97 %.
    """
    tag = random(TAG)
    return tag, seal(bytes(PLAINTEXT), KemKey(random(KEY)).public, binding(org, TO_DESK, epoch, tag))
