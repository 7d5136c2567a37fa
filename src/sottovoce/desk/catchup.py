"""Catching up by request: what is lacking here, and what a colleague asks for (spec 10.5).

`lack` holds the epochs in which something may have come that no key here opened. It ends with a colleague's word
that all was sent, if that word was asked for when nothing more could be missed: with the keys here, or the epoch over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import ANSWER_EPOCHS, TAG
from sottovoce.trust.transport import Transport

from .box import Box, TeamRoad
from .duty import Duty, seeds_item
from .seeds import Seeds
from .trusted import Trusted
from .vault import Vault

REQUEST, FORWARDED, DONE = 1, 2, 3  # kinds of mailbox items (spec 10.3)
FORWARD_MOST = 256  # items a sync: 3 MB, some minutes over Tor
EPOCHS_MOST = 400  # a request: more than a year away is a new beginning
_ROSTER, _CHANGED = "roster at sync", "lists went"  # the second: on which epoch that was seen


class Catchup:
    """What this device lacks and what it gives; one for each sync."""

    def __init__(self, vault: Vault, trusted: Trusted, seeds: Seeds, today: int) -> None:
        self._vault, self._rows, self._trusted, self._seeds, self._today = vault, vault.rows, trusted, seeds, today

    # What is lacking here.

    def note(self, duty: Duty) -> None:
        """Notes, before envelopes are opened, in which epochs one may come that no key here opens."""
        today, lacking = self._today, duty.lacking()
        with self._vault.transaction():
            for epoch in {*self._missed(duty), *lacking}:
                self._rows("INSERT OR IGNORE INTO lack VALUES (?)", epoch)
            for epoch in self.lacks():
                early = epoch > today and epoch not in lacking  # its key came before anybody could use it
                if early or epoch < today - EPOCHS_MOST:
                    self._settle(epoch)
            if self._lists_went():
                self._vault.keep_note(_CHANGED, today)
            self._vault.keep_note(_ROSTER, self._trusted.roster.hash)

    def _lists_went(self) -> bool:
        """Whether a list may have come and gone since the last sync, of which no key reached this device.

        That needs another roster now, and either a longer absence or a roster in between.
        """
        last, raw = self._vault.note("last sync"), self._vault.note(_ROSTER)
        if last is None or raw is None or bytes(raw) == self._trusted.roster.hash:
            return False
        before = next((each for each in self._trusted.rosters if each.hash == bytes(raw)), None)
        between = before is None or self._trusted.roster.claim.serial - before.claim.serial > 1
        return between or last < self._today - 1

    def _missed(self, duty: Duty) -> Iterable[int]:
        """Past epochs since the last whole sync that have no key here; all, and today, where a list may have gone."""
        last = self._vault.note("last sync")
        begin = max(self._joined(self._dh), 0 if last is None else last - 1)
        held, changed = self._seeds.epochs(), self._lists_went()
        end = self._today + (changed or (last is None and duty.any_list))  # a new device had no key this morning
        days = range(max(begin, self._seeds.floor + 1, self._today - EPOCHS_MOST), end)
        return [epoch for epoch in days if changed or epoch not in held]

    @property
    def _dh(self) -> bytes:
        return self._trusted.device.public_key().public_bytes_raw()

    def _joined(self, dh: bytes) -> int:
        """The epoch of the oldest roster here that has this device."""
        return min((each.claim.issued for each in self._trusted.rosters if each.slot_of(dh) is not None), default=0)

    def lacks(self) -> list[int]:
        """The epochs that are still to be asked for."""
        return [epoch for (epoch,) in self._rows("SELECT epoch FROM lack ORDER BY epoch")]

    def wants(self, epoch: int) -> bool:
        """Whether something of this epoch was asked for."""
        return bool(self._rows("SELECT 1 FROM lack WHERE epoch = ?", epoch))

    def _settle(self, epoch: int) -> None:
        self._rows("DELETE FROM lack WHERE epoch = ?", epoch)
        self._rows("DELETE FROM asked WHERE epoch = ?", epoch)

    # Asking.

    def ask(self, road: TeamRoad, box: Box, duty: Duty, colleagues: Mapping[int, Transport]) -> None:
        """Asks one colleague, the one who was here last; at the next sync another, until nothing is lacking."""
        self._give_up(colleagues.keys())
        lacks, changed = self.lacks(), int(self._vault.note(_CHANGED) or 0)
        keys = {each for each in self._seeds.epochs() - set(duty.lacking()) if each > changed}
        order = sorted(colleagues, key=lambda slot: (-colleagues[slot].claim.issued, (slot - box.slot) % 16))
        for slot in order:
            epochs = [epoch for epoch in lacks if self._may_ask(epoch, slot, held=epoch in keys)]
            if epochs and box.post(road, slot, cbor.encode([REQUEST, min(epochs), epochs[-EPOCHS_MOST:]])):
                for epoch in epochs[-EPOCHS_MOST:]:
                    values = (epoch, slot, self._today, epoch in keys)
                    self._rows("INSERT OR REPLACE INTO asked VALUES (?, ?, ?, ?, 0)", *values)
                return

    def _give_up(self, colleagues: Collection[int]) -> None:
        """What no edition holds any more, and no colleague has, is lost, or there never was a key for it.

        Where colleagues are only absent, one who comes back may have it.
        """
        query = "SELECT answered FROM asked WHERE (epoch, slot) = (?, ?)"
        alone = not self._rows("SELECT 1 FROM colleague LIMIT 1")
        for epoch in self.lacks():
            answers = [self._rows(query, epoch, slot) == [(1,)] for slot in colleagues]
            if epoch < self._today - ANSWER_EPOCHS - 1 and all(answers) and (answers or alone):
                self._settle(epoch)

    def _may_ask(self, epoch: int, slot: int, *, held: bool) -> bool:
        """Not twice a day for the same, and never again who said that they don't have it."""
        rows = self._rows("SELECT day, held, answered FROM asked WHERE (epoch, slot) = (?, ?)", epoch, slot)
        return not rows or (not rows[0][2] and rows[0][:2] != (self._today, held))

    def done(self, slot: int, covered: Sequence[int], rest: Sequence[int]) -> None:
        """A colleague sent all that it has of some epochs, and does not have all of the rest; see `settle`."""
        words = [(slot, epoch, yes) for yes, epochs in ((1, covered), (0, rest)) for epoch in epochs]
        self._vault.many("INSERT OR REPLACE INTO word VALUES (?, ?, ?)", words)

    def settle(self) -> None:
        """Believes the colleagues' words, once all is taken in that they sent before."""
        with self._vault.transaction():
            for slot, epoch, covered in self._rows("SELECT slot, epoch, covered FROM word"):
                query = "SELECT day, held FROM asked WHERE (epoch, slot) = (?, ?)"
                for day, held in self._rows(query, epoch, slot):
                    if covered and (held or day >= epoch + 2):  # else something may have come since: ask once more
                        self._settle(epoch)
                if not covered:
                    self._rows("UPDATE asked SET answered = 1 WHERE (epoch, slot) = (?, ?)", epoch, slot)
            self._rows("DELETE FROM word")

    # Answering.

    def requested(self, slot: int, epochs: Sequence[int]) -> None:
        """Keeps a colleague's request. One under way goes on, but comes back to what may have grown since."""
        device = self._trusted.roster.slots[slot].signing
        held = self._rows("SELECT epochs, day, epoch, tag FROM request WHERE (slot, device) = (?, ?)", slot, device)
        place, before = (-1, b""), []
        for raw, day, epoch, tag in held:
            before = cbor.decode(raw, "body", len(raw))
            place = min((epoch, tag), (day - 2, b""), *((each, b"") for each in epochs if each not in before))
        both = cbor.encode(sorted({*before, *epochs})[-EPOCHS_MOST:])
        self._rows(
            "INSERT OR REPLACE INTO request VALUES (?, ?, ?, ?, 0, ?, ?)", slot, device, both, self._today, *place
        )

    def serve(self, road: TeamRoad, box: Box, colleagues: Iterable[int], seeds: Mapping[int, list[bytes]]) -> None:
        """Answers those who asked: live keys first, then exact plaintexts, a bounded number a sync."""
        left, present = FORWARD_MOST, set(colleagues)
        for slot, device, epochs, _, seeded, epoch, tag in self._rows("SELECT * FROM request ORDER BY slot"):
            if self._trusted.roster.slots[slot].signing != device:
                self._rows("DELETE FROM request WHERE slot = ?", slot)
            elif slot in present and left > 0:
                if not seeded and not self._send_seeds(road, box, slot, seeds):
                    continue
                asked = cbor.decode(epochs, "body", len(epochs))
                left = self._forward(road, box, slot, asked, (epoch, tag), left)

    def _send_seeds(self, road: TeamRoad, box: Box, slot: int, seeds: Mapping[int, list[bytes]]) -> bool:
        sent = box.post(road, slot, seeds_item(seeds))
        if sent:
            self._rows("UPDATE request SET seeded = 1 WHERE slot = ?", slot)
        return sent

    def _forward(
        self, road: TeamRoad, box: Box, slot: int, asked: Sequence[int], at: tuple[int, bytes], left: int
    ) -> int:
        """Sends plaintexts from the place `at` on, then the word that this was all; how many may still be sent."""
        since = self._joined(self._trusted.roster.slots[slot].dh)
        epochs = [epoch for epoch in asked if epoch >= since]
        marks = ",".join("?" * len(epochs))
        query = f"SELECT epoch, tag, edition, plaintext FROM plain WHERE epoch IN ({marks}) AND (epoch, tag) > (?, ?)"  # noqa: S608
        found = self._rows(f"{query} ORDER BY epoch, tag LIMIT ?", *epochs, *at, left)
        for epoch, tag, edition, plaintext in found:
            if not box.post(road, slot, cbor.encode([FORWARDED, epoch, tag, edition, plaintext])):
                return left
            self._rows("UPDATE request SET epoch = ?, tag = ? WHERE slot = ?", epoch, tag, slot)
            left -= 1
        if left and box.post(road, slot, self._word(asked, since)):
            self._rows("DELETE FROM request WHERE slot = ?", slot)
        return left

    def _word(self, asked: Sequence[int], since: int) -> bytes:
        """The last item of an answer: the epochs of which everything was sent, and the rest."""
        least = max(since, self._joined(self._dh))
        covered = [epoch for epoch in asked if epoch >= least and not self.wants(epoch)]
        return cbor.encode([DONE, covered, [epoch for epoch in asked if epoch not in covered]])


def read_epochs(value: Any, today: int) -> list[int]:
    """Epochs in an item, ascending; Refused("body") when they are none that anybody asks for."""
    most = today + ANSWER_EPOCHS
    proper = isinstance(value, list) and len(value) <= EPOCHS_MOST and all(type(each) is int for each in value)
    if proper and value == sorted(set(value)) and all(0 <= each <= most for each in value):
        return list(value)
    raise Refused("body", "The mailbox item names no proper epochs.")


def is_forwarded(epoch: object, tag: object, edition: object, plaintext: object) -> bool:
    """Whether these are of the types of a forwarded envelope (spec 10.3)."""
    numbers = type(epoch) is int and type(edition) is int and 0 <= epoch < 1 << 32 and 0 <= edition < 1 << 32
    return numbers and isinstance(tag, bytes) and len(tag) == TAG and isinstance(plaintext, bytes)
