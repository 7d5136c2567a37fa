"""A road to a server in memory, with teeth: what no desk may do fails the test at once.

Signed things, drafts and transport keys lie in the server's real stores; pool, editions and mailbox are doubles. The
server can be made to lose answers, withhold, roll back, and show the door something else than members.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from typing import Literal

from sottovoce.pool.edition import MULTIPLE, Listed, edition_bytes, next_hour, padded
from sottovoce.pool.errors import PutResult, Reply, RoadError
from sottovoce.pool.team import AT_ONCE, ITEM, RECEIPT, PostResult
from sottovoce.pool.team_client import Conflict
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import ANSWER_EPOCHS, ENVELOPE, QUARTERS, SLOTS, TAG, edition_of, epoch_of
from sottovoce.trust.notice import KINDS as NOTICES
from sottovoce.trust.notice import Kind
from sottovoce.trust.published import SignedFolder, write_durably
from sottovoce.trust.team import TeamFolder

Loss = Literal["before", "after"]
KINDS = ("root", "roster", "card", "duty", *NOTICES)


class Things(MutableMapping[str, bytes]):
    """The signed files of the server's folder, by kind."""

    def __init__(self, signed: SignedFolder) -> None:
        self._signed = signed

    def __getitem__(self, kind: str) -> bytes:
        raw = self._signed.get(kind)
        if raw is None:
            raise KeyError(kind)
        return raw

    def __setitem__(self, kind: str, raw: bytes) -> None:
        write_durably(self._signed.path(kind), raw)

    def __delitem__(self, kind: str) -> None:
        self._signed.path(kind).unlink()

    def __iter__(self) -> Iterator[str]:
        return (kind for kind in KINDS if self._signed.path(kind).exists())

    def __len__(self) -> int:
        return len(list(iter(self)))


