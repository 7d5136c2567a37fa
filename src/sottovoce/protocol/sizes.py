"""Sizes, names and the clock's units: all that the pool may know of the protocol (spec 1.2, 1.4)."""

from __future__ import annotations

VERSION = 1
ENVELOPE = 8_192  # two database pages, small enough to send ten over Tor while a person waits
ENCAPSULATED = 1_120  # X-Wing: ML-KEM-768 ciphertext and an X25519 key
AEAD_TAG = 16
PLAINTEXT = ENVELOPE - ENCAPSULATED - AEAD_TAG
TAG = 16
KEM_PUBLIC = 1_216  # X-Wing: ML-KEM-768 key and an X25519 key
HASH = 32
KEY = 32
MAC = 16
SLOTS = 16  # places in a roster: more devices than a newsroom's team has
QUARTERS = 4  # editions in an epoch: an answer waits six hours at most

EPOCH_SECONDS = 86_400
EDITION_SECONDS = EPOCH_SECONDS // QUARTERS
ANSWER_EPOCHS = 30  # a source who looks once a month misses nothing


def epoch_of(now: float) -> int:
    """The epoch (whole UTC days since 1970-01-01) of a time in Unix seconds (spec 1.2)."""
    return int(now // EPOCH_SECONDS)


def edition_of(now: float) -> int:
    """The edition (quarters of an epoch since 1970-01-01) of a time in Unix seconds (spec 1.2)."""
    return int(now // EDITION_SECONDS)
