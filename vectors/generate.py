"""Writes the test vectors: one scenario a file, the bad ones under bad/, each with the layer that must refuse.

Running it again changes nothing. Sealing draws fresh randomness, so a stored envelope is kept
as long as it opens to the plaintext it should. PUBLISHED hold others' figures and are only checked.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sottovoce.pool.edition import Listed, edition_bytes
from sottovoce.protocol import cbor
from sottovoce.protocol.answer import Place
from sottovoce.protocol.body import Body
from sottovoce.protocol.envelope import (
    DESK_ROOM,
    SOURCE_ROOM,
    TO_DESK,
    TO_SOURCE,
    DeskPart,
    Header,
    LaterPart,
    SourcePart,
    body_hash,
    seen_bit,
    seen_bitmap,
    split,
)
from sottovoce.protocol.errors import PhraseError, Refused
from sottovoce.protocol.keys import KemKey, PairKey, SourceKeys, answer_epochs
from sottovoce.protocol.mailbox import CONTENT_MOST, ITEM
from sottovoce.protocol.sealing import binding, seal, unseal
from sottovoce.protocol.sizes import ENVELOPE, SLOTS
from sottovoce.protocol.words import Passphrase, parse
from sottovoce.trust.roster import FIRST_ORG, check_words, join_roots
from sottovoce.trust.signed import Claim

Scenario = dict[str, Any]
FOLDER = Path(__file__).parent
PUBLISHED = ("hpke", "xwing")
EPOCH = 20_780
LISTS = (
    *("english", "chinese_simplified", "chinese_traditional", "czech", "french", "italian"),
    *("japanese", "korean", "portuguese", "russian", "spanish", "turkish"),
)


def fixed(label: str, size: int = 32) -> bytes:
    """Bytes that look random and are the same every time."""
    return hashlib.sha256(b"sottovoce vectors " + label.encode()).digest()[:size]


def signer(label: str) -> Ed25519PrivateKey:
    """An Ed25519 key that is the same every time."""
    return Ed25519PrivateKey.from_private_bytes(fixed(label))


def device(slot: int) -> X25519PrivateKey:
    """The X25519 key of the device in `slot`."""
    return X25519PrivateKey.from_private_bytes(fixed(f"device {slot}"))


def public(key: X25519PrivateKey | Ed25519PrivateKey) -> bytes:
    """The raw public half."""
    return key.public_key().public_bytes_raw()


def root_claim(label: str) -> Claim:
    """The first root document of an organisation."""
    return Claim("root", FIRST_ORG, 1, EPOCH, EPOCH + 3_650, public(signer(label)))


FIRST_ROOT = root_claim("root").sign([signer("root")])
ROOT = join_roots([FIRST_ROOT])
ORG = hashlib.sha256(root_claim("root").payload()).digest()
OTHER = hashlib.sha256(root_claim("other root").payload()).digest()
MEMBERS = tuple(public(device(slot)) for slot in range(SLOTS))
SLOT_BODIES = [[MEMBERS[slot], public(signer(f"member {slot}")), f"device {slot}"] for slot in range(SLOTS)]
ROSTER = Claim("roster", ORG, 1, EPOCH, EPOCH + 180, [2, SLOT_BODIES])
ROSTER_RAW = ROSTER.sign([signer("root")])
ROSTER_HASH = hashlib.sha256(ROSTER.payload()).digest()
PHRASE = Passphrase(fixed("phrase", 16))
KEYS = SourceKeys(ORG, PHRASE)
DUTY = KemKey(fixed("duty"))
TAG, MESSAGE_ID = fixed("tag", 16), fixed("message id", 16)
TEXT = "There is a second ledger. 第二本账 دفتر دوم"
GOOD_BODY = Body(TEXT).encode()
INFO = binding(ORG, TO_DESK, EPOCH, TAG)
SEEN = seen_bitmap({seen_bit(EPOCH, EPOCH, 0, 0), seen_bit(EPOCH, EPOCH - 30, 15, 3)})
PLACE = Place(EPOCH, 5, 2)


def desk_part(body: bytes = GOOD_BODY) -> DeskPart:
    """Part 0 to the desk, its MACs zero."""
    return DeskPart(
        Header(TO_DESK, MESSAGE_ID), body, body_hash(body), ROSTER_HASH, KEYS.kem.public, KEYS.dh, KEYS.c, SEEN
    )


def with_macs(part: DeskPart, info: bytes = INFO) -> bytes:
    """The plaintext with the MACs that the source makes."""
    macs = (KEYS.pair(slot, member).mac(info, part.digest()) for slot, member in enumerate(MEMBERS))
    return replace(part, macs=b"".join(macs)).encode()


def pair_of(place: Place) -> PairKey:
    """K_i of the slot that answers."""
    return KEYS.pair(place.slot, MEMBERS[place.slot])


def source_info(place: Place) -> bytes:
    """The binding of an answer in `place`."""
    return binding(ORG, TO_SOURCE, place.epoch, pair_of(place).answer_tags(place.epoch)[place.n])


def source_part(body: bytes = GOOD_BODY, **header: int) -> SourcePart:
    """Part 0 of an answer, its MAC zero."""
    heading = Header(TO_SOURCE, MESSAGE_ID, **{"slot": PLACE.slot, "n": PLACE.n, **header})
    return SourcePart(heading, body, body_hash(body), received=3, newest=EPOCH - 1)


def with_mac(part: SourcePart, slot: int = PLACE.slot) -> bytes:
    """The plaintext with the MAC that the device in `slot` makes."""
    mac = KEYS.pair(slot, MEMBERS[slot]).mac(source_info(PLACE), part.digest())
    return replace(part, mac=mac).encode()


def changed(plaintext: bytes, offset: int, new: bytes) -> bytes:
    """`plaintext` with other bytes at `offset`."""
    return plaintext[:offset] + new + plaintext[offset + len(new) :]


def scenario(about: str, spec: str, **fields: object) -> Scenario:
    """One file's content: bytes become hex."""
    return {"about": about, "spec": spec.split(), **_hex(fields)}


def _hex(value: object) -> Any:
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {str(key): _hex(item) for key, item in value.items()}
        case list() | tuple():
            return [_hex(item) for item in value]
    return value


def sealed(stored: str, plaintext: bytes, key: KemKey, info: bytes, size: int = ENVELOPE) -> bytes:
    """The stored sealing, if it opens to `plaintext`; else a new one."""
    envelope = bytes.fromhex(stored)
    try:
        if unseal(envelope, key, info, size) == plaintext:
            return envelope
    except Refused:
        pass
    return seal(plaintext, key.public, info)


