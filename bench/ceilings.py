"""What one core of this machine could do at most: the bare work without anything of ours around it, per second."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sottovoce.protocol.keys import KemKey, kem_public
from sottovoce.protocol.sealing import SUITE
from sottovoce.protocol.sizes import ANSWER_EPOCHS, PLAINTEXT, SLOTS

_PLAIN = bytes(PLAINTEXT)
_TURN = 20


def per_second(work: Callable[[], object], seconds: float) -> float:
    """How often a second `work` can be done, one after the other."""
    work()
    begin, count = time.perf_counter(), 0
    while (took := time.perf_counter() - begin) < seconds:
        work()
        count += 1
    return count / took


def in_turns(work: Callable[[], object], bare: Callable[[], object], seconds: float) -> tuple[float, float]:
    """How often in a CPU second each can be done, in turns of some milliseconds: so both meet the same machine."""
    took, turns, begin = [0.0, 0.0], 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        for which, each in enumerate((work, bare)):
            start = time.process_time()
            for _ in range(_TURN):
                each()
            took[which] += time.process_time() - start
        turns += 1
    return turns * _TURN / took[0], turns * _TURN / took[1]


def opening() -> Callable[[], object]:
    """One HPKE decryption of an envelope, to be done often."""
    key = KemKey(secrets.token_bytes(32))
    sealed, private = SUITE.encrypt(_PLAIN, kem_public(key.public), b""), key.private
    return lambda: SUITE.decrypt(sealed, private, b"")


def seals(seconds: float) -> float:
    """HPKE encryptions of one envelope to a key that is known."""
    public = kem_public(KemKey(secrets.token_bytes(32)).public)
    return per_second(lambda: SUITE.encrypt(_PLAIN, public, b""), seconds)


def seals_stored(folder: Path, seconds: float) -> float:
    """HPKE encryptions, each written into SQLite by a full-sync commit of its own."""
    public = kem_public(KemKey(secrets.token_bytes(32)).public)
    base = sqlite3.connect(folder / "ceiling.sqlite3", isolation_level=None)
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = FULL")
    base.execute("CREATE TABLE envelope (tag BLOB PRIMARY KEY, sealed BLOB) WITHOUT ROWID")

    def work() -> None:
        sealed = SUITE.encrypt(_PLAIN, public, b"")
        base.execute("INSERT INTO envelope VALUES (?, ?)", (secrets.token_bytes(16), sealed))

    try:
        return per_second(work, seconds)
    finally:
        base.close()


def looks(seconds: float) -> float:
    """A visit's X25519 exchanges with all members, and the HMACs that make its 2,048 tags."""
    members = [X25519PrivateKey.generate().public_key() for _ in range(SLOTS)]

    def work() -> None:
        source = X25519PrivateKey.generate()
        for shared in map(source.exchange, members):
            for epoch in range(ANSWER_EPOCHS + 2):
                hmac.digest(shared, epoch.to_bytes(4, "big"), "sha512")

    return per_second(work, seconds)
