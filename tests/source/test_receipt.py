"""A receipt says whether a message appears, and opens nothing."""

from __future__ import annotations

from hashlib import sha256

import pytest
from doubles.world import World

from sottovoce.source.conversation import tags_of
from sottovoce.source.errors import SourceError
from sottovoce.source.receipt import Appears, Receipt

LINK = bytes(range(16))
ENVELOPES = [bytes([part]) * 8_192 for part in range(3)]
FOUND = dict(zip(tags_of(LINK, 3), ENVELOPES, strict=True))
HASHES = {tag: sha256(envelope).digest() for tag, envelope in FOUND.items()}
FULL = Receipt(LINK, 3, sha256(b"".join(HASHES.values())).digest()[:8])
TAGS = list(FOUND)


def test_a_receipt_is_of_what_was_put(world: World) -> None:
    written = world.write("a" * 12_000)
    held = {tag: sha256(envelope).digest() for tag, (_, envelope) in world.envelopes().items()}
    receipt = Receipt.of(written, held)
    assert (receipt.tags, len(receipt.digest)) == (list(written.tags), 8)
    assert receipt.compare({tag: envelope for tag, (_, envelope) in world.envelopes().items()}) is Appears.WHOLE


@pytest.mark.parametrize("receipt", [FULL, Receipt(LINK, 16, b""), Receipt(LINK, 1, b"12345678")])
def test_a_receipt_comes_back_as_it_was_printed(receipt: Receipt) -> None:
    printed = receipt.encode()
    assert len(printed) == (50 if receipt.digest else 34)
    assert Receipt.read(printed) == Receipt.read(f" {printed[:10].upper()}\n{printed[10:]} ") == receipt


@pytest.mark.parametrize(
    "text", ["", "00", "zz" * 17, "00" * 17, "00" * 16 + "11", "00" * 16 + "01" * 8, "00" * 25 + "0"]
)
def test_what_is_no_receipt_is_told(text: str) -> None:
    with pytest.raises(SourceError, match="This is no receipt"):
        Receipt.read(text)


@pytest.mark.parametrize(
    ("found", "appears"),
    [
        (FOUND, Appears.WHOLE),
        ({}, Appears.NOT),
        ({bytes(16): ENVELOPES[0]}, Appears.NOT),
        ({TAGS[2]: ENVELOPES[2]}, Appears.PARTLY),
        ({**FOUND, TAGS[1]: ENVELOPES[0]}, Appears.CHANGED),
        (dict(zip(TAGS, reversed(ENVELOPES), strict=True)), Appears.CHANGED),
    ],
)
def test_what_a_receipt_says_of_the_editions(found: dict[bytes, bytes], appears: Appears) -> None:
    assert FULL.compare(found) is appears


def test_without_the_bytes_hashes_a_receipt_says_less() -> None:
    some = {TAGS[0]: HASHES[TAGS[0]], TAGS[1]: HASHES[TAGS[1]]}

    class Written:
        link, tags = LINK, TAGS

    receipt = Receipt.of(Written(), some)  # type: ignore[arg-type]  # all that is asked of it
    assert receipt.digest == b""
    assert receipt.compare({**FOUND, TAGS[1]: ENVELOPES[0]}) is Appears.WHOLE


def test_a_receipt_shows_nothing_in_a_repr() -> None:
    assert repr(LINK)[2:-1] not in repr(FULL)