def passphrases() -> Iterator[tuple[str, Scenario]]:
    """Section 2."""
    cases = [
        {"mk": mk, "numbers": Passphrase(mk).numbers, "words": {name: Passphrase(mk).words(name) for name in LISTS}}
        for mk in (bytes(16), b"\xff" * 16, PHRASE.secret)
    ]
    yield "passphrase", scenario("16 bytes as words of twelve lists, and as numbers.", "2.1 2.2 2.3", cases=cases)
    numbers, words = " ".join(PHRASE.numbers), list(PHRASE.words())
    typed = {
        "Persian digits": numbers.translate({ord("0") + n: 0x06F0 + n for n in range(10)}),
        "Arabic digits": numbers.translate({ord("0") + n: 0x0660 + n for n in range(10)}),
        "full-width digits, ideographic spaces": numbers.translate(
            {ord("0") + n: 0xFF10 + n for n in range(10)} | {0x20: 0x3000}
        ),
        "no leading zeros, commas": ", ".join(str(int(number)) for number in PHRASE.numbers),
        "commas and semicolons of several scripts": "".join(
            number + mark
            for number, mark in zip(PHRASE.numbers, ",;\u060c\u061b\u3001\uff0c\uff1b,;\u060c\u061b ", strict=True)
        ),
        "words and numbers mixed, upper case": " ".join([*words[:6], *PHRASE.numbers[6:]]).upper(),
        "numbers without anything between": "".join(PHRASE.numbers),
        "dashes, dots, and what can't be seen": "-".join(f"\ufeff{word[:2]}\u00ad{word[2:]}." for word in words),
        "each word after its place": " ".join(f"{place}. {word}" for place, word in enumerate(words, 1)),
        "each word before its number": " ".join(map(" ".join, zip(words, PHRASE.numbers, strict=True))),
    }
    taken = [{"how": how, "lists": ["english"], "typed": text, "mk": PHRASE.secret} for how, text in typed.items()]
    taken += list(typed_in_other_lists())
    yield "passphrase_typed", scenario("Ways of typing that are taken.", "2.4", cases=taken)
    wrong = [words[:11], [*words, "zoo"], [*words[:4], "zzz", *words[5:]], ["2049", *words[1:]]]
    wrong += [["0", *words[1:]], [*words[:10], words[11], words[10]]]
    refused = [phrase_error(" ".join(each)) for each in wrong]
    yield "passphrase_refused", scenario("Typed words that are no passphrase, English list.", "2.4", cases=refused)


def typed_in_other_lists() -> Iterator[Scenario]:
    """Words of other lists than the English one, and of several."""
    simplified, traditional, korean, russian, french = (
        PHRASE.words(name) for name in ("chinese_simplified", "chinese_traditional", "korean", "russian", "french")
    )
    both = ["chinese_simplified", "chinese_traditional"]
    bare = "".join(c for c in unicodedata.normalize("NFD", " ".join(french)) if not unicodedata.combining(c))
    for how, lists, text in (
        ("Chinese words without spaces", both, "".join(simplified)),
        ("words of the second list", both, "\u3001".join(traditional)),
        ("Hangul as syllables", ["korean"], unicodedata.normalize("NFC", " ".join(korean))),
        ("Hangul as letters", ["korean"], unicodedata.normalize("NFD", " ".join(korean))),
        ("upper case", ["russian", "english"], " ".join(russian).upper()),
        ("without accents", ["french"], bare),
    ):
        yield {"how": how, "lists": lists, "typed": text, "mk": PHRASE.secret}


def phrase_error(typed: str) -> Scenario:
    """What `typed` is refused with."""
    try:
        parse(typed)
    except PhraseError as error:
        return {"typed": typed, "kind": error.kind, "count": error.count, "place": error.place}
    raise AssertionError("this should be refused")


def keys() -> Iterator[tuple[str, Scenario]]:
    """Sections 3 and 4."""
    both = [SourceKeys(org, PHRASE) for org in (ORG, OTHER)]
    cases = [
        {"org": each.org, "kem_seed": each.kem.seed, "kem": each.kem.public, "dh": each.dh, "c": each.c, "id": each.id}
        | {"sign": each.sign}
        for each in both
    ]
    yield (
        "source_keys",
        scenario("One passphrase at two organisations.", "3.1 3.3 3.4 3.5", mk=PHRASE.secret, cases=cases),
    )
    pairs = [
        {"slot": slot, "device": fixed(f"device {slot}"), "member": MEMBERS[slot]}
        | {"tags": KEYS.pair(slot, MEMBERS[slot]).tags, "macs": KEYS.pair(slot, MEMBERS[slot]).macs}
        for slot in (0, 5, 15)
    ]
    source = {"mk": PHRASE.secret, "org": ORG}
    yield "pair_keys", scenario("Pairwise keys, the same from both ends.", "4.1", **source, dh=KEYS.dh, cases=pairs)
    pair = pair_of(PLACE)
    tags = [{"epoch": epoch, "tags": pair.answer_tags(epoch)} for epoch in (0, EPOCH, 2**32 - 1)]
    first = pair.answer_tags(EPOCH)[0]
    parts = {part: pair.part_tag(first, part) for part in (1, 15)}
    yield "tags", scenario("Tags of answers and of later parts.", "4.2 4.3", key=pair.tags, cases=tags, parts=parts)
    looked = {"today": EPOCH, "epochs": list(answer_epochs(EPOCH))}
    yield "answer_epochs", scenario("The epochs in which a source looks, newest first.", "4.4", **looked)


def plaintexts() -> Iterator[tuple[str, Scenario]]:
    """Sections 5 and 6."""
    part, answer = desk_part(), source_part()
    common = {"org": ORG, "epoch": EPOCH, "message_id": MESSAGE_ID, "text": TEXT, "body": GOOD_BODY}
    ends: Scenario = {"mk": PHRASE.secret, "devices": [fixed(f"device {slot}") for slot in range(SLOTS)]}
    desk = {"tag": TAG, "roster_hash": ROSTER_HASH, "seen": SEEN, "binding": INFO, "digest": part.digest()}
    about = "A message to the desk: its plaintext, binding, digest and 16 MACs."
    plaintext = with_macs(part)
    yield "to_desk", scenario(about, "5.1 5.2 5.4 5.6 6.2", **common, **ends, **desk, plaintext=plaintext)
    tag, info = pair_of(PLACE).answer_tags(EPOCH)[PLACE.n], source_info(PLACE)
    place = {"slot": PLACE.slot, "n": PLACE.n, "received": 3, "newest": EPOCH - 1, "tag": tag}
    bound = {"binding": info, "digest": answer.digest(), "plaintext": with_mac(answer)}
    about = "An answer: its plaintext, binding, digest and MAC."
    yield "to_source", scenario(about, "5.1 5.3 5.4 5.6 6.2", **common, **ends, **place, **bound)
    later = LaterPart(Header(TO_DESK, MESSAGE_ID, part=1, parts=2), b"the rest")
    fields = {"message_id": MESSAGE_ID, "part": 1, "parts": 2, "body": later.body, "plaintext": later.encode()}
    yield "later_part", scenario("A later part to the desk.", "5.1", direction=TO_DESK, **fields)
    places = [(EPOCH + 1, 0, 0), (EPOCH, 0, 1), (EPOCH, 7, 3), (EPOCH - 30, 15, 3)]
    bits = {seen_bit(EPOCH, *each) for each in places}
    seen = {"today": EPOCH, "places": places, "bits": sorted(bits), "seen": seen_bitmap(bits)}
    yield "seen", scenario("The bitmap of answers that were seen: places are epoch, slot, n.", "5.5", **seen)


DESK_END: Scenario = {"way": "desk", "org": ORG, "epoch": EPOCH, "tag": TAG, "key": DUTY.seed, "slot": 5}
DESK_END |= {"device": fixed("device 5")}
SOURCE_END: Scenario = {"way": "source", "org": ORG, "epoch": EPOCH, "slot": PLACE.slot, "n": PLACE.n}
SOURCE_END |= {"mk": PHRASE.secret, "member": MEMBERS[PLACE.slot]}