class MemoryRoad:
    """Pool, door and members' onion in one; `now` is the server's clock, `folder` holds what is signed.

    `losses` maps a call's name to losses to come: before it did anything, or after. `steps` is called before and after
    each call. `at_door` and `to_members` hold what the door or the members' onion shows instead of what is held. What
    `withheld` names gets into no edition; what `hidden` names is not listed; `altered` are other bytes than listed.
    """

    def __init__(self, now: Callable[[], float], folder: Path) -> None:
        self.now = now
        self._signed = SignedFolder(folder)
        self.team = TeamFolder(self._signed, now)
        self.things = Things(self._signed)
        self.at_door: dict[str, bytes | None] = {}
        self.to_members: dict[str, bytes | None] = {}
        self.pool: dict[bytes, tuple[int, bytes]] = {}
        self.closed: dict[int, bytes] = {}
        self.withheld: set[bytes] = set()
        self.hidden: set[int] = set()
        self.off: set[int] = set()  # editions in which the server did not run
        self.altered: dict[int, bytes] = {}
        self.puts: list[tuple[int, bytes, bytes]] = []
        self.box: dict[bytes, tuple[int, int, bytes]] = {}
        self.downloads: list[int] = []
        self.circuits = 0
        self.losses: dict[str, list[Loss]] = {}
        self.steps: Callable[[str], None] = lambda name: None
        self.full = False
        self.may_ask_again = False  # after a crash, for new keys, or to compare
        self._open = edition_of(now())
        self._fetched: set[bytes] = set()
        self._listed: set[bytes] = set()
        self._shown: set[int] = set()
        self._bytes: dict[bytes, bytes] = {}

    def fresh(self) -> nullcontext[MemoryRoad]:
        """New circuits; the server is the same."""
        self.circuits += 1
        return nullcontext(self)

    def check(self) -> None:
        """At a test's end: what it prepared has happened."""
        assert not any(self.losses.values()), f"a loss never came: {self.losses}"

    # What only the server does.

    def arrive(self, tag: bytes, envelope: bytes, edition: int | None = None) -> None:
        """Something came from anybody."""
        self._turn()
        self.pool[tag] = (self._open if edition is None else edition, envelope)

    def _turn(self) -> None:
        """Closes what is due, each edition once, and forgets what is too old."""
        for number in range(self._open, edition_of(self.now())):
            held = {tag: envelope for tag, (edition, envelope) in self.pool.items() if edition == number}
            if held or number not in self.off:
                self.closed[number] = self._close(number, held)
        self._open = max(self._open, edition_of(self.now()))
        for number in [number for number in self.closed if number // QUARTERS + ANSWER_EPOCHS < epoch_of(self.now())]:
            del self.closed[number]
            self.pool = {tag: held for tag, held in self.pool.items() if held[0] != number}

    def _close(self, number: int, held: dict[bytes, bytes]) -> bytes:
        shown = {
            tag: envelope for tag, envelope in held.items() if tag not in self.withheld and len(envelope) == ENVELOPE
        }
        while len(shown) < padded(len(held)):  # a desk can't tell these from dummies: it has no key for either
            shown[secrets.token_bytes(TAG)] = secrets.token_bytes(ENVELOPE)
        return edition_bytes(number, shown)

    # What everybody may ask.

    def editions(self) -> list[Listed]:
        """Every edition alive that is not hidden; of an altered one, what it was before."""
        self._begin("editions")
        self._turn()
        listed = [number for number in sorted(self.closed) if number not in self.hidden]
        self._shown |= set(listed)
        self._end("editions")
        return [self.listed(number) for number in listed]

    def listed(self, number: int) -> Listed:
        """An edition's entry."""
        raw = self.closed[number]
        return Listed(number, int.from_bytes(raw[12:16], "big"), sha256(raw).digest())

    def edition(self, number: int) -> Iterator[bytes]:
        """An edition in chunks that fit nothing; lost "after", it breaks in the middle."""
        assert number in self._shown, "read an edition that was not listed"
        assert self.may_ask_again or number not in self.downloads, "read twice: it was whole the first time"
        self._begin("edition")
        raw = self.altered.get(number, self.closed[number])
        half = len(raw) // 2
        yield from (raw[at : at + 10_007] for at in range(0, half, 10_007))
        rest = raw[(half + 10_006) // 10_007 * 10_007 :]
        self._end("edition")
        yield from (rest[at : at + 30_011] for at in range(0, len(rest), 30_011))
        if number not in self.altered:
            self.downloads.append(number)

    def shown(self, kind: str) -> bytes | None:
        """What the door shows to everybody."""
        assert kind in KINDS, "the access list is never public"
        self._begin("shown")
        return self.at_door[kind] if kind in self.at_door else self.things.get(kind)

    def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        """One envelope; the same tag must always come with the same bytes."""
        assert len(tag) == TAG
        assert len(envelope) == ENVELOPE
        assert self._bytes.setdefault(tag, envelope) == envelope, "sealed anew under a tag that was used"
        self.puts.append((epoch, tag, envelope))
        self._begin("put")
        result = self._store(epoch, tag, envelope)
        self._end("put")
        return Reply(result, epoch_of(self.now()), next_hour(self._open))

    def _store(self, epoch: int, tag: bytes, envelope: bytes) -> PutResult:
        self._turn()
        today = epoch_of(self.now())
        if epoch not in (today, today - 1):
            return PutResult.WRONG_EPOCH
        if tag in self.pool:
            return PutResult.KNOWN if self.pool[tag][1] == envelope else PutResult.TAKEN
        if self.full:
            return PutResult.FULL
        self.arrive(tag, envelope)
        return PutResult.STORED

    # What members may ask.

    def pending(self) -> list[tuple[int, bytes]]:
        """All that lies in no edition yet."""
        self._begin("pending")
        self._turn()
        self._listed |= {tag for tag, (edition, _) in self.pool.items() if edition >= self._open}
        self._end("pending")
        return sorted((edition, tag) for tag, (edition, _) in self.pool.items() if edition >= self._open)

    def fetch(self, tags: Sequence[bytes]) -> list[bytes]:
        """The envelopes, in order; each once, and only what was listed."""
        assert 0 < len(tags) <= 128
        assert set(tags) <= self._listed, "fetched what was not listed"
        again = self._fetched & set(tags)
        assert self.may_ask_again or not again, "fetched twice: that tells the server which ones matter"
        self._begin("fetch")
        self._fetched |= set(tags)
        self._end("fetch")
        return [self.pool[tag][1] for tag in tags]

    def signed(self, kind: str) -> bytes | None:
        """What members are shown."""
        assert kind in KINDS, "the access list is never served"
        self._begin("signed")
        return self.to_members[kind] if kind in self.to_members else self.things.get(kind)

    def put_duty(self, raw: bytes) -> None:
        """Compare and swap."""
        self._begin("put_duty")
        self._refusing(lambda: self.team.put_duty(raw))
        self._end("put_duty")

    def put_notice(self, kind: Kind, raw: bytes) -> None:
        """Compare and swap; a server may say that it took one that it does not show."""
        self._begin("put_notice")
        self._refusing(lambda: self.team.put_notice(kind, raw))
        self._end("put_notice")

    def draft(self) -> bytes | None:
        """The draft of the next duty list."""
        self._begin("draft")
        return self.team.draft()

    def put_draft(self, raw: bytes) -> bool:
        """A draft, or one signature more."""
        self._begin("put_draft")
        published = self._refusing(lambda: self.team.put_draft(raw))
        self._end("put_draft")
        return bool(published)

    @staticmethod
    def _refusing(put: Callable[[], bool | None]) -> bool | None:
        try:
            return put()
        except Refused as error:
            raise Conflict(str(error)) from error

    def transports(self) -> bytes:
        """All transport keys."""
        self._begin("transports")
        return self.team.transports()

    def put_transport(self, raw: bytes) -> None:
        """A device's newer transport key."""
        self._begin("put_transport")
        self._refusing(lambda: self.team.put_transport(raw))
        self._end("put_transport")

    def post_item(self, slot: int, transport_hash: bytes, receipt_hash: bytes, item: bytes) -> PostResult:
        """An item for a slot."""
        assert len(item) == ITEM
        assert 0 <= slot < SLOTS
        self._begin("post_item")
        stale = self.team.transport(slot) != transport_hash
        if not stale:
            assert receipt_hash not in self.box, "a receipt is for one item"
            self.box[receipt_hash] = (slot, epoch_of(self.now()), item)
        self._end("post_item")
        return PostResult.STALE if stale else PostResult.STORED

    def items(self, slot: int) -> list[bytes]:
        """The newest of a slot."""
        self._begin("items")
        mine = [(day, item) for to, day, item in self.box.values() if to == slot]
        return [item for _, item in sorted(mine, reverse=True)[:AT_ONCE]]

    def acknowledge(self, receipts: Sequence[bytes]) -> None:
        """Deletes items."""
        assert 0 < len(receipts) <= AT_ONCE
        assert all(len(receipt) == RECEIPT for receipt in receipts)
        self._begin("acknowledge")
        for receipt in receipts:
            self.box.pop(sha256(receipt).digest(), None)
        self._end("acknowledge")

    def _begin(self, call: str) -> None:
        self.steps(f"before {call}")
        self._lose(call, "before")

    def _end(self, call: str) -> None:
        self._lose(call, "after")
        self.steps(f"after {call}")

    def _lose(self, call: str, when: Loss) -> None:
        if self.losses.get(call, [])[:1] == [when]:
            self.losses[call].pop(0)
            raise RoadError("The connection to the server broke: try again.")


assert MULTIPLE == 32  # tests count on it
