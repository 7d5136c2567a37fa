"""What a desk does in a second of one core: opens a message, and reads whole editions into a vault.

`python -m bench.desk` prints what the steps of one message cost (docs/decisions/desk-opens.md).
"""

from __future__ import annotations

import secrets
import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from itertools import cycle
from pathlib import Path

from doubles.organisation import Organisation
from doubles.road import MemoryRoad

from sottovoce.desk.collect import Collector
from sottovoce.desk.editions import Editions
from sottovoce.desk.intake import Intake
from sottovoce.desk.letters import Letters
from sottovoce.desk.outgoing import Outgoing
from sottovoce.desk.parts import Parts
from sottovoce.desk.road import SyncReport
from sottovoce.desk.tables import TABLES
from sottovoce.desk.trusted import Trusted
from sottovoce.desk.vault import Vault
from sottovoce.desk.vault_team import TEAM_TABLES
from sottovoce.pool.edition import MULTIPLE, edition_bytes
from sottovoce.protocol.body import Body
from sottovoce.protocol.dummy import make_dummy
from sottovoce.protocol.envelope import TO_DESK, desk_digest
from sottovoce.protocol.keys import SourceKeys, check_kem, conversation_id, member_pair
from sottovoce.protocol.message import UntrustedMessage, open_at_desk, read_at_desk, seal_to_desk
from sottovoce.protocol.sealing import binding, unseal
from sottovoce.protocol.sizes import EPOCH_SECONDS, KEY, QUARTERS, TAG, epoch_of
from sottovoce.protocol.words import Passphrase
from sottovoce.trust.published import SignedFolder

from . import ceilings

_MOST = 64 * MULTIPLE  # envelopes in an edition that is read


def stored(org: Organisation) -> dict[bytes, bytes]:
    """What visitors wrote: envelope by tag, each a message of one part from a source of its own."""
    (path,) = (org.server / "pool" / "pending").glob("*.sqlite3")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        return dict(base.execute("SELECT tag, sealed FROM envelope ORDER BY tag LIMIT ?", (_MOST,)))


def dummies(org: Organisation) -> dict[bytes, bytes]:
    """Envelopes that nobody can open."""
    return dict(make_dummy(secrets.token_bytes, org.org, org.today) for _ in range(_MOST))


def opens(org: Organisation, messages: Mapping[bytes, bytes], seconds: float) -> tuple[float, float]:
    """Messages opened and verified in a second, without a vault; and bare openings, in turns with them."""
    turn, duty = cycle(messages.items()), org.duty_keys[org.today]

    def work() -> None:
        tag, sealed = next(turn)
        opened = open_at_desk(sealed, duty, org.org, org.today, tag)
        assert isinstance(opened, UntrustedMessage)
        opened.verify(org.dh, org.slot).join([])

    return ceilings.in_turns(work, ceilings.opening(), seconds)


def reads(org: Organisation, path: Path, held: Mapping[bytes, bytes]) -> float:
    """Envelopes of an edition that a desk reads in a CPU second, all checks and the vault's writes with it.

    The keys of two days are at hand, as at every desk: what is not a message is tried with both.
    """
    now = float((org.today + 1) * EPOCH_SECONDS)
    road, report = MemoryRoad(lambda: now, org.server / "signed"), SyncReport()
    chosen = sorted(held)[: len(held) // MULTIPLE * MULTIPLE]
    road.closed[QUARTERS * org.today] = edition_bytes(QUARTERS * org.today, {tag: held[tag] for tag in chosen})
    with closing(_vault(org, path)) as vault:
        editions, parts = Editions(vault), Parts(vault)
        intake = Intake(vault, Trusted(vault), Letters(vault, parts, editions.through), parts)
        listed = editions.compare(road.editions(), now, report)
        begin = time.process_time()
        Collector(vault, editions, intake, Outgoing(vault), parts, report).read_editions(road, listed)
        took = time.process_time() - begin
    assert report.messages + report.others == len(chosen) > 0  # else this measured nothing
    return len(chosen) / took


def _vault(org: Organisation, path: Path) -> Vault:
    """A vault of the organisation's member, without the work of a passphrase."""
    vault, published = Vault(path, secrets.token_bytes(KEY)), SignedFolder(org.server / "signed").published(org.today)
    vault._db.execute(TABLES + TEAM_TABLES)
    vault.keep_note("org", org.org)
    vault.keep_device_key("dh", org.dh.private_bytes_raw())
    for thing in (published.root, published.roster):
        vault.keep_signed(thing.claim.kind, thing.hash, thing.claim.serial, thing.raw)
    vault.keep_duty_seeds([(org.today - 1, secrets.token_bytes(KEY)), (org.today, org.duty_keys[org.today].seed)])
    return vault


def written(org: Organisation, count: int) -> dict[bytes, bytes]:
    """Envelope by tag of messages, each of a new source."""
    audience = SignedFolder(org.server / "signed").published(org.today).audience(org.today)
    assert audience

    def one(tag: bytes) -> bytes:
        keys, name = SourceKeys(org.org, Passphrase(secrets.token_bytes(16))), secrets.token_bytes(TAG)
        return seal_to_desk(keys, audience, Body("x" * 1_000), tags=[tag], message_id=name, seen=bytes(256))[0]

    return {tag: one(tag) for tag in (secrets.token_bytes(TAG) for _ in range(count))}


def steps(org: Organisation, tag: bytes, sealed: bytes) -> dict[str, Callable[[], object]]:
    """The steps of spec 7.2 on one message, each to be done by itself."""
    duty, info = org.duty_keys[org.today], binding(org.org, TO_DESK, org.today, tag)
    plaintext = unseal(sealed, duty, info)
    found = read_at_desk(plaintext, org.org, org.today, tag)
    assert isinstance(found, UntrustedMessage)
    part, first = found.part, found.verify(org.dh, org.slot)
    pair = member_pair(org.dh, part.dh, part.c, org.org, org.slot)
    return {
        "1 HPKE opening": lambda: unseal(sealed, duty, info),
        "2 header and fields": lambda: read_at_desk(plaintext, org.org, org.today, tag),
        "4 pairwise key: X25519, HKDF": lambda: member_pair(org.dh, part.dh, part.c, org.org, org.slot),
        "5 digest and MAC": lambda: pair.mac(info, desk_digest(plaintext)),
        "6 key to answer to: ML-KEM, X25519": lambda: check_kem(part.kem),
        "7 conversation's id": lambda: conversation_id(org.org, part.kem, part.dh, part.c),
        "8, 9 body: hash, CBOR": lambda: first.join([]),
    }


def main(rounds: int = 60) -> None:
    """Prints CPU microseconds of each step: the least of so many rounds over messages that differ."""
    with tempfile.TemporaryDirectory() as folder:
        org = Organisation(Path(folder), epoch_of(time.time()))
        org.go_on_duty()
        messages = [steps(org, *each) for each in written(org, 100).items()]
        least = dict.fromkeys(messages[0], 1.0)
        for _ in range(rounds):
            took = dict.fromkeys(least, 0.0)
            for name, step in (each for message in messages for each in message.items()):
                begin = time.process_time()
                step()
                took[name] += (time.process_time() - begin) / len(messages)
            least = {name: min(least[name], took[name]) for name in least}
    for name, seconds in {**least, "all": sum(least.values())}.items():
        print(f"{name:36}{seconds * 1e6:6.0f} µs")


if __name__ == "__main__":
    main()