def sealings() -> Iterator[tuple[str, str, Scenario, bytes, dict[str, str]]]:
    """Envelopes: name, about, the reader's end, the plaintext, spec and the layer that refuses."""
    part, good = desk_part(), with_macs(desk_part())

    def bad(layer: str, spec: str) -> dict[str, str]:
        return {"layer": layer, "spec": spec}

    yield "sealed_to_desk", "A message that opens.", DESK_END, good, {"spec": "5.7 7.1 7.2"}
    yield "sealed_to_source", "An answer that opens.", SOURCE_END, with_mac(source_part()), {"spec": "5.7 7.3 7.4"}
    for name, offset, new in [
        ("version", 0, b"\x02"),
        ("direction", 1, b"\x01"),
        ("part", 2, b"\x01"),
        ("parts_none", 3, b"\0"),
        ("parts_many", 3, b"\x11"),
        ("length", 4, (5_177).to_bytes(2, "big")),
        ("slot_to_desk", 6, b"\x05"),
        ("quarter_to_desk", 7, b"\x01"),
        ("padding", 7_055, b"\x01"),
    ]:
        about = f"Byte {offset} of the plaintext can't be."
        yield f"bad/header_{name}", about, DESK_END, changed(good, offset, new), bad("header", "5.1 7.2")
    beyond = changed(LaterPart(Header(TO_DESK, MESSAGE_ID, 1, 2), b"more").encode(), 2, b"\x02")
    yield "bad/header_part_beyond", "A third part of two.", DESK_END, beyond, bad("header", "5.1 7.2")
    for name, body in BODIES.items():
        plaintext = with_macs(desk_part(body))
        yield f"bad/body_{name}", "A body that is none.", DESK_END, plaintext, bad("body", "6.1 6.2 6.5 7.2")
    for name, about, other in [
        ("body_hash", "The body hash is another.", replace(part, body_hash=bytes(32))),
        ("body_kem_unreduced", "The ML-KEM key is not reduced.", replace(part, kem=b"\xff" * 1_184 + part.kem[1_184:])),
        ("body_kem_zero", "The X-Wing key's X25519 part is zero.", replace(part, kem=part.kem[:1_184] + bytes(32))),
    ]:
        yield f"bad/{name}", about, DESK_END, with_macs(other), bad("body", "3.2 7.2")
    about = "Another MAC in the reader's slot."
    yield "bad/authentication_mac", about, DESK_END, changed(good, 1_624 + 80, bytes(16)), bad("authentication", "7.2")
    about = "One bit of the text was changed after the MACs were made."
    altered = changed(good, 1_890, bytes([good[1_890] ^ 1]))
    yield "bad/authentication_altered", about, DESK_END, altered, bad("authentication", "5.4 7.2")
    about = "The source's X25519 key is zero."
    zero = replace(part, dh=bytes(32)).encode()
    yield "bad/authentication_dh_zero", about, DESK_END, zero, bad("authentication", "4.1 7.2")
    about = "The answer names another slot than that of its tag."
    yield "bad/header_slot", about, SOURCE_END, with_mac(source_part(slot=6)), bad("header", "7.4")
    about = "The answer names a slot that no roster has."
    yield "bad/header_slot_none", about, SOURCE_END, with_mac(source_part(slot=16)), bad("header", "5.1 7.4")
    about = "A member answered in a colleague's slot."
    yield "bad/authentication_slot", about, SOURCE_END, with_mac(source_part(), 6), bad("authentication", "7.4")


BODIES: dict[str, bytes] = {
    "no_text": bytes.fromhex("a0"),
    "text_is_bytes": bytes.fromhex("a1004161"),
    "no_map": bytes.fromhex("6161"),
    "text_key": bytes.fromhex("a2006161616100"),
    "long_head": bytes.fromhex("a100780161"),
    "key_twice": bytes.fromhex("a2006161006162"),
    "order": bytes.fromhex("a20100006161"),
    "indefinite": bytes.fromhex("bf006161ff"),
    "float": bytes.fromhex("a200616105f93c00"),
    "tag": bytes.fromhex("a200616105c100"),
    "trailing": bytes.fromhex("a100616100"),
    "utf8": bytes.fromhex("a10061ff"),
    "utf8_elsewhere": bytes.fromhex("a2006161" + "0561ff"),
    "cut": bytes.fromhex("a1006261"),
    "map_as_key": bytes.fromhex("a2006161" + "05a1a000"),
    "deep": bytes.fromhex("a200616105" + "81" * 6 + "00"),
    "after_short": bytes.fromhex("a2006161044f" + "00" * 15),
    "after_text": bytes.fromhex("a20061610470" + "61" * 16),
    "after_null": bytes.fromhex("a200616104f6"),
}


def envelopes(old: Mapping[str, Scenario]) -> Iterator[tuple[str, Scenario]]:
    """Sections 5.7 and 7, good and bad."""
    for name, about, end, plaintext, judged in sealings():
        key, info = (DUTY, INFO) if end is DESK_END else (KEYS.kem, source_info(PLACE))
        envelope = sealed(old.get(name, {}).get("envelope", ""), plaintext, key, info)
        shown: Scenario = {} if "layer" in judged else {"text": TEXT, "plaintext": plaintext}
        yield name, scenario(about, **(judged | end | shown), envelope=envelope)
        if name == "sealed_to_desk":
            yield from misread(envelope)


def misread(good: bytes) -> Iterator[tuple[str, Scenario]]:
    """A good envelope, cut, changed or read as what it is not."""
    cases: list[tuple[str, str, str, Scenario]] = [
        ("size_cut", "The last byte is missing.", "size", {"envelope": good[:-1]}),
        ("size_long", "One byte too much.", "size", {"envelope": good + b"\0"}),
        ("seal_flipped", "One bit is another.", "seal", {"envelope": changed(good, 4_000, bytes([good[4_000] ^ 1]))}),
        ("seal_organisation", "Sealed for another organisation.", "seal", {"org": OTHER}),
        ("seal_epoch", "Sealed for another epoch.", "seal", {"epoch": EPOCH + 1}),
        ("seal_tag", "It lies under another tag.", "seal", {"tag": fixed("other tag", 16)}),
        ("seal_key", "Another day's key.", "seal", {"key": fixed("other duty")}),
    ]
    for name, about, layer, other in cases:
        yield f"bad/{name}", scenario(about, "5.6 5.7", layer=layer, **(DESK_END | {"envelope": good} | other))


Laid = Sequence[tuple[bytes, bytes]]  # what lies in the pool: tag, plaintext
LONG_TEXT = "".join(f"{line:04}: what the ledger says on its page {line}.\n" for line in range(300))
HALF_TEXT = LONG_TEXT[: SOURCE_ROOM + 500]
SHORT = [GOOD_BODY[:20], GOOD_BODY[20:40], GOOD_BODY[40:]]  # a reader takes parts that are less full
DESK_TAGS = [TAG, *(fixed(f"tag {part}", 16) for part in range(1, 4))]
DESK_PARTS: Scenario = {key: value for key, value in DESK_END.items() if key != "tag"} | {"way": "desk_parts"}
DESK_MESSAGES: Scenario = DESK_PARTS | {"way": "desk_messages"}
SOURCE_PARTS: Scenario = SOURCE_END | {"way": "source_parts"}
SOURCE_TAGS = [
    pair_of(PLACE).answer_tags(PLACE.epoch)[PLACE.n],
    *(pair_of(PLACE).part_tag(pair_of(PLACE).answer_tags(PLACE.epoch)[PLACE.n], part) for part in range(1, 3)),
]


def later_parts(header: Header, bodies: Sequence[bytes]) -> list[LaterPart]:
    """The later parts of a message whose first has `header`."""
    return [LaterPart(replace(header, part=part), body) for part, body in enumerate(bodies[1:], 1)]


