"""One target for each parser of bytes from outside: any bytes give what their form says, or the refusal that is named.

A target raises when the parser does what it must not: another error than its own, or a value that is not the bytes'.
What is padded to a size in real use is padded here, so that a corpus stays small.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from starlette.requests import Request
from uvicorn.config import Config
from uvicorn.server import ServerState

from sottovoce.desk import vault
from sottovoce.desk.errors import DeskError
from sottovoce.door.door import read_form
from sottovoce.door.ledger import MemoryLedger
from sottovoce.door.session import VisitKeys, Visits
from sottovoce.onion.circuit import CircuitProtocol
from sottovoce.pool import edition_api
from sottovoce.pool.api import BadSize
from sottovoce.pool.client import PoolClient
from sottovoce.pool.edition import HEADER, Listed, read_stream, size_of
from sottovoce.pool.errors import RoadError
from sottovoce.protocol import cbor
from sottovoce.protocol.answer import Place, open_at_source
from sottovoce.protocol.body import Body
from sottovoce.protocol.envelope import TO_DESK, TO_SOURCE, SourcePart, decode
from sottovoce.protocol.errors import PhraseError, Refused
from sottovoce.protocol.keys import KemKey, SourceKeys, member_pair
from sottovoce.protocol.mailbox import ITEM, open_item
from sottovoce.protocol.message import UntrustedMessage, read_at_desk
from sottovoce.protocol.sealing import binding, seal
from sottovoce.protocol.sizes import AEAD_TAG, ENCAPSULATED, PLAINTEXT, TAG
from sottovoce.protocol.words import Passphrase, parse
from sottovoce.trust import locked
from sottovoce.trust.call_list import CallList
from sottovoce.trust.calls import UntrustedCalls, UntrustedCallTexts
from sottovoce.trust.card import UntrustedAccess, UntrustedCard
from sottovoce.trust.duty import UntrustedDutyList
from sottovoce.trust.join import Invitation, JoinRequest
from sottovoce.trust.languages import UntrustedAdvice, UntrustedLanguages
from sottovoce.trust.notice import UntrustedNotice
from sottovoce.trust.roster import FIRST_ORG, Roster, UntrustedRoot, UntrustedRoster, join_roots
from sottovoce.trust.signed import Claim
from sottovoce.trust.transport import UntrustedTransport, read_transports

logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it says of each broken request that it is broken
TODAY = 20_780
LANGUAGES = ("english", "french", "japanese", "turkish", "chinese_simplified")
DEVICE = X25519PrivateKey.from_private_bytes(b"d" * 32)
KEYS = SourceKeys(b"o" * 32, Passphrase(b"p" * 16))
PLACE = Place(TODAY, 5, 2)
PAIR = member_pair(DEVICE, KEYS.dh, KEYS.c, KEYS.org, PLACE.slot)
TRANSPORT = KemKey(b"t" * 32)


def of_cbor(data: bytes) -> None:
    """6.1: what is taken encodes to the same bytes."""
    with suppress(Refused):
        assert cbor.encode(cbor.decode(data, "body", 65_536)) == data


def of_body(data: bytes) -> None:
    """6.2, 6.5."""
    with suppress(Refused):
        assert Body.decode(data).encode() == data


def _plaintext(data: bytes) -> bytes:
    return data[:PLAINTEXT].ljust(PLAINTEXT, b"\0")


def of_plaintext_to_desk(data: bytes) -> None:
    """5.1, 5.2, 7.2: decoded, believed as vouched for, joined."""
    plaintext = _plaintext(data)
    with suppress(Refused):
        assert decode(plaintext, TO_DESK).encode() == plaintext
        untrusted = read_at_desk(plaintext, KEYS.org, TODAY, b"t" * 16)
        if isinstance(untrusted, UntrustedMessage):
            untrusted.vouched(DEVICE).join([])


def of_plaintext_to_source(data: bytes) -> None:
    """5.1, 5.3, 7.4: decoded; then read in its place with the right MAC, as a hostile member makes it."""
    with suppress(Refused):
        part = decode(_plaintext(data), TO_SOURCE)
        assert part.encode() == _plaintext(data)
        if isinstance(part, SourcePart):
            info = binding(KEYS.org, TO_SOURCE, PLACE.epoch, PAIR.answer_tags(PLACE.epoch)[PLACE.n])
            plaintext = part.encode()[:62] + PAIR.mac(info, part.digest()) + part.encode()[78:]
            open_at_source(seal(plaintext, KEYS.kem.public, info), KEYS, PAIR, PLACE).join([])


ROOT_KEY = Ed25519PrivateKey.from_private_bytes(b"r" * 32)
SIGNING = [Ed25519PrivateKey.from_private_bytes(bytes([slot + 1]) * 32) for slot in range(16)]
SIGNERS = [key.public_key().public_bytes_raw() for key in SIGNING]
ROOT_CLAIM = Claim("root", FIRST_ORG, 1, TODAY, TODAY + 3_650, ROOT_KEY.public_key().public_bytes_raw())
ORG = hashlib.sha256(ROOT_CLAIM.payload()).digest()
ROOT_RAW = join_roots([ROOT_CLAIM.sign([ROOT_KEY])])
ROOT = UntrustedRoot.of(ROOT_RAW).verify(ORG, TODAY)
SLOTS = [[hashlib.sha256(key).digest(), key, ""] for key in SIGNERS]
ROSTER_CLAIM = Claim("roster", ORG, 1, TODAY, TODAY + 180, [1, SLOTS])
ROSTER: Roster = UntrustedRoster.of(ROSTER_CLAIM.sign([ROOT_KEY])).verify(ROOT, TODAY)
KINDS: dict[str, Callable[[bytes], object]] = {
    "root": lambda raw: UntrustedRoot.of(raw).verify(None, TODAY),
    "roster": lambda raw: UntrustedRoster.of(raw).verify(ROOT, TODAY),
    "duty": lambda raw: UntrustedDutyList.of(raw).verify(ROSTER, TODAY),
    "draft": lambda raw: UntrustedDutyList.of(raw).draft(ROSTER, TODAY),
    "card": lambda raw: UntrustedCard.of(raw).verify(ROOT, TODAY),
    "access": lambda raw: UntrustedAccess.of(raw).verify(ROOT, TODAY),
    "languages": lambda raw: UntrustedLanguages.of(raw).verify(ROOT, TODAY),
    "advice": lambda raw: UntrustedAdvice.of(raw).verify(ROOT),
    "texts": lambda raw: UntrustedCallTexts.of(raw).verify(ROOT),
    "calls": lambda raw: UntrustedCalls.of(raw).verify(ROOT, TODAY),
    "transport": lambda raw: UntrustedTransport.of(raw).verify(ROSTER, TODAY),
    "absence": lambda raw: UntrustedNotice.of(raw, "absence").verify(ROSTER, TODAY),
    "compromise": lambda raw: UntrustedNotice.of(raw, "compromise").verify(ROSTER, TODAY),
    "transports": lambda raw: read_transports(raw, ROSTER, TODAY),
}


def of_signed(kind: str) -> Callable[[bytes], None]:
    """8.3 and on, for one kind: first as bytes that anybody sends, then as a body that its rightful signer signed."""
    name = {"draft": "duty", "transports": "transport"}.get(kind, kind)

    def target(data: bytes) -> None:
        with suppress(Refused):
            KINDS[kind](data)
        with suppress(Refused):
            body = cbor.decode(data, "roster", 60_000)
            org = FIRST_ORG if kind == "root" else ORG
            raw = Claim(name, org, 1, TODAY, TODAY + 7, body).sign([ROOT_KEY, SIGNING[0]])
            KINDS[kind](cbor.encode([raw]) if kind in ("root", "transports") else raw)

    return target


def of_call_list(data: bytes) -> None:
    """8.19: what is taken encodes to the same bytes, its files in order."""
    with suppress(Refused):
        taken = CallList.read(data)
        assert CallList.read(taken.encode()).files == sorted(taken.files)


def of_join_request(data: bytes) -> None:
    """A request as it comes, and one that its own device signed."""
    with suppress(Refused):
        JoinRequest.read(data)
    with suppress(Refused):
        device = SIGNING[0]
        content = cbor.encode([ORG, ORG, data[:32].ljust(32, b"\0"), SIGNERS[0], data[32:64].ljust(32, b"\0")])
        JoinRequest.read(cbor.encode([content, device.sign(b"sottovoce/v1/join" + content)]))


def of_invitation(data: bytes) -> None:
    """8.14: a text as it comes, and one whose two signed things are these bytes."""
    for raw in (data, Invitation(data, data).text("Welcome."), Invitation(ROOT_RAW, data).text("")):
        with suppress(Refused):
            Invitation.read(raw).verify(TODAY)


def of_locked_file(data: bytes) -> None:
    """A locked file; the slow hash is left out."""
    with mock.patch.object(locked, "_key", return_value=bytes(32)), suppress(Refused, locked.WrongPassphrase):
        locked.unlock(data, "anything")


def of_passphrase(data: bytes) -> None:
    """2.4: typed words; the first byte is the language."""
    language = LANGUAGES[data[0] % len(LANGUAGES)] if data else LANGUAGES[0]
    with suppress(PhraseError):
        phrase = parse(data[1:].decode("utf-8", "replace"), language)
        assert parse(" ".join(phrase.words(language)), language) == phrase


def of_mailbox_item(data: bytes) -> None:
    """10.2: an item that opens, whatever it holds."""
    plaintext = data[: ITEM - ENCAPSULATED - AEAD_TAG].ljust(ITEM - ENCAPSULATED - AEAD_TAG, b"\0")
    item = seal(plaintext, TRANSPORT.public, b"sottovoce/v1/mailbox" + ORG + b"\5")
    with suppress(Refused):
        open_item(item, org=ORG, receiver=5, transport=TRANSPORT, signers=SIGNERS)
        raise AssertionError("nobody signed it")


def of_edition(data: bytes) -> None:
    """9.6: a stream of an edition with one tag changed, and as any bytes."""
    with suppress(RoadError):
        for _ in read_stream(_pieces(data), Listed(1, 32, hashlib.sha256(data).digest())):
            pass
    body = data.ljust(size_of(32) - HEADER, b"\0")[: size_of(32) - HEADER]
    whole = b"sottoed\x01" + (1).to_bytes(4, "big") + (32).to_bytes(4, "big") + body
    with suppress(RoadError):
        found = list(read_stream(_pieces(whole), Listed(1, 32, hashlib.sha256(whole).digest())))
        assert b"".join(tag for tag, _ in found) == body[: 32 * TAG]


def _pieces(data: bytes) -> Iterator[bytes]:
    """The bytes in pieces whose sizes the bytes themselves give."""
    at = 0
    while at < len(data):
        step = 100 + 64 * data[at]
        yield data[at : at + step]
        at += step


def of_cookie(data: bytes) -> None:
    """What a browser sends back as cookie or as a form's token."""
    visits = Visits(VisitKeys(bytes(32), bytes(32)), MemoryLedger(lambda: 0.0), lambda: 0.0, bytes)
    text = data.decode("latin-1")
    assert visits.open(text) is None
    session = visits.begin(Passphrase(bytes(16)), fresh=False)
    assert not visits.token_is_ours(text, session, "write")


