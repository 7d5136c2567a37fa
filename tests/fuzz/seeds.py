"""Small good inputs for each target, made by the program itself; what fuzzing found lies in corpus/ beside this."""

from __future__ import annotations

import json
from pathlib import Path

from sottovoce.protocol import cbor
from sottovoce.protocol.body import Body
from sottovoce.protocol.envelope import TO_DESK, TO_SOURCE, DeskPart, Header, LaterPart, SourcePart, body_hash
from sottovoce.protocol.words import Passphrase
from sottovoce.trust.call_list import CallList, ListedFile, ListedTexts
from sottovoce.trust.join import Invitation, JoinRequest
from sottovoce.trust.roster import FIRST_ORG, join_roots
from sottovoce.trust.signed import Claim

from .targets import (
    KEYS,
    ORG,
    PLACE,
    ROOT_CLAIM,
    ROOT_KEY,
    ROOT_RAW,
    ROSTER,
    SIGNERS,
    SIGNING,
    SLOTS,
    TODAY,
    TRANSPORT,
)

CORPUS = Path(__file__).parent / "corpus"
BODY = Body("hello", after=b"i" * 16).encode()
LINE = b"PROXY TCP6 fc00:dead:beef:4dad::0:15 ::1 65535 42\r\n"


def _parts() -> dict[str, list[bytes]]:
    first = DeskPart(
        Header(TO_DESK, bytes(16)), BODY, body_hash(BODY), bytes(32), KEYS.kem.public, KEYS.dh, KEYS.c, bytes(256)
    )
    answer = SourcePart(Header(TO_SOURCE, bytes(16), slot=PLACE.slot, n=PLACE.n), BODY, body_hash(BODY), 1, TODAY)
    later = [LaterPart(Header(way, bytes(16), part=1, parts=2), b"more") for way in (TO_DESK, TO_SOURCE)]
    plaintexts: dict[str, list[DeskPart | SourcePart | LaterPart]] = {
        "to_desk": [first, later[0]],
        "to_source": [answer, later[1]],
    }
    return {
        f"plaintext_{way}": [each.encode().rstrip(b"\0") for each in each_way] for way, each_way in plaintexts.items()
    }


def _signed() -> dict[str, list[bytes]]:
    bodies = {
        "root": ROOT_CLAIM.body,
        "roster": [1, SLOTS],
        "duty": [ROSTER.hash, {TODAY: TRANSPORT.public}],
        "card": ["Office", ["a.onion"], ["en"], ["@office"], 1, 1],
        "access": ["m.onion", {0: bytes(32)}],
        "languages": {"zh-Hans": [bytes(32), TODAY]},
        "advice": [TODAY - 49, {"fa": "a"}],
        "texts": {"fa": [bytes(32), TODAY]},
        "calls": {"old-quay": [bytes(32), TODAY]},
        "transport": [0, TRANSPORT.public],
        "absence": TODAY + 3,
        "compromise": TODAY,
    }
    made = {f"signed_{kind}": [cbor.encode(body), _claim(kind, body)] for kind, body in bodies.items()}
    made["signed_draft"] = made["signed_duty"]
    made["signed_transports"] = [made["signed_transport"][0], cbor.encode([made["signed_transport"][1]])]
    made["signed_root"].append(join_roots([made["signed_root"][1]]))
    return made


def _claim(kind: str, body: object) -> bytes:
    org, last = (FIRST_ORG if kind == "root" else ORG), TODAY if kind == "duty" else TODAY + 7
    return Claim(kind, org, 1, TODAY, last, body).sign([ROOT_KEY, SIGNING[0]])


def _call_list() -> bytes:
    file = ListedFile("upload/youtube/fa/1-1 film.mp4", 9, bytes(32), "fa", "youtube", "A film")
    texts = {"fa": ListedTexts(bytes(32), "Why")}
    return CallList("old-quay", TODAY, [file], texts, [("a.example/1", "a.example")], ["b.example"], [b"c"]).encode()


def _replies() -> list[bytes]:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n"
    record = (1).to_bytes(4, "big") + (32).to_bytes(4, "big") + bytes(32)
    bodies = [(0, b"", b"Epoch: 1\r\nHour: 6\r\n"), (1, bytes(20), b""), (3, record, b""), (6, b"x", b"")]
    return [bytes([call]) + head % (len(body), more) + body for call, body, more in bodies]


def seeds() -> dict[str, list[bytes]]:
    """For each target, some inputs that its parser takes."""
    card = _signed()["signed_card"][1]
    phrase, request = Passphrase(bytes(16)), JoinRequest(ORG, ORG, KEYS.dh, SIGNERS[0], KEYS.dh)
    return {
        "cbor": [cbor.encode({0: "text", 1: [1, -1, None, True, b"bytes", {}], 2: 2**64 - 1})],
        "body": [BODY],
        **_parts(),
        **_signed(),
        "call_list": [_call_list()],
        "join_request": [request.sign(SIGNING[0]), KEYS.dh * 2],
        "invitation": [Invitation(ROOT_RAW, card).text("Welcome."), card],
        "locked_file": [cbor.encode([bytes(16), 3, 4, 262_144, bytes(12), bytes(32)])],
        "passphrase": [b"\0" + " ".join(phrase.words()).encode(), b"\1" + ", ".join(phrase.numbers).encode()],
        "mailbox_item": [b"\1\3\5\0\0\5" + bytes(80) + b"hello"],
        "edition": [
            b"sottoed\1" + bytes(3) + b"\1" + bytes(3) + b"\x20",
            b"".join(bytes(15) + bytes([n]) for n in range(32)),
        ],
        "cookie": [b"AAAA"],
        "form": [b"text=a&token=b&%d9%85=+"],
        "connection": [
            LINE + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            LINE + b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx",
        ],
        "reply": _replies(),
        "range": [b"bytes=1-2", b"bytes=-5", b"bytes=9-"],
        "vaults_kdf": [json.dumps({"memory": 65_536, "passes": 3, "lanes": 1, "salt": "00" * 32}).encode()],
    }


def inputs(name: str) -> list[bytes]:
    """Seeds and corpus of a target."""
    return seeds()[name] + [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