def desk_plaintexts(bodies: Sequence[bytes]) -> list[bytes]:
    """The plaintexts of one message to the desk."""
    header = Header(TO_DESK, MESSAGE_ID, parts=len(bodies))
    first = replace(desk_part(bodies[0]), header=header, body_hash=body_hash(b"".join(bodies)))
    return [with_macs(first), *(part.encode() for part in later_parts(header, bodies))]


def source_plaintexts(bodies: Sequence[bytes]) -> list[bytes]:
    """The plaintexts of one answer."""
    first = replace(source_part(bodies[0], parts=len(bodies)), body_hash=body_hash(b"".join(bodies)))
    return [with_mac(first), *(part.encode() for part in later_parts(first.header, bodies))]


def message(body: bytes, tag: bytes, message_id: bytes) -> tuple[bytes, bytes]:
    """A message of one part under a tag of its own."""
    part = replace(desk_part(body), header=Header(TO_DESK, message_id))
    return tag, with_macs(part, binding(ORG, TO_DESK, EPOCH, tag))


def good_pools() -> Iterator[tuple[str, str, str, Scenario, Laid]]:
    """Several envelopes that are read: name, about, spec, the reader's end, what lies in the pool."""
    three = desk_plaintexts(split(Body(LONG_TEXT).encode(), DESK_ROOM))
    about = "A message to the desk in three parts: open each, join the bodies in order of part, read the text."
    laid = list(zip(DESK_TAGS, three, strict=False))
    yield "several_to_desk", about, "5.8 7.1 7.2 7.5", DESK_PARTS | {"text": LONG_TEXT}, laid
    hostile = LaterPart(Header(TO_DESK, MESSAGE_ID, 1, 3), b"what an insider would have it say").encode()
    short = list(zip(DESK_TAGS, desk_plaintexts(SHORT), strict=False))
    about = "The same id has two second parts, an insider's and the source's: the body hash tells which."
    laid = [short[0], (DESK_TAGS[3], hostile), *short[1:]]
    yield "several_candidates", about, "5.8 7.2 7.5", DESK_PARTS | {"text": TEXT}, laid
    two = source_plaintexts(split(Body(HALF_TEXT).encode(), SOURCE_ROOM))
    about = "An answer in two parts: make the tags from the place, look each up among the envelopes, read the text."
    laid = list(zip(SOURCE_TAGS, two, strict=False))
    yield (
        "several_to_source",
        about,
        "4.3 5.8 7.3 7.4",
        SOURCE_PARTS | {"text": HALF_TEXT, "tags": SOURCE_TAGS[:2]},
        laid,
    )
    visit = [Body("First this."), Body("Then that.", after=MESSAGE_ID)]
    ids = [MESSAGE_ID, fixed("next message id", 16)]
    read = [{"text": body.text, "after": body.after, "message_id": each} for body, each in zip(visit, ids, strict=True)]
    laid = [message(body.encode(), tag, each) for body, tag, each in zip(visit, DESK_TAGS, ids, strict=False)]
    about = "Two messages of one visit, one envelope each; the second says after which it was written."
    yield "sealed_visit", about, "6.5 7.2", DESK_MESSAGES | {"messages": read}, laid


def bad_at_desk() -> Iterator[tuple[str, str, str, Laid]]:
    """Parts to the desk that give no message: name, about, layer, what lies in the pool."""
    laid = list(zip(DESK_TAGS, desk_plaintexts(SHORT), strict=False))
    header = Header(TO_DESK, MESSAGE_ID, 2, 3)
    other = LaterPart(replace(header, message_id=fixed("next message id", 16)), SHORT[2]).encode()
    changed_end = LaterPart(header, SHORT[2][:-2] + b"??").encode()  # a text still: the hash alone tells
    turned = [LaterPart(replace(header, part=part), SHORT[3 - part]).encode() for part in (1, 2)]
    one, two, three = laid
    yield "reassembly_missing", "The second of three parts is missing.", "reassembly", [one, three]
    yield "reassembly_first", "The first of three parts is missing.", "reassembly", [two, three]
    yield "reassembly_message", "The third part is another message's.", "reassembly", [one, two, (three[0], other)]
    again = [one, two, (three[0], two[1])]
    yield "reassembly_twice", "The second part lies under two tags, the third is missing.", "reassembly", again
    yield "body_joined", "The third part's body was changed.", "body", [one, two, (three[0], changed_end)]
    order = [one, (two[0], turned[0]), (three[0], turned[1])]
    yield "body_joined_order", "The second part's body and the third's changed places.", "body", order


def bad_at_source() -> Iterator[tuple[str, str, str, Laid]]:
    """Parts that give no answer: name, about, layer, what lies in the pool."""
    laid = list(zip(SOURCE_TAGS, source_plaintexts(SHORT), strict=False))
    header = Header(TO_SOURCE, MESSAGE_ID, 1, 3, PLACE.slot, PLACE.n)
    one, (tag, _), three = laid
    yield "reassembly_answer_missing", "The second of three parts is missing.", "reassembly", [one, three]
    cases: list[tuple[str, str, str, Scenario]] = [
        ("reassembly_answer_number", "is the third by its number", "reassembly", {"part": 2}),
        ("reassembly_answer_slot", "names another slot", "reassembly", {"slot": PLACE.slot + 1}),
        ("reassembly_answer_quarter", "names another quarter", "reassembly", {"n": PLACE.n + 1}),
        ("reassembly_answer_parts", "says that there are four", "reassembly", {"parts": 4}),
        ("reassembly_answer_message", "is another answer's", "reassembly", {"message_id": fixed("next", 16)}),
        ("header_answer_direction", "goes to the desk", "header", {"direction": TO_DESK, "slot": 0, "n": 0}),
        ("body_answer_joined", "was changed", "body", {}),
    ]
    for name, about, layer, fields in cases:
        part = LaterPart(replace(header, **fields), SHORT[1] if fields else b"?" + SHORT[1][1:])
        yield name, f"What lies under the second part's tag {about}.", layer, [one, (tag, part.encode()), three]
    only_later = LaterPart(header, SHORT[1]).encode()
    about = "A later part lies under the first part's tag."
    yield "reassembly_answer_later", about, "reassembly", [(one[0], only_later), laid[1], three]


def several(old: Mapping[str, Scenario]) -> Iterator[tuple[str, Scenario]]:
    """Messages and answers of several envelopes, and several messages, good and bad."""
    for name, about, spec, end, laid in good_pools():
        yield name, scenario(about, spec, **end, envelopes=pool(old.get(name, {}), end, laid))
    bad = [(DESK_PARTS, "5.8 7.2 7.5", each) for each in bad_at_desk()]
    bad += [(SOURCE_PARTS, "4.3 5.8 7.4", each) for each in bad_at_source()]
    for end, spec, (name, about, layer, laid) in bad:
        envelopes = pool(old.get(f"bad/{name}", {}), end, laid)
        yield f"bad/{name}", scenario(about, spec, layer=layer, **end, envelopes=envelopes)
    twice = [message(GOOD_BODY, tag, MESSAGE_ID) for tag in DESK_TAGS[:2]]
    envelopes = pool(old.get("bad/replay", {}), DESK_MESSAGES, twice)
    about = "Two messages with one id, read in this order: the first is taken, the second is a replay."
    yield "bad/replay", scenario(about, "7.2", layer="replay", **DESK_MESSAGES, refused=1, envelopes=envelopes)
    broken = [twice[0], message(BODIES["no_text"], DESK_TAGS[1], MESSAGE_ID)]
    others = pool(old.get("bad/replay_body", {}), DESK_MESSAGES, broken)
    about = "Two messages with one id; the second's body is none, but that it is a replay is seen before."
    yield "bad/replay_body", scenario(about, "7.2", layer="replay", **DESK_MESSAGES, refused=1, envelopes=others)
    moved = [dict(envelopes[0]), dict(envelopes[1]) | {"tag": DESK_TAGS[2]}]
    about = "Two messages: the first is taken, the second lies under another tag than it was sealed for."
    yield "bad/seal_second", scenario(about, "5.6 7.2", layer="seal", **DESK_MESSAGES, refused=1, envelopes=moved)


