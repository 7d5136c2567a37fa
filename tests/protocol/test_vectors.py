"""Every file under vectors/ is read here from its own figures alone, and writing them anew changes nothing.

Formulas are done by hand where that is short: the reader is to be a second opinion, not the same code again.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sottovoce.protocol.body import Body
from sottovoce.protocol.envelope import TO_DESK, TO_SOURCE, LaterPart, decode, seen_bit, seen_bitmap, seen_bits
from sottovoce.protocol.errors import PhraseError, Refused
from sottovoce.protocol.keys import KemKey, PairKey, SourceKeys, answer_epochs, member_pair
from sottovoce.protocol.message import Answer, Message, Place, binding, open_at_desk, open_at_source, unseal
from sottovoce.protocol.words import Passphrase, parse
from sottovoce.trust.card import Card, UntrustedAccess, UntrustedCard
from sottovoce.trust.duty import DutyDraft, UntrustedDutyList
from sottovoce.trust.roster import UntrustedRoot, UntrustedRoster
from sottovoce.trust.signed import Verified
from sottovoce.trust.transport import UntrustedTransport

Vector = dict[str, Any]
FOLDER = Path(__file__).parents[2] / "vectors"
FILES = {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in sorted(FOLDER.rglob("*.json"))}
BAD = sorted(name for name in FILES if name.startswith("bad/"))
LAYERS = {"size", "seal", "header", "body", "authentication", "reassembly", "roster", "duty list"}


def read(name: str) -> Vector:
    """One scenario."""
    vector: Vector = json.loads(FILES[name].read_text("utf-8"))
    return vector


def raw(value: str) -> bytes:
    """Bytes of a hex string."""
    return bytes.fromhex(value)


def hkdf_by_hand(ikm: bytes, salt: bytes, info: bytes, blocks: int) -> bytes:
    """RFC 5869 with HMAC alone."""
    key, block, out = hmac.digest(salt, ikm, "sha256"), b"", b""
    for number in range(1, blocks + 1):
        block = hmac.digest(key, block + info + bytes([number]), "sha256")
        out += block
    return out


def passphrase(vector: Vector) -> None:
    """2.1 to 2.3."""
    for case in vector["cases"]:
        phrase = Passphrase(raw(case["mk"]))
        assert list(phrase.numbers) == case["numbers"]
        assert len(case["words"]) == 12
        for language, words in case["words"].items():
            assert list(phrase.words(language)) == words
            assert parse(" ".join(words), language) == phrase


def passphrase_typed(vector: Vector) -> None:
    """2.4."""
    for case in vector["cases"]:
        assert parse(case["typed"]).secret == raw(case["mk"]), case["how"]


def passphrase_refused(vector: Vector) -> None:
    """2.4."""
    for case in vector["cases"]:
        with pytest.raises(PhraseError) as caught:
            parse(case["typed"])
        assert (caught.value.kind, caught.value.count, caught.value.place) == (
            case["kind"],
            case["count"],
            case["place"],
        )


def xwing(vector: Vector) -> None:
    """3.2."""
    assert len(vector["cases"]) == 3
    for case in vector["cases"]:
        assert KemKey(raw(case["seed"])).public == raw(case["public"])


def source_keys(vector: Vector) -> None:
    """3.1 and 3.3 to 3.5."""
    mk = raw(vector["mk"])
    for case in vector["cases"]:
        org, keys = raw(case["org"]), SourceKeys(raw(case["org"]), Passphrase(mk))
        labels = {
            label: hkdf_by_hand(mk, b"sottovoce/v1/source", label + org, 1) for label in (b"kem", b"conversation")
        }
        assert raw(case["kem_seed"]) == labels[b"kem"] == keys.kem.seed
        assert raw(case["c"]) == labels[b"conversation"] == keys.c
        dh = X25519PrivateKey.from_private_bytes(hkdf_by_hand(mk, b"sottovoce/v1/source", b"dh" + org, 1))
        assert raw(case["dh"]) == dh.public_key().public_bytes_raw() == keys.dh
        assert raw(case["kem"]) == keys.kem.public
        joined = org + raw(case["kem"]) + raw(case["dh"]) + raw(case["c"])
        assert raw(case["id"]) == hashlib.sha256(b"sottovoce/v1/conversation" + joined).digest() == keys.id
        assert tuple(case["sign"]) == keys.sign


def pair_keys(vector: Vector) -> None:
    """4.1, from both ends."""
    keys = SourceKeys(raw(vector["org"]), Passphrase(raw(vector["mk"])))
    assert keys.dh == raw(vector["dh"])
    for case in vector["cases"]:
        device, slot = X25519PrivateKey.from_private_bytes(raw(case["device"])), case["slot"]
        wanted = PairKey(raw(case["tags"]), raw(case["macs"]))
        assert keys.pair(slot, raw(case["member"])) == wanted
        assert member_pair(device, keys.dh, keys.c, keys.org, slot) == wanted


def tags(vector: Vector) -> None:
    """4.2 and 4.3."""
    pair = PairKey(raw(vector["key"]), bytes(32))
    for case in vector["cases"]:
        wanted = hmac.digest(raw(vector["key"]), b"tag" + case["epoch"].to_bytes(4, "big"), "sha512")
        assert "".join(case["tags"]) == wanted.hex() == b"".join(pair.answer_tags(case["epoch"])).hex()
    first = raw(vector["cases"][1]["tags"][0])
    for part, tag in vector["parts"].items():
        assert pair.part_tag(first, int(part)) == raw(tag)


def epochs(vector: Vector) -> None:
    """4.4."""
    assert list(answer_epochs(vector["today"])) == vector["epochs"]
    assert len(vector["epochs"]) == 32


def checked_macs(vector: Vector, direction: int, fields: slice) -> list[bytes]:
    """The MACs that 5.4 and 5.6 ask for, one for each device, by hand."""
    plaintext, keys = raw(vector["plaintext"]), SourceKeys(raw(vector["org"]), Passphrase(raw(vector["mk"])))
    label, end = b"sottovoce/v1/envelope" + keys.org, vector["epoch"].to_bytes(4, "big") + raw(vector["tag"])
    info = label + bytes([direction]) + end
    assert raw(vector["binding"]) == info == binding(keys.org, direction, vector["epoch"], raw(vector["tag"]))
    empty = plaintext[: fields.start] + bytes(fields.stop - fields.start) + plaintext[fields.stop :]
    digest = hashlib.sha256(empty).digest()
    assert raw(vector["digest"]) == digest
    devices = [X25519PrivateKey.from_private_bytes(raw(each)) for each in vector["devices"]]
    pairs = [member_pair(device, keys.dh, keys.c, keys.org, slot) for slot, device in enumerate(devices)]
    return [hmac.digest(pair.macs, info + digest, "sha256")[:16] for pair in pairs]


def to_desk(vector: Vector) -> None:
    """5.1, 5.2, 5.4 and 6.2, by the offsets of the spec."""
    plaintext, body = raw(vector["plaintext"]), raw(vector["body"])
    keys = SourceKeys(raw(vector["org"]), Passphrase(raw(vector["mk"])))
    head = bytes([1, 0, 0, 1]) + len(body).to_bytes(2, "big") + bytes(2) + raw(vector["message_id"])
    fields = hashlib.sha256(body).digest() + raw(vector["roster_hash"]) + keys.kem.public + keys.dh + keys.c
    macs = b"".join(checked_macs(vector, TO_DESK, slice(1_624, 1_880)))
    assert plaintext == (head + fields + raw(vector["seen"]) + macs + body).ljust(7_056, b"\0")
    assert plaintext.index(body) == 1_880
    assert decode(plaintext, TO_DESK).encode() == plaintext
    assert Body.decode(body).text == vector["text"]


def to_source(vector: Vector) -> None:
    """5.1, 5.3, 5.4 and 6.2, by the offsets of the spec."""
    plaintext, body, slot = raw(vector["plaintext"]), raw(vector["body"]), vector["slot"]
    head = bytes([1, 1, 0, 1]) + len(body).to_bytes(2, "big") + bytes([slot, vector["n"]]) + raw(vector["message_id"])
    fields = vector["received"].to_bytes(2, "big") + vector["newest"].to_bytes(4, "big")
    mac = checked_macs(vector, TO_SOURCE, slice(62, 78))[slot]
    assert plaintext == (head + hashlib.sha256(body).digest() + fields + mac + body).ljust(7_056, b"\0")
    assert plaintext.index(body) == 78
    assert decode(plaintext, TO_SOURCE).encode() == plaintext
    assert Body.decode(body).text == vector["text"]


def later_part(vector: Vector) -> None:
    """5.1."""
    part = decode(raw(vector["plaintext"]), vector["direction"])
    assert isinstance(part, LaterPart)
    assert (part.header.part, part.header.parts, part.body) == (vector["part"], vector["parts"], raw(vector["body"]))
    assert part.encode() == raw(vector["plaintext"])


def seen(vector: Vector) -> None:
    """5.5."""
    bits = {seen_bit(vector["today"], *place) for place in vector["places"]}
    assert sorted(bits) == vector["bits"]
    assert seen_bitmap(bits) == raw(vector["seen"])
    assert seen_bits(raw(vector["seen"])) == bits


def opened_at_desk(vector: Vector) -> Message:
    """7.2."""
    key, device = KemKey(raw(vector["key"])), X25519PrivateKey.from_private_bytes(raw(vector["device"]))
    untrusted = open_at_desk(raw(vector["envelope"]), key, raw(vector["org"]), vector["epoch"], raw(vector["tag"]))
    return untrusted.verify(device, vector["slot"])


def opened_at_source(vector: Vector) -> Answer:
    """7.4."""
    keys, place = (
        SourceKeys(raw(vector["org"]), Passphrase(raw(vector["mk"]))),
        Place(vector["epoch"], vector["slot"], vector["n"]),
    )
    return open_at_source(raw(vector["envelope"]), keys, keys.pair(place.slot, raw(vector["member"])), place)


def trusted(vector: Vector) -> Verified:
    """8.3 to 8.12."""
    signed, today, least = raw(vector["signed"]), vector["today"], vector["least"]
    root = UntrustedRoot.of(raw(vector["root"])).verify(raw(vector["org"]), today)
    if vector["kind"] == "root":
        return UntrustedRoot.of(signed).verify(raw(vector["org"]), today)
    if vector["kind"] == "duty":
        roster = UntrustedRoster.of(raw(vector["roster"])).verify(root, today, least)
        return UntrustedDutyList.of(signed).verify(roster, today, least)
    if vector["kind"] in ("draft", "transport"):
        roster = UntrustedRoster.of(raw(vector["roster"])).verify(root, today, least)
        if vector["kind"] == "draft":
            return UntrustedDutyList.of(signed).draft(roster, today, least)
        return UntrustedTransport.of(signed).verify(roster, today, least)
    if vector["kind"] == "access":
        return UntrustedAccess.of(signed).verify(root, today, least)
    if vector["kind"] == "card":
        return UntrustedCard.of(signed).verify(root, today, least)
    return UntrustedRoster.of(signed).verify(root, today, least)


def sealed_to_desk(vector: Vector) -> None:
    """5.7 and 7.2."""
    message = opened_at_desk(vector)
    assert message.body.text == vector["text"]
    info = binding(raw(vector["org"]), TO_DESK, vector["epoch"], raw(vector["tag"]))
    assert unseal(raw(vector["envelope"]), KemKey(raw(vector["key"])), info) == raw(vector["plaintext"])


def sealed_to_source(vector: Vector) -> None:
    """5.7 and 7.4."""
    answer = opened_at_source(vector)
    assert (answer.body.text, answer.received) == (vector["text"], 3)
    assert decode(raw(vector["plaintext"]), TO_SOURCE).encode() == raw(vector["plaintext"])


def signed(vector: Vector) -> None:
    """8.1 to 8.12: what is trusted says what the vector says."""
    made = trusted(vector)
    claim = made.claim
    assert [{"draft": "duty"}.get(vector["kind"], vector["kind"]), claim.serial, claim.issued, claim.expires] == [
        claim.kind,
        *(vector[field] for field in ("serial", "issued", "expires")),
    ]
    assert claim.payload() == raw(vector["payload"])
    assert made.hash == hashlib.sha256(raw(vector["payload"])).digest() == raw(vector["hash"])
    assert made.raw == raw(vector["signed"])
    if isinstance(made, Card):
        assert list(made.check_words) == vector["check_words"]
    if isinstance(made, DutyDraft):
        roster = UntrustedRoster.of(raw(vector["roster"])).claim.body[1]
        assert [slot for slot in range(16) if roster[slot][1] in made.signatures] == vector["slots"]
        assert made.missing == vector["missing"]
        assert made.hash == trusted(vector | {"kind": "duty", "signed": vector["complete"]}).hash


SIGNED = ("root", "root_chain", "roster", "duty", "draft", "transport", "card", "access")
READERS: dict[str, Callable[[Vector], None]] = {
    "passphrase": passphrase,
    "passphrase_typed": passphrase_typed,
    "passphrase_refused": passphrase_refused,
    "xwing": xwing,
    "source_keys": source_keys,
    "pair_keys": pair_keys,
    "tags": tags,
    "answer_epochs": epochs,
    "to_desk": to_desk,
    "to_source": to_source,
    "later_part": later_part,
    "seen": seen,
    "sealed_to_desk": sealed_to_desk,
    "sealed_to_source": sealed_to_source,
    **{f"signed_{kind}": signed for kind in SIGNED},
}
WAYS: dict[str, Callable[[Vector], object]] = {
    "desk": opened_at_desk,
    "source": opened_at_source,
    "signed": trusted,
}


@pytest.mark.parametrize("name", READERS)
def test_a_good_vector_is_read(name: str) -> None:
    vector = read(name)
    assert vector["about"]
    assert vector["spec"]
    READERS[name](vector)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_vector_is_refused_by_its_layer(name: str) -> None:
    vector = read(name)
    with pytest.raises(Refused) as caught:
        WAYS[vector["way"]](vector)
    assert caught.value.layer == vector["layer"]


def test_every_file_is_used() -> None:
    assert FILES.keys() == READERS.keys() | set(BAD)
    assert {read(name)["layer"] for name in BAD} == LAYERS


def test_a_step_that_a_vector_names_is_in_the_spec() -> None:
    spec = (FOLDER.parent / "spec/PROTOCOL.md").read_text("utf-8")
    steps = {step for name in FILES for step in read(name)["spec"]}
    assert {step for step in steps if f"**{step}" not in spec} == set()


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """vectors/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", FOLDER / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_writing_the_vectors_anew_changes_nothing(generate: ModuleType) -> None:
    made = generate.scenarios(generate.load(FOLDER))
    assert made.keys() == FILES.keys()
    assert [name for name in made if generate.text(made[name]) != FILES[name].read_text("utf-8")] == []


def test_a_lost_or_broken_envelope_is_sealed_anew(generate: ModuleType, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    (tmp_path / "sealed_to_source.json").unlink()
    broken = tmp_path / "sealed_to_desk.json"
    envelope = read("sealed_to_desk")["envelope"]
    broken.write_text(broken.read_text("utf-8").replace(envelope, envelope[:-2] + "00"), "utf-8")
    (tmp_path / "bad/of_old_times.json").write_text("{}", "utf-8")
    generate.write(tmp_path)
    made = generate.load(tmp_path)
    assert made.keys() == FILES.keys()
    sealed_to_desk(made["sealed_to_desk"])
    sealed_to_source(made["sealed_to_source"])
    assert made["bad/seal_tag"]["envelope"] == made["sealed_to_desk"]["envelope"] != envelope
    assert generate.scenarios(made) == made