def of_form(data: bytes) -> None:
    """A form's body, in two pieces."""
    headers = [(b"content-length", str(len(data)).encode())]
    pieces = [
        {"type": "http.request", "body": data[: len(data) // 2], "more_body": True},
        {"type": "http.request", "body": data[len(data) // 2 :], "more_body": False},
    ]

    async def receive() -> dict[str, object]:
        return pieces.pop(0)

    async def read() -> None:
        with suppress(BadSize):
            form = await read_form(Request({"type": "http", "method": "POST", "headers": headers}, receive))
            assert all(type(each) is str for pair in form.items() for each in pair)

    _run(read())


def _run(work: object) -> None:
    """Runs a coroutine that waits for nothing but timeouts that never come."""
    with asyncio.Runner() as runner:
        runner.run(work)  # type: ignore[arg-type]


class _Wire(asyncio.Transport):
    """A connection that nobody reads."""

    def write(self, data: object) -> None:
        """Forgets it."""

    def is_closing(self) -> bool:
        """Never of itself."""
        return False

    def close(self) -> None:
        """Nothing is open."""

    def pause_reading(self) -> None:
        """Nothing more comes anyway."""

    resume_reading = pause_reading

    def abort(self) -> None:
        """Nothing is open."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is kept."""

    def get_write_buffer_size(self) -> int:
        """Nothing is kept."""
        return 0


def of_connection(data: bytes) -> None:
    """Tor's circuit line and what follows it, in two pieces; who is served has the circuit that the line names."""
    circuits = []

    async def site(scope: Any, _receive: object, send: Any) -> None:
        circuits.append(scope["client"][0])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def connected() -> None:
        config = Config(site, log_config=None, lifespan="off", ws="none")
        config.load()
        protocol = CircuitProtocol(config, ServerState(), {}, asyncio.get_running_loop())
        protocol.connection_made(_Wire())
        for piece in (data[: len(data) // 2], data[len(data) // 2 :]):
            protocol.data_received(piece)
            await asyncio.sleep(0)
        protocol.connection_lost(None)
        await asyncio.sleep(0)

    _run(connected())
    first = data.split(b"\r\n")[0].split(b" ")
    assert all(each.startswith("fc00:dead:beef:4dad::") and each.encode() == first[2] for each in circuits)


CALLS: list[Callable[[PoolClient], object]] = [
    lambda pool: pool.put(TODAY, bytes(16), bytes(8_192)),
    lambda pool: pool.pending(),
    lambda pool: pool.fetch([bytes(16)]),
    lambda pool: pool.editions(),
    lambda pool: list(pool.edition(1, 0, 32)),
    lambda pool: list(pool.edition(1, 8_192)),
    lambda pool: pool.signed("roster"),
]


def of_reply(data: bytes) -> None:
    """What a server answers to a desk; the first byte picks the call."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data[1:60_000])
        theirs.shutdown(socket.SHUT_WR)
        with suppress(RoadError):
            CALLS[(data or b"\0")[0] % len(CALLS)](PoolClient("an.onion", lambda: ours))


def of_range(data: bytes) -> None:
    """A `Range` header of 9.8."""
    part = edition_api._part(data.decode("latin-1"), 10_000)
    assert part is None or 0 <= part[0] < part[1] <= 10_000


def of_vaults_kdf(data: bytes) -> None:
    """The plain file beside a vault."""
    with mock.patch.object(Path, "read_bytes", return_value=data), suppress(DeskError):
        salt, work = vault._read_kdf(Path("vault.db"))
        assert len(salt) == 32
        assert work.fair


TARGETS: dict[str, Callable[[bytes], None]] = {
    "cbor": of_cbor,
    "body": of_body,
    "plaintext_to_desk": of_plaintext_to_desk,
    "plaintext_to_source": of_plaintext_to_source,
    **{f"signed_{kind}": of_signed(kind) for kind in KINDS},
    "call_list": of_call_list,
    "join_request": of_join_request,
    "invitation": of_invitation,
    "locked_file": of_locked_file,
    "passphrase": of_passphrase,
    "mailbox_item": of_mailbox_item,
    "edition": of_edition,
    "cookie": of_cookie,
    "form": of_form,
    "connection": of_connection,
    "reply": of_reply,
    "range": of_range,
    "vaults_kdf": of_vaults_kdf,
}