def pool(old: Scenario, end: Scenario, laid: Laid) -> list[dict[str, bytes]]:
    """What lies in the pool, sealed; what is stored is kept."""
    key, direction = (KEYS.kem, TO_SOURCE) if end["way"] == "source_parts" else (DUTY, TO_DESK)
    stored = [each["envelope"] for each in old.get("envelopes", [])] + [""] * len(laid)
    return [
        {"tag": tag, "envelope": sealed(before, plaintext, key, binding(ORG, direction, EPOCH, tag))}
        for (tag, plaintext), before in zip(laid, stored, strict=False)
    ]


TRANSPORT_KEY = KemKey(fixed("transport"))
RECEIPT = fixed("receipt", 16)
CONTENT = b"What one member sends to another."
MAILBOX_INFO = b"sottovoce/v1/mailbox" + ORG + b"\x07"
MAILBOX: Scenario = {"way": "mailbox", "org": ORG, "receiver": 7, "transport": TRANSPORT_KEY.seed}
MAILBOX |= {"signers": [public(signer(f"member {slot}")) for slot in range(SLOTS)]}


def item_signed(sender: int, receiver: int, transport: KemKey, content: bytes) -> bytes:
    """What a mailbox item's signature is over."""
    return b"sottovoce/v1/mailbox" + ORG + bytes([sender, receiver]) + transport.public + RECEIPT + content


def item_plaintext(
    content: bytes = CONTENT, device: int = 3, receiver: int = 7, transport: KemKey = TRANSPORT_KEY
) -> bytes:
    """A mailbox item in the name of slot 3, signed by the device of a slot."""
    signature = signer(f"member {device}").sign(item_signed(3, receiver, transport, content))
    head = bytes([1, 3, 7, 0]) + len(content).to_bytes(2, "big")
    return (head + RECEIPT + signature + content).ljust(11_152, b"\0")


def item_plaintexts() -> Iterator[tuple[str, str, str, bytes]]:
    """Items that open and are refused: name, about, layer, plaintext."""
    good = item_plaintext()
    yield "authentication_mailbox", "Another colleague signed it.", "authentication", item_plaintext(device=4)
    about = "It was signed for another slot."
    yield "authentication_mailbox_receiver", about, "authentication", item_plaintext(receiver=8)
    about = "It was signed for another transport key."
    yield "authentication_mailbox_key", about, "authentication", item_plaintext(transport=KemKey(fixed("next key")))
    about = "One bit of the content is another."
    yield "authentication_mailbox_content", about, "authentication", changed(good, 90, bytes([good[90] ^ 1]))
    about = "Another receipt."
    yield "authentication_mailbox_receipt", about, "authentication", changed(good, 6, bytes(16))
    for name, offset, new in [
        ("version", 0, b"\x02"),
        ("sender", 1, b"\x10"),
        ("receiver", 2, b"\x08"),
        ("zero", 3, b"\x01"),
        ("length", 4, (CONTENT_MOST + 1).to_bytes(2, "big")),
        ("padding", 11_151, b"\x01"),
    ]:
        about = f"Byte {offset} of the plaintext can't be."
        yield f"header_mailbox_{name}", about, "header", changed(good, offset, new)


def items(old: Mapping[str, Scenario]) -> Iterator[tuple[str, Scenario]]:
    """Section 10.2, good and bad."""

    def item(name: str, plaintext: bytes) -> bytes:
        return sealed(old.get(name, {}).get("item", ""), plaintext, TRANSPORT_KEY, MAILBOX_INFO, ITEM)

    plaintext = item_plaintext()
    good = item("mailbox", plaintext)
    shown = {"sender": 3, "receipt": RECEIPT, "content": CONTENT, "plaintext": plaintext}
    shown |= {"info": MAILBOX_INFO, "signed": item_signed(3, 7, TRANSPORT_KEY, CONTENT)}
    yield "mailbox", scenario("A mailbox item from slot 3 to slot 7.", "10.2", **MAILBOX, **shown, item=good)
    full = b"x" * CONTENT_MOST
    shown = {"sender": 3, "receipt": RECEIPT, "content": full, "plaintext": item_plaintext(full)}
    shown |= {"info": MAILBOX_INFO, "signed": item_signed(3, 7, TRANSPORT_KEY, full)}
    made = item("mailbox_full", item_plaintext(full))
    yield "mailbox_full", scenario("A mailbox item with no zeros after it.", "10.2", **MAILBOX, **shown, item=made)
    for name, about, layer, broken in item_plaintexts():
        sealed_item = item(f"bad/{name}", broken)
        yield f"bad/{name}", scenario(about, "10.2", layer=layer, **MAILBOX, item=sealed_item)
    cases: list[tuple[str, str, str, Scenario]] = [
        ("size_mailbox_cut", "The last byte is missing.", "size", {"item": good[:-1]}),
        ("size_mailbox_long", "One byte too much.", "size", {"item": good + b"\0"}),
        ("seal_mailbox_receiver", "It lies in another slot's mailbox.", "seal", {"receiver": 8}),
        ("seal_mailbox_key", "Another transport key.", "seal", {"transport": fixed("next key")}),
        ("seal_mailbox_organisation", "Another organisation's.", "seal", {"org": OTHER}),
        ("seal_mailbox_flipped", "One bit is another.", "seal", {"item": changed(good, 9, bytes([good[9] ^ 1]))}),
    ]
    for name, about, layer, other in cases:
        yield f"bad/{name}", scenario(about, "10.2", layer=layer, **(MAILBOX | {"item": good} | other))


def members(*slots: int) -> list[Ed25519PrivateKey]:
    """The signing keys of these slots."""
    return [signer(f"member {slot}") for slot in slots]


DUTY_KEYS = {epoch: KemKey(fixed(f"duty {epoch}")).public for epoch in range(EPOCH, EPOCH + 3)}
DUTY_CLAIM = Claim("duty", ORG, 1, EPOCH, EPOCH + 2, [ROSTER_HASH, DUTY_KEYS])
CARD_BODY = ["Anti-Corruption Office", ["example.onion"], ["en", "fa"], ["@office"], 1, 1]
CARD = Claim("card", ORG, 1, EPOCH, EPOCH + 365, CARD_BODY)
ACCESS = Claim("access", ORG, 1, EPOCH, EPOCH + 180, ["members.onion", {0: fixed("client 0"), 5: fixed("client 5")}])
LANGUAGES = Claim(
    "languages",
    ORG,
    1,
    EPOCH,
    EPOCH + 3_650,
    {"fa": [fixed("texts"), EPOCH], "zh-Hans": [fixed("other texts"), EPOCH - 9]},
)
ADVICE = Claim("advice", ORG, 1, EPOCH, EPOCH + 55, [EPOCH - 1, {"fa": "یک.\n\nدو.", "zh-Hant": "一"}])
TEXTS = Claim("texts", ORG, 1, EPOCH, EPOCH + 3_650, {"en": [fixed("said"), EPOCH], "fa": [fixed("texts"), EPOCH - 9]})
CALLS = Claim("calls", ORG, 1, EPOCH, EPOCH + 3_650, {"harbour": [fixed("list"), EPOCH + 90], "old-quay": [ORG, EPOCH]})
TRANSPORT = Claim("transport", ORG, 1, EPOCH, EPOCH + 7, [5, KemKey(fixed("transport 5")).public])
NOTICES = [
    Claim("absence", ORG, 1, EPOCH, EPOCH + 60, EPOCH + 9),
    Claim("compromise", ORG, 1, EPOCH, EPOCH + 365, 20_700),
]
ABSENCE, COMPROMISE = NOTICES
SUCCESSORS = [
    (Claim("root", ORG, serial, EPOCH, EPOCH + 3_650, public(signer(new))), [signer(old), signer(new)])
    for serial, old, new in [(2, "root", "second root"), (3, "second root", "third root")]
]
CHAIN = [FIRST_ROOT, *(claim.sign(signers) for claim, signers in SUCCESSORS)]
TRUST: Scenario = {"org": ORG, "root": ROOT, "roster": ROSTER_RAW, "today": EPOCH, "least": 1}


