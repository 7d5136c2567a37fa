"""Every file under vectors/ is read here from its own figures alone, and writing them anew changes nothing.

Formulas are done by hand where that is short: the reader is to be a second opinion, not the same code again.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import json
import shutil
from collections.abc import Callable, Container
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sottovoce.pool.edition import Listed, read_stream
from sottovoce.pool.errors import RoadError
from sottovoce.protocol.answer import Answer, Place, open_at_source
from sottovoce.protocol.body import Body
from sottovoce.protocol.envelope import TO_DESK, TO_SOURCE, LaterPart, decode, seen_bit, seen_bitmap, seen_bits
from sottovoce.protocol.errors import PhraseError, Refused
from sottovoce.protocol.keys import KemKey, PairKey, SourceKeys, answer_epochs, member_pair
from sottovoce.protocol.mailbox import ITEM, Item, open_item
from sottovoce.protocol.message import Message, UntrustedMessage, UntrustedPart, open_at_desk
from sottovoce.protocol.reassembly import join_candidates
from sottovoce.protocol.sealing import binding, unseal
from sottovoce.protocol.words import Passphrase, parse
from sottovoce.trust.calls import UntrustedCalls, UntrustedCallTexts
from sottovoce.trust.card import Card, UntrustedAccess, UntrustedCard
from sottovoce.trust.duty import DutyDraft, UntrustedDutyList
from sottovoce.trust.languages import Advice, UntrustedAdvice, UntrustedLanguages
from sottovoce.trust.notice import UntrustedNotice
from sottovoce.trust.roster import Roster, UntrustedRoot, UntrustedRoster
from sottovoce.trust.signed import Verified
from sottovoce.trust.transport import UntrustedTransport

Vector = dict[str, Any]
FOLDER = Path(__file__).parents[2] / "vectors"
PATHS = sorted([*FOLDER.glob("*.json"), *FOLDER.glob("bad/*.json")])
FILES = {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in PATHS}
BAD = sorted(name for name in FILES if name.startswith("bad/"))
LAYERS = {"size", "seal", "header", "body", "authentication", "replay", "reassembly", "roster", "duty list"}


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
        assert parse(case["typed"], *case["lists"]).secret == raw(case["mk"]), case["how"]


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


def hpke(vector: Vector) -> None:
    """5.7: what the program's one-shot call can't open, having data of its own, the reader in JavaScript does."""
    assert KemKey(raw(vector["skRm"])).public == raw(vector["pkRm"])


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


def parts_at_desk(vector: Vector, before: Container[tuple[bytes, bytes]] = ()) -> Message:
    """7.2 and 7.5, one message: what a desk makes of the envelopes, in whatever order they came.

    `before`: conversation and id of earlier messages. The protocol has no memory; a desk keeps it with its letters.
    """
    key, device = KemKey(raw(vector["key"])), X25519PrivateKey.from_private_bytes(raw(vector["device"]))
    org, epoch = raw(vector["org"]), vector["epoch"]
    found = [open_at_desk(raw(each["envelope"]), key, org, epoch, raw(each["tag"])) for each in vector["envelopes"]]
    firsts = [each.verify(device, vector["slot"]) for each in found if isinstance(each, UntrustedMessage)]
    if not firsts:
        raise Refused("reassembly", "The first part is not here.")
    (first,) = firsts
    if (first.conversation, first.message_id) in before:
        raise Refused("replay", "The message came before.")
    later = [each.part for each in found if isinstance(each, UntrustedPart) and each.message_id == first.message_id]
    candidates = [[each.body for each in later if each.header.part == part] for part in range(1, first.parts)]
    if not all(candidates):
        raise Refused("reassembly", "A part is not here.")
    joined = join_candidates(first.part.body, first.part.body_hash, candidates)
    return first.join(joined or [bodies[0] for bodies in candidates])


def opened_at_desk(vector: Vector) -> Message:
    """7.2, one envelope."""
    return parts_at_desk(vector | {"envelopes": [{"tag": vector["tag"], "envelope": vector["envelope"]}]})


def messages_at_desk(vector: Vector) -> list[Message]:
    """7.2.7: several messages in their order, with a memory of (conversation, message id)."""
    read: dict[tuple[bytes, bytes], Message] = {}
    for each in vector["envelopes"]:
        message = parts_at_desk(vector | {"envelopes": [each]}, read)
        read[message.first.conversation, message.first.message_id] = message
    return list(read.values())


def parts_at_source(vector: Vector) -> Answer:
    """7.4: what a source makes of a place, when the pool holds the envelopes and nothing else."""
    keys, place = (
        SourceKeys(raw(vector["org"]), Passphrase(raw(vector["mk"]))),
        Place(vector["epoch"], vector["slot"], vector["n"]),
    )
    pair = keys.pair(place.slot, raw(vector["member"]))
    pool = {raw(each["tag"]): raw(each["envelope"]) for each in vector["envelopes"]}
    first = open_at_source(pool[pair.answer_tags(place.epoch)[place.n]], keys, pair, place)
    found = [(part, pool[tag]) for part, tag in enumerate(first.tags, 1) if tag in pool]
    return first.join([first.open_later(envelope, part, keys) for part, envelope in found])


def opened_at_source(vector: Vector) -> Answer:
    """7.4, one envelope."""
    keys = SourceKeys(raw(vector["org"]), Passphrase(raw(vector["mk"])))
    tag = keys.pair(vector["slot"], raw(vector["member"])).answer_tags(vector["epoch"])[vector["n"]]
    return parts_at_source(vector | {"envelopes": [{"tag": tag.hex(), "envelope": vector["envelope"]}]})


def item_in_mailbox(vector: Vector) -> Item:
    """10.2."""
    org, transport = raw(vector["org"]), KemKey(raw(vector["transport"]))
    signers = [raw(key) for key in vector["signers"]]
    return open_item(raw(vector["item"]), org=org, receiver=vector["receiver"], transport=transport, signers=signers)


def trusted(vector: Vector) -> Verified:
    """8.3 to 8.19."""
    signed, today, least = raw(vector["signed"]), vector["today"], vector["least"]
    root = UntrustedRoot.of(raw(vector["root"])).verify(raw(vector["org"]), today)

    def roster() -> Roster:
        return UntrustedRoster.of(raw(vector["roster"])).verify(root, today, least)

    kind = vector["kind"]
    readers: dict[str, Callable[[], Verified]] = {
        "root": lambda: UntrustedRoot.of(signed).verify(raw(vector["org"]), today),
        "roster": lambda: UntrustedRoster.of(signed).verify(root, today, least),
        "duty": lambda: UntrustedDutyList.of(signed).verify(roster(), today, least),
        "draft": lambda: UntrustedDutyList.of(signed).draft(roster(), today, least),
        "transport": lambda: UntrustedTransport.of(signed).verify(roster(), today, least),
        "languages": lambda: UntrustedLanguages.of(signed).verify(root, today),
        "advice": lambda: UntrustedAdvice.of(signed).verify(root),
        "texts": lambda: UntrustedCallTexts.of(signed).verify(root),
        "calls": lambda: UntrustedCalls.of(signed).verify(root, today),
        "access": lambda: UntrustedAccess.of(signed).verify(root, today, least),
        "card": lambda: UntrustedCard.of(signed).verify(root, today, least),
        "absence": lambda: UntrustedNotice.of(signed, kind).verify(roster(), today, least),
        "compromise": lambda: UntrustedNotice.of(signed, kind).verify(roster(), today, least),
    }
    return readers[kind]()


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


def several_to_desk(vector: Vector) -> None:
    """5.8, 7.1, 7.2 and 7.5: in any order."""
    assert len(vector["envelopes"]) == 3
    for envelopes in (vector["envelopes"], vector["envelopes"][::-1]):
        message = parts_at_desk(vector | {"envelopes": envelopes})
        assert (message.body.text, message.first.parts) == (vector["text"], 3)


def several_candidates(vector: Vector) -> None:
    """7.5.2: the right one of two candidates is found, whichever came first."""
    first, *later = vector["envelopes"]
    for envelopes in ([first, *later], [first, *later[::-1]]):
        assert parts_at_desk(vector | {"envelopes": envelopes}).body.text == vector["text"]


def several_to_source(vector: Vector) -> None:
    """4.3, 5.8, 7.3 and 7.4."""
    assert [each["tag"] for each in vector["envelopes"]] == vector["tags"]
    assert parts_at_source(vector).body.text == vector["text"]


def sealed_visit(vector: Vector) -> None:
    """6.5 and 7.2."""
    read = [(each.body.text, each.body.after, each.first.message_id) for each in messages_at_desk(vector)]
    ids = [raw(each["message_id"]) for each in vector["messages"]]
    texts = [each["text"] for each in vector["messages"]]
    assert read == [(texts[0], None, ids[0]), (texts[1], ids[0], ids[1])]
    assert [each["after"] for each in vector["messages"]] == [None, ids[0].hex()]


def mailbox(vector: Vector) -> None:
    """10.2, by the offsets of the spec."""
    item, content = item_in_mailbox(vector), raw(vector["content"])
    assert (item.sender, item.receipt, item.content) == (vector["sender"], raw(vector["receipt"]), content)
    ends = bytes([vector["sender"], vector["receiver"]])
    label, transport = b"sottovoce/v1/mailbox" + raw(vector["org"]), KemKey(raw(vector["transport"]))
    assert raw(vector["info"]) == label + ends[1:]
    signed_bytes = label + ends + transport.public + item.receipt + content
    assert raw(vector["signed"]) == signed_bytes
    plaintext = unseal(raw(vector["item"]), transport, raw(vector["info"]), ITEM)
    assert plaintext[:22] == b"\x01" + ends + b"\0" + len(content).to_bytes(2, "big") + item.receipt
    assert plaintext[86:] == content.ljust(11_066, b"\0")
    assert plaintext == raw(vector["plaintext"])
    key = Ed25519PublicKey.from_public_bytes(raw(vector["signers"][vector["sender"]]))
    key.verify(plaintext[22:86], signed_bytes)


def signed(vector: Vector) -> None:
    """8.1 to 8.17: what is trusted says what the vector says."""
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
    if isinstance(made, Advice):
        assert made.fresh(vector["today"]) == vector.get("fresh", True)
    if isinstance(made, DutyDraft):
        roster = UntrustedRoster.of(raw(vector["roster"])).claim.body[1]
        assert [slot for slot in range(16) if roster[slot][1] in made.signatures] == vector["slots"]
        assert made.missing == vector["missing"]
        assert made.hash == trusted(vector | {"kind": "duty", "signed": vector["complete"]}).hash


def edition_file(tags: list[str]) -> bytes:
    """The file of edition.json, by the offsets of 9.6."""
    head = b"sottoed\x01" + (4 * 20_780 + 1).to_bytes(4, "big") + len(tags).to_bytes(4, "big")
    return head + raw("".join(tags)) + b"".join(raw(tag) * 512 for tag in tags)


def edition_listed(record: bytes) -> Listed:
    """A record of 9.7."""
    return Listed(int.from_bytes(record[:4], "big"), int.from_bytes(record[4:8], "big"), record[8:])


def edition(vector: Vector) -> None:
    """9.6 to 9.8."""
    file = edition_file(vector["tags"])
    found = list(read_stream([file[:9], file[9:]], edition_listed(raw(vector["listed"]))))
    assert found == [(raw(tag), raw(tag) * 512) for tag in vector["tags"]]
    assert raw(vector["listed"])[:4] == vector["number"].to_bytes(4, "big")


def edition_refused(vector: Vector) -> None:
    """9.6 to 9.8."""
    for case in vector["cases"]:
        file, new = edition_file(vector["tags"]), raw(case["new"])
        file = file[: case["at"]] + new + file[case["at"] + len(new) :]
        file = file[: case["size"]].ljust(case["size"], b"\0")
        with pytest.raises(RoadError):
            list(read_stream([file], edition_listed(raw(case["listed"]))))


SIGNED = (
    "root", "root_chain", "roster", "duty", "draft", "transport", "card", "access", "pairs",
    "languages", "advice", "advice_old", "texts", "calls", "absence", "compromise", "withdrawn",
)  # fmt: skip
READERS: dict[str, Callable[[Vector], None]] = {
    "passphrase": passphrase,
    "passphrase_typed": passphrase_typed,
    "passphrase_refused": passphrase_refused,
    "edition": edition,
    "edition_refused": edition_refused,
    "hpke": hpke,
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
    "several_to_desk": several_to_desk,
    "several_candidates": several_candidates,
    "several_to_source": several_to_source,
    "sealed_visit": sealed_visit,
    "mailbox": mailbox,
    "mailbox_full": mailbox,
    **{f"signed_{kind}": signed for kind in SIGNED},
}
WAYS: dict[str, Callable[[Vector], object]] = {
    "desk": opened_at_desk,
    "source": opened_at_source,
    "desk_parts": parts_at_desk,
    "source_parts": parts_at_source,
    "desk_messages": messages_at_desk,
    "mailbox": item_in_mailbox,
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
    if "refused" in vector:  # those before it are taken
        messages_at_desk(vector | {"envelopes": vector["envelopes"][: vector["refused"]]})
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


def test_1_3_an_organisation_is_named_by_the_hash_of_its_first_root_document() -> None:
    root = read("signed_root")
    assert hashlib.sha256(raw(root["payload"])).hexdigest() == root["org"]


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
    shutil.copytree(FOLDER, tmp_path, ignore=shutil.ignore_patterns("readers"), dirs_exist_ok=True)
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
