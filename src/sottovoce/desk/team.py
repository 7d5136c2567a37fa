"""What a desk does with its colleagues in one sync: takes in what they sent, destroys old keys, renews, answers.

`receive` comes before envelopes are opened, `destroy` and `serve` after (spec 10.1, 10.4 to 10.6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sottovoce.pool.edition import Listed
from sottovoce.pool.team_client import Conflict
from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.mailbox import CONTENT_MOST, Item
from sottovoce.protocol.sizes import ANSWER_EPOCHS, KEY, QUARTERS, epoch_of
from sottovoce.trust.duty import DUTY_DAYS_MOST

from .box import Box, TeamRoad
from .catchup import Catchup, is_forwarded, read_epochs
from .duty import Duty
from .road import SyncReport
from .seeds import Seeds
from .trusted import Trusted
from .vault import Vault

WARN_DAYS = 3  # of duty keys; renewal begins at four, so by then something went wrong
_SEEDS_MOST = 320  # an item; it has no room for more


class Forwarded(Protocol):
    """Takes in what a colleague forwards: its exact plaintext, and where it lay in the pool."""

    def __call__(self, plaintext: bytes, epoch: int, tag: bytes, edition: int, sender_slot: int) -> object:
        """Refused when it is no message for this device."""


@dataclass(frozen=True)
class Member:
    """A slot as far as it can be known: `seen` and `until` are epochs of its newest transport key, None without one.

    An empty slot can't be told from an absent device by the roster.
    """

    slot: int
    label: str
    own: bool
    seen: int | None
    until: int | None


class Team:
    """This device among its colleagues; `now` gives Unix seconds of the protocol's clock."""

    def __init__(
        self,
        vault: Vault,
        trusted: Trusted,
        now: Callable[[], float],
        random: Callable[[int], bytes],
        forwarded: Forwarded,
    ) -> None:
        self._vault, self._rows, self._trusted = vault, vault.rows, trusted
        self._now, self._random, self._forwarded = now, random, forwarded
        self.seeds = Seeds(vault)
        self._box: Box | None = None  # these two are of the sync that is under way
        self._duty = self.duty
        self._live = 0  # the least epoch whose keys may still be sent to a colleague

    @property
    def _today(self) -> int:
        return epoch_of(self._now())

    @property
    def duty(self) -> Duty:
        """The duty list as this vault knows it."""
        return Duty(self._vault, self._trusted, self.seeds, self._today, self._random)

    @property
    def _catchup(self) -> Catchup:
        return Catchup(self._vault, self._trusted, self.seeds, self._today)

    def receive(self, road: TeamRoad, report: SyncReport) -> None:
        """Takes in what colleagues sent, and notes what is lacking; RoadError. Before envelopes are opened."""
        slot = self._trusted.slot(self._trusted.roster)
        self._live = max(self._live, self._today - 1)
        if slot is None:  # nobody writes to a removed device any more
            self._box = None
            self._rows("DELETE FROM transport")
            return
        self._box = Box(self._vault, self._trusted, slot, self._today, self._random, report)
        self._duty = self.duty
        try:
            self._duty.look(road, report)
            self._box.receive(road, self._take)
            self._duty.name()  # what came may be named by the list
            self._catchup.settle()
        finally:
            self._catchup.note(self._duty)

    # Items of the mailbox (spec 10.3).

    def _take(self, item: Item) -> None:
        match cbor.decode(item.content, "body", CONTENT_MOST):
            case [0, dict() as seeds]:
                self._take_seeds(seeds)
            case [1, int() as since, list() as epochs] if type(since) is int:
                asked = read_epochs(epochs, self._today)
                self._catchup.requested(item.sender, [epoch for epoch in asked if epoch >= since])
            case [2, epoch, tag, edition, plaintext] if is_forwarded(epoch, tag, edition, plaintext):
                if self._catchup.wants(epoch):  # else it was asked for twice, and is here
                    self._forwarded(plaintext, epoch, tag, edition, item.sender)
            case [3, list() as covered, list() as rest]:
                self._catchup.done(item.sender, *(read_epochs(each, self._today) for each in (covered, rest)))
            case _:
                raise Refused("body", "The mailbox item is of no known kind.")

    def _take_seeds(self, seeds: dict[Any, Any]) -> None:
        days = range(self._today - ANSWER_EPOCHS - 1, self._today + DUTY_DAYS_MOST + 2)
        if not all(type(epoch) is int and isinstance(each, list) for epoch, each in seeds.items()):
            raise Refused("body", "The mailbox item holds no keys.")
        pairs = [(epoch, seed) for epoch, each in seeds.items() for seed in each]
        if len(pairs) > _SEEDS_MOST or not all(isinstance(seed, bytes) and len(seed) == KEY for _, seed in pairs):
            raise Refused("body", "The mailbox item holds no keys.")
        for epoch, seed in pairs:
            if epoch in days:
                self.seeds.keep(epoch, seed, own=False)

    # Destruction (spec 10.6).

    def destroy(self, road: TeamRoad, report: SyncReport, listed: Sequence[Listed]) -> None:
        """Destroys the keys of epochs that are over and stored; RoadError. `listed` is what this sync began with."""
        if listed:
            self._live = max(self._live, (max(each.number for each in listed) + 1) // QUARTERS - 1)
        oldest = self.seeds.oldest()
        over = [epoch for epoch in range(oldest, self._today) if self._is_over(epoch, listed)] if oldest else []
        if not over:
            return
        if self._box is not None and not self._box.fresh:
            self._box.rotate(road, self._take)  # or who recorded the mailbox could open old items with this vault
            if not self._box.fresh:
                return
        before = self.seeds.epochs()
        self.seeds.destroy(over)
        report.keys_destroyed += len(before - self.seeds.epochs())

    def _is_over(self, epoch: int, listed: Sequence[Listed]) -> bool:
        """Never by this desk's clock alone, but where all that it could open died in the pool long ago."""
        if epoch + 1 + ANSWER_EPOCHS < self._today:
            return True
        last = QUARTERS * (epoch + 1) + QUARTERS - 1
        if self._today < epoch + 2 or not any(each.number >= last for each in listed):
            return False
        stored = {number: bytes(name) for number, name in self._rows("SELECT number, hash FROM edition WHERE read")}
        return all(stored.get(each.number) == each.hash for each in listed if each.number <= last)

    # What goes to colleagues (spec 10.4, 10.5).

    def serve(self, road: TeamRoad, report: SyncReport) -> None:
        """Signs or renews the duty list, answers who asked, asks for what is lacking; RoadError."""
        if self._box is None:
            return
        self._care(road, self._box, report)
        colleagues = self._box.colleagues(road)
        self._catchup.serve(road, self._box, colleagues, self._duty.live_seeds(self._live))
        self._catchup.ask(road, self._box, self._duty, colleagues)

    def _care(self, road: TeamRoad, box: Box, report: SyncReport) -> None:
        """Of two renewals made at once one wins; the other takes in what that one made, and decides once more."""
        try:
            self._duty.care(road, box, report)
        except Conflict:
            self.receive(road, report)
            if self._box is not None:
                self._duty.care(road, self._box, report)

    # For those who look.

    def duty_days(self) -> int:
        """Epochs from today on for which the newest list has a key that this vault can open."""
        return self.duty.days_left()

    def warnings(self, today: int) -> tuple[str, ...]:
        """Sentences about keys and colleagues for the member."""
        if self._trusted.slot(self._trusted.roster) is None:
            return ()
        duty = Duty(self._vault, self._trusted, self.seeds, today, self._random)
        return tuple(self._warnings(duty))

    def _warnings(self, duty: Duty) -> Iterable[str]:
        days, draft, lacks = duty.days_left(), duty.kept_draft(), self._catchup.lacks()
        if days <= WARN_DAYS:
            yield f"Duty keys are left for {days} days, then nobody can write: sync, and see why none are added."
        if draft is not None:
            yield "The next duty list waits for a second member's signature: ask a colleague to sync."
        if lacks:
            yield f"Messages of {len(lacks)} days may be missing here: a colleague's desk is asked, sync again later."

    @property
    def threshold(self) -> int:
        """How many members must sign a duty list."""
        return self._trusted.roster.threshold

    def members(self) -> list[Member]:
        """The 16 slots of the newest roster, and when each was last heard of (spec 10.1)."""
        roster = self._trusted.roster
        own = self._trusted.slot(roster)
        rows = self._rows("SELECT slot, device, issued, expires FROM colleague")
        seen = {(slot, bytes(device)): (issued, expires) for slot, device, issued, expires in rows}
        found = []
        for number, slot in enumerate(roster.slots):
            issued, expires = seen.get((number, slot.signing), (None, None))
            found.append(Member(number, slot.label, number == own, issued, expires))
        return found