def signed_things() -> Iterator[tuple[str, Scenario]]:
    """Section 8, good."""
    by_root = [signer("root")]
    for claim, signers, spec in [
        (root_claim("root"), by_root, "8.4"),
        (ROSTER, by_root, "8.5"),
        (DUTY_CLAIM, members(0, 7), "8.6"),
        (CARD, by_root, "8.7"),
        (ACCESS, by_root, "8.8"),
        (TRANSPORT, members(5), "8.12"),
        (LANGUAGES, by_root, "8.16"),
        (ADVICE, by_root, "8.17"),
        (TEXTS, by_root, "8.18"),
        (CALLS, by_root, "8.19"),
        (ABSENCE, members(5), "8.15"),
        (COMPROMISE, members(7), "8.15"),
    ]:
        payload = claim.payload()
        signed = ROOT if claim.kind == "root" else claim.sign(signers)
        made = {"payload": payload, "hash": hashlib.sha256(payload).digest(), "signed": signed}
        fields: Scenario = {
            "kind": claim.kind,
            "serial": claim.serial,
            "issued": claim.issued,
            "expires": claim.expires,
        }
        words: Scenario = {"check_words": check_words(ORG)} if claim is CARD else {}
        about = f"{'An' if claim.kind == 'absence' else 'A'} {claim.kind} that is in order."
        yield f"signed_{claim.kind}", scenario(about, f"8.1 8.2 8.3 {spec}", **fields, **TRUST, **words, **made)


def old_advice() -> Iterator[tuple[str, Scenario]]:
    """Advice that is over says when it was verified."""
    claim = replace(ADVICE, issued=EPOCH - 100, expires=EPOCH - 44, body=[EPOCH - 100, ADVICE.body[1]])
    payload = claim.payload()
    made = {"payload": payload, "hash": hashlib.sha256(payload).digest(), "signed": claim.sign([signer("root")])}
    fields: Scenario = {"kind": "advice", "serial": 1, "issued": claim.issued, "expires": claim.expires, "fresh": False}
    about = "Advice that is over: none of its texts is shown, but still when they were verified."
    yield "signed_advice_old", scenario(about, "8.3 8.17", **fields, **TRUST, **made)


def root_chains() -> Iterator[tuple[str, Scenario]]:
    """A chain of three roots, and a roster that the third one signed; a draft with too few signatures."""
    payload = SUCCESSORS[-1][0].payload()
    newest = {"payload": payload, "hash": hashlib.sha256(payload).digest(), "key": public(signer("third root"))}
    fields: Scenario = {"kind": "root", "serial": 3, "issued": EPOCH, "expires": EPOCH + 3_650}
    about = "A chain of three root documents; payload, hash and key are the newest one's."
    yield "signed_root_chain", scenario(about, "8.3 8.4", **fields, **TRUST, **newest, signed=join_roots(CHAIN))
    payload, signed = DUTY_CLAIM.payload(), DUTY_CLAIM.sign(members(7))
    fields = {"kind": "draft", "serial": 1, "issued": EPOCH, "expires": EPOCH + 2, "slots": [7], "missing": 1}
    made = {"payload": payload, "hash": hashlib.sha256(payload).digest(), "signed": signed}
    about = "A draft that slot 7 signed, where two must; with the signature of slot 0 it is the duty list."
    yield (
        "signed_draft",
        scenario(about, "8.6 8.11", **fields, **TRUST, **made, complete=DUTY_CLAIM.sign(members(0, 7))),
    )


def strange_pairs() -> Iterator[tuple[str, Scenario]]:
    """Pairs that don't count beside one that does."""
    payload = ROSTER.payload()
    strange = [[b"", b""], [public(signer("root")), bytes(64)], [public(signer("member 0")), bytes(3)]]
    signed = cbor.encode([payload, [*strange, *cbor.decode(ROSTER_RAW, "roster", len(ROSTER_RAW))[1]]])
    fields: Scenario = {"kind": "roster", "serial": 1, "issued": EPOCH, "expires": EPOCH + 180}
    made = {"payload": payload, "hash": ROSTER_HASH, "signed": signed}
    about = "A roster with pairs that are wrong, short or empty beside the right one: they don't count and don't harm."
    yield "signed_pairs", scenario(about, "8.2 8.3 8.5", **fields, **TRUST, **made)


def bad_roots() -> Iterator[tuple[str, str, bytes]]:
    """Chains of roots to refuse."""
    claim, signers = SUCCESSORS[0]
    for name, about, later in [
        ("stranger", "The second is signed by nobody's predecessor.", claim.sign([signer("other root"), signers[1]])),
        ("new_only", "The second is signed by its own key only.", claim.sign(signers[1:])),
        ("old_only", "The second is signed by the first's key only.", claim.sign(signers[:1])),
        ("serial", "The second document has serial 3.", replace(claim, serial=3).sign(signers)),
        ("organisation", "The second is another organisation's.", replace(claim, org=OTHER).sign(signers)),
        ("back", "The second is issued before the first.", replace(claim, issued=EPOCH - 1).sign(signers)),
        ("ended", "The newest ended yesterday.", replace(claim, expires=EPOCH - 1).sign(signers)),
    ]:
        yield f"root_{name}", about, join_roots([FIRST_ROOT, later])
    again = replace(claim, serial=3, body=public(signer("root"))).sign([signers[1], signer("root")])
    yield "root_again", "A key comes back.", join_roots([*CHAIN[:2], again])
    yield "root_gap", "A document is left out.", join_roots([CHAIN[0], CHAIN[2]])
    yield "root_headless", "The first document is missing.", join_roots(CHAIN[1:])
    yield "root_other", "Another organisation's.", join_roots([root_claim("other root").sign([signer("other root")])])
    yield "root_none", "An empty chain.", join_roots([])
    yield "root_bare", "A document where a chain belongs.", FIRST_ROOT


def bad_transports() -> Iterator[tuple[str, str, bytes]]:
    """Transport keys to refuse."""
    key = TRANSPORT.body[1]
    for name, about, body in [
        ("slot", "Slot 16.", [16, key]),
        ("short", "A key that is too short.", [5, key[:-1]]),
        ("unreduced", "The ML-KEM key is not reduced.", [5, b"\xff" * 1_184 + key[1_184:]]),
        ("zero", "The X25519 part gives no secret.", [5, key[:1_184] + bytes(32)]),
    ]:
        yield f"transport_{name}", about, replace(TRANSPORT, body=body).sign(members(5))
    yield "transport_colleague", "Signed by another slot's device.", TRANSPORT.sign(members(6))
    yield "transport_root", "Signed by the root.", TRANSPORT.sign([signer("root")])
    yield "transport_long", "It holds for eight days.", replace(TRANSPORT, expires=EPOCH + 8).sign(members(5))
    yield "transport_older", "An older one than was seen.", replace(TRANSPORT, serial=0).sign(members(5))


def withdrawn_notice() -> Iterator[tuple[str, Scenario]]:
    """A notice of compromise that is taken back."""
    claim = replace(COMPROMISE, serial=2, body=0)
    payload = claim.payload()
    made = {"payload": payload, "hash": hashlib.sha256(payload).digest(), "signed": claim.sign(members(0))}
    fields: Scenario = {"kind": "compromise", "serial": 2, "issued": EPOCH, "expires": EPOCH + 365}
    yield "signed_withdrawn", scenario("A compromise, withdrawn.", "8.3 8.15", **fields, **TRUST, **made)


def bad_absences() -> Iterator[tuple[str, str, bytes]]:
    """Notices of absence to refuse."""
    for name, about, claim in [
        ("long", "It holds for 61 days.", replace(ABSENCE, expires=EPOCH + 61)),
        ("before", "It was over before it was signed.", replace(ABSENCE, body=EPOCH - 1)),
        ("beyond", "Its last day is after its own end.", replace(ABSENCE, body=EPOCH + 61)),
        ("text", "A text where a day belongs.", replace(ABSENCE, body="write to evil.onion")),
        ("true", "True where a day belongs.", replace(ABSENCE, body=True)),
        ("older", "An older one than was seen.", replace(ABSENCE, serial=0)),
        ("expired", "It ended yesterday.", replace(ABSENCE, issued=EPOCH - 61, expires=EPOCH - 1, body=EPOCH - 1)),
    ]:
        yield f"absence_{name}", about, claim.sign(members(5))
    yield "absence_kind", "A compromise where an absence belongs.", COMPROMISE.sign(members(5))


def bad_compromises() -> Iterator[tuple[str, str, bytes]]:
    """Notices of compromise to refuse."""
    for name, about, claim in [
        ("long", "It holds for 366 days.", replace(COMPROMISE, expires=EPOCH + 366)),
        ("to_come", "Of a day that is still to come.", replace(COMPROMISE, body=EPOCH + 1)),
        ("negative", "Of a day before all days.", replace(COMPROMISE, body=-1)),
        ("organisation", "Another organisation's.", replace(COMPROMISE, org=OTHER)),
    ]:
        yield f"compromise_{name}", about, claim.sign(members(7))
    yield "compromise_unsigned", "No signature.", COMPROMISE.sign([])
    yield "compromise_root", "Signed by the root.", COMPROMISE.sign([signer("root")])
    yield "compromise_stranger", "Signed by a device that is in no slot.", COMPROMISE.sign([signer("member 16")])


def bad_drafts() -> Iterator[tuple[str, str, bytes]]:
    """Drafts to refuse."""
    yield "draft_unsigned", "No member signed it.", DUTY_CLAIM.sign([])
    yield "draft_root", "Signed by the root only.", DUTY_CLAIM.sign([signer("root")])
    other = replace(DUTY_CLAIM, body=[bytes(32), DUTY_KEYS])
    yield "draft_roster", "For another roster.", other.sign(members(0))


def bad_languages() -> Iterator[tuple[str, str, bytes]]:
    """Lists of languages to refuse."""
    by_root, review = [signer("root")], [fixed("texts"), EPOCH]
    for name, about, body in [
        ("tag", "A tag that is a path.", {"../fa": review}),
        ("short", "A hash that is too short.", {"fa": [bytes(31), EPOCH]}),
        ("epoch", "An epoch of true.", {"fa": [fixed("texts"), True]}),
        ("many", "17 languages.", {f"a{chr(97 + number)}": review for number in range(17)}),
    ]:
        yield f"languages_{name}", about, replace(LANGUAGES, body=body).sign(by_root)
    yield "languages_member", "Signed by a member.", LANGUAGES.sign(members(0))


def bad_calls(kind: Claim, names: tuple[str, str], most: int) -> Iterator[tuple[str, str, bytes]]:
    """Sign-offs of a call's texts, and lists of calls, to refuse; of the `names` one fits, and one does not."""
    by_root, pair = [signer("root")], [fixed("list"), EPOCH]
    fits, false = names
    for name, about, body in [
        ("name", "A name that can't be.", {false: pair}),
        ("short", "A hash that is too short.", {fits: [bytes(31), EPOCH]}),
        ("epoch", "An epoch of true.", {fits: [fixed("list"), True]}),
        ("many", f"{most + 1} entries.", {f"a{chr(97 + number)}": pair for number in range(most + 1)}),
    ]:
        yield f"{kind.kind}_{name}", about, replace(kind, body=body).sign(by_root)
    yield f"{kind.kind}_member", "Signed by a member.", kind.sign(members(0))


def bad_advice() -> Iterator[tuple[str, str, bytes]]:
    """Advice to refuse."""
    by_root = [signer("root")]
    for name, about, claim in [
        ("long", "A text of 2,001 characters.", replace(ADVICE, body=[EPOCH - 1, {"fa": "ب" * 2_001}])),
        ("empty", "An empty text.", replace(ADVICE, body=[EPOCH - 1, {"fa": ""}])),
        ("control", "A control character.", replace(ADVICE, body=[EPOCH - 1, {"fa": "a\x1b[2J"}])),
        ("tag", "A tag that is none.", replace(ADVICE, body=[EPOCH - 1, {"f": "a"}])),
        ("ahead", "Verified after it was signed.", replace(ADVICE, expires=EPOCH + 57, body=[EPOCH + 1, {}])),
        ("stretched", "It holds for 57 days.", replace(ADVICE, expires=EPOCH + 56)),
    ]:
        yield f"advice_{name}", about, claim.sign(by_root)
    yield "advice_member", "Signed by a member.", ADVICE.sign(members(0))


def bad_rosters() -> Iterator[tuple[str, str, bytes]]:
    """Rosters to refuse."""
    by_root = [signer("root")]
    twice = [*SLOT_BODIES[:15], SLOT_BODIES[0]]
    for name, about, claim in [
        ("organisation", "Another organisation's.", replace(ROSTER, org=OTHER)),
        ("expired", "It ended yesterday.", replace(ROSTER, issued=EPOCH - 180, expires=EPOCH - 1)),
        ("not_yet", "It begins the day after tomorrow.", replace(ROSTER, issued=EPOCH + 2)),
        ("older", "An older one than was seen.", replace(ROSTER, serial=0)),
        ("serial", "A serial that no database holds.", replace(ROSTER, serial=2**63)),
        ("kind", "A card where a roster belongs.", replace(ROSTER, kind="card")),
        ("too_long", "It holds for more than 180 days.", replace(ROSTER, expires=EPOCH + 181)),
        ("threshold", "A threshold of 3.", replace(ROSTER, body=[3, SLOT_BODIES])),
        ("threshold_true", "A threshold of true.", replace(ROSTER, body=[True, SLOT_BODIES])),
        ("slots", "15 slots.", replace(ROSTER, body=[1, SLOT_BODIES[:15]])),
        ("slot_twice", "One device in two slots.", replace(ROSTER, body=[1, twice])),
    ]:
        yield f"roster_{name}", about, claim.sign(by_root)
    yield "roster_signer", "Signed by a member.", ROSTER.sign(members(0))
    yield "roster_unsigned", "No signature.", ROSTER.sign([])
    yield "roster_flipped", "One bit is another.", changed(ROSTER_RAW, 300, bytes([ROSTER_RAW[300] ^ 1]))
    yield "roster_trailing", "A byte follows.", ROSTER_RAW + b"\0"


def bad_duties() -> Iterator[tuple[str, str, bytes]]:
    """Duty lists to refuse."""
    far = {EPOCH: DUTY_KEYS[EPOCH], EPOCH + 29: DUTY_KEYS[EPOCH + 1]}
    for name, about, claim in [
        ("roster", "For another roster.", replace(DUTY_CLAIM, body=[bytes(32), DUTY_KEYS])),
        ("empty", "No key.", replace(DUTY_CLAIM, body=[ROSTER_HASH, {}])),
        ("key", "A key that is too short.", replace(DUTY_CLAIM, body=[ROSTER_HASH, {EPOCH + 2: bytes(1_215)}])),
        ("expires", "It expires after its last key.", replace(DUTY_CLAIM, expires=EPOCH + 3)),
        ("far", "Two keys 29 days apart.", replace(DUTY_CLAIM, expires=EPOCH + 29, body=[ROSTER_HASH, far])),
    ]:
        yield f"duty_{name}", about, claim.sign(members(0, 7))
    yield "duty_one", "One signature, where the roster asks for two.", DUTY_CLAIM.sign(members(0))
    yield "duty_same", "The same member twice.", DUTY_CLAIM.sign(members(0, 0))
    yield "duty_root", "Signed by the root.", DUTY_CLAIM.sign([signer("root"), *members(0)])


def bad_signed_things() -> Iterator[tuple[str, Scenario]]:
    """Section 8, bad."""
    for kind, layer, spec, cases in [
        ("roster", "roster", "8.3 8.5", bad_rosters()),
        ("duty", "duty list", "8.3 8.6", bad_duties()),
        ("root", "roster", "8.3 8.4", bad_roots()),
        ("transport", "roster", "8.3 8.12", bad_transports()),
        ("draft", "duty list", "8.3 8.11", bad_drafts()),
        ("languages", "roster", "8.3 8.16", bad_languages()),
        ("advice", "roster", "8.3 8.17", bad_advice()),
        ("texts", "roster", "8.3 8.18", bad_calls(TEXTS, ("fa", "f"), 16)),
        ("calls", "roster", "8.3 8.19", bad_calls(CALLS, ("harbour", "harbour-7"), 20)),
        ("absence", "roster", "8.3 8.15", bad_absences()),
        ("compromise", "roster", "8.3 8.15", bad_compromises()),
    ]:
        for name, about, raw in cases:
            yield f"bad/{name}", scenario(about, spec, layer=layer, way="signed", kind=kind, **TRUST, signed=raw)
    bad: Scenario = {"layer": "roster", "way": "signed"}
    newer = replace(CARD, body=[*CARD_BODY[:4], 2, 1]).sign([signer("root")])
    about = "A card that asks for a newer root than the reader has."
    yield "bad/card_least_root", scenario(about, "8.7", **bad, kind="card", **TRUST, signed=newer)
    about = "A roster that the first root signed, where the chain goes on to a third one."
    chain = TRUST | {"root": join_roots(CHAIN)}
    yield "bad/roster_old_root", scenario(about, "8.4 8.5", **bad, kind="roster", **chain, signed=ROSTER_RAW)


EDITION_TAGS = sorted(fixed(f"edition tag {number}", 16) for number in range(32))
EDITION = edition_bytes(4 * EPOCH + 1, {tag: tag * 512 for tag in EDITION_TAGS})


def listed(file: bytes, number: int = 4 * EPOCH + 1, count: int = 32) -> bytes:
    """The record of a file in the list of editions."""
    record = Listed(number, count, hashlib.sha256(file).digest())
    return record.number.to_bytes(4, "big") + record.count.to_bytes(4, "big") + record.hash


def editions() -> Iterator[tuple[str, Scenario]]:
    """Sections 9.6 to 9.8: the file is told by its tags, so that the vector stays small."""
    about = "An edition: the envelope under each tag is that tag 512 times; `listed` is its record in the list."
    fields = {"number": 4 * EPOCH + 1, "tags": EDITION_TAGS, "listed": listed(EDITION)}
    yield "edition", scenario(about, "9.6 9.7 9.8", **fields)
    about = (
        "Files that are refused: that of edition.json with `new` at the offset `at`, then cut or filled with zeros"
        " to `size` bytes, when the list has the record `listed`."
    )
    yield "edition_refused", scenario(about, "9.6 9.7 9.8", tags=EDITION_TAGS, cases=list(broken_editions()))


def broken_editions() -> Iterator[Scenario]:
    """What is changed in each; the list's hash is that of the changed file where no other is said."""
    first, second = EDITION_TAGS[:2]
    for about, at, new, more in [
        ("another head", 0, b"x", 0),
        ("another version", 7, b"\x02", 0),
        ("another number than listed", 11, b"\x00", 0),
        ("another N than listed", 12, (64).to_bytes(4, "big"), 0),
        ("two tags changed places", 16, second + first, 0),
        ("a tag twice", 16, second, 0),
        ("a byte is missing", 0, b"", -1),
        ("a byte too much", 0, b"", 1),
        ("not even a head", 0, b"", 15 - len(EDITION)),
    ]:
        size = len(EDITION) + more
        file = changed(EDITION, at, new)[:size].ljust(size, b"\0")
        yield {"about": about, "at": at, "new": new, "size": size, "listed": listed(file)}
    yield {"about": "another hash", "at": 9_000, "new": b"x", "size": len(EDITION), "listed": listed(EDITION)}
    for count in (0, 33):
        file = changed(EDITION, 12, count.to_bytes(4, "big"))
        record = {"size": len(EDITION), "listed": listed(file, count=count)}
        yield {"about": f"an N of {count}, also in the list", "at": 12, "new": count.to_bytes(4, "big"), **record}


def scenarios(old: Mapping[str, Scenario]) -> dict[str, Scenario]:
    """Every file's content by its name without the ending; `old` is what the files hold now."""
    for case in old["xwing"]["cases"]:
        if KemKey(bytes.fromhex(case["seed"])).public.hex() != case["public"]:
            raise SystemExit("The X-Wing key from a published seed is not the published one: look at keys.py.")
    new = {name: old[name] for name in PUBLISHED}
    sources: list[Callable[[], Iterator[tuple[str, Scenario]]]] = [
        passphrases,
        keys,
        plaintexts,
        signed_things,
        old_advice,
        root_chains,
        strange_pairs,
        withdrawn_notice,
        editions,
    ]
    for source in (*sources, bad_signed_things):
        new.update(source())
    for stored in (envelopes, several, items):
        new.update(stored(old))
    return new


def load(folder: Path) -> dict[str, Scenario]:
    """What the files hold now."""
    paths = sorted([*folder.glob("*.json"), *folder.glob("bad/*.json")])
    return {path.relative_to(folder).with_suffix("").as_posix(): json.loads(path.read_text("utf-8")) for path in paths}


def text(content: Scenario) -> str:
    """A file's text."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def write(folder: Path) -> None:
    """Writes every file, and removes those that are no scenario any more."""
    old = load(folder)
    new = scenarios(old)
    for name, content in new.items():
        (folder / f"{name}.json").write_text(text(content), "utf-8")
    for name in old.keys() - new.keys():
        (folder / f"{name}.json").unlink()


if __name__ == "__main__":
    write(FOLDER)
