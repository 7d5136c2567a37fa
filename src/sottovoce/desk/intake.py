"""From an envelope to a kept message: opened, verified, joined, once (spec 7.2, 7.5). What is hostile is counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sottovoce.protocol.body import Body
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.message import FirstPart, UntrustedMessage, UntrustedPart, open_at_desk, read_at_desk
from sottovoce.protocol.reassembly import join_candidates

from .letters import Letters
from .parts import Origin, Parts
from .road import SyncReport
from .trusted import Trusted
from .vault import Vault

DutyKeys = Sequence[tuple[int, KemKey]]
Found = UntrustedMessage | UntrustedPart


class Intake:
    """Takes in what came; `rosters` are all that were verified here at the time it is made."""

    def __init__(self, vault: Vault, trusted: Trusted, letters: Letters, parts: Parts) -> None:
        self._vault, self._trusted, self._letters, self._parts = vault, trusted, letters, parts
        self._rosters = {roster.hash: roster for roster in trusted.rosters}

    def envelope(self, tag: bytes, edition: int, envelope: bytes, keys: DutyKeys, report: SyncReport) -> None:
        """Opens one envelope, and keeps what it held; within the caller's transaction."""
        report.fetched += 1
        try:
            opened = self._unseal(tag, envelope, keys)
            if opened is None:
                report.others += 1
                return
            found, epoch = opened
            if not self._parts.is_kept(tag, found.plaintext):
                self._take(found, Origin(tag, epoch, edition), None, report)
        except Refused as error:
            report.refused[error.layer] += 1

    def forwarded(self, plaintext: bytes, origin: Origin, sender: int, report: SyncReport) -> bool:
        """Takes in an exact plaintext that the colleague in slot `sender` brought (spec 10.5); whether it is new."""
        try:
            with self._vault.transaction():
                if self._parts.is_kept(origin.tag, plaintext):
                    return False
                found = read_at_desk(plaintext, self._trusted.org, origin.epoch, origin.tag)
                fresh = self._take(found, origin, sender, report)
                report.forwarded += fresh
                return fresh
        except Refused as error:
            report.refused[error.layer] += 1
            return False

    def _unseal(self, tag: bytes, envelope: bytes, keys: DutyKeys) -> tuple[Found, int] | None:
        for epoch, key in keys:
            try:
                return open_at_desk(envelope, key, self._trusted.org, epoch, tag), epoch
            except Refused as error:
                if error.layer != "seal":
                    raise
        return None

    def _take(self, found: Found, origin: Origin, sender: int | None, report: SyncReport) -> bool:
        if isinstance(found, UntrustedPart):
            return self._take_later(found, origin, report)
        roster = self._rosters.get(found.roster_hash)
        slot = self._trusted.slot(roster) if roster else None
        if slot is None and sender is None:  # no MAC is for this device: only a colleague can vouch (spec 7.2.3)
            report.elsewhere += 1
            return False
        device = self._trusted.device
        first = found.vouched(device) if slot is None else found.verify(device, slot)
        return self._take_first(first, found.plaintext, origin, sender if slot is None else None, report)

    def _take_later(self, found: UntrustedPart, origin: Origin, report: SyncReport) -> bool:
        if not self._parts.keep_later(found, origin):
            return False
        report.parts += 1
        for conversation, parts in self._letters.incomplete(found.message_id):
            self._join(conversation, found.message_id, parts, report)
        return True

    def _take_first(
        self, first: FirstPart, plaintext: bytes, origin: Origin, voucher: int | None, report: SyncReport
    ) -> bool:
        alone = first.join([]).body if first.parts == 1 else None  # Refused before anything is kept
        if not self._letters.keep_first(first, origin, voucher):
            report.replayed += 1
            return False
        self._parts.keep_plain(origin, first.message_id, 0, plaintext)
        if alone is not None:
            self._finish(first.conversation, first.message_id, alone, report)
        else:
            self._join(first.conversation, first.message_id, first.parts, report)
        return True

    def _join(self, conversation: bytes, message: bytes, parts: int, report: SyncReport) -> None:
        """Makes a message whole when its parts are here (spec 7.5); what is no body then is refused (spec 7.2.9)."""
        first, candidates = self._letters.first_part(conversation, message), self._parts.candidates(message, parts)
        bodies = join_candidates(first.body, first.body_hash, candidates) if first and all(candidates) else None
        if first is None or bodies is None:
            return
        try:
            body = Body.decode(b"".join([first.body, *bodies]))
        except Refused as error:
            report.refused[error.layer] += 1
            self._letters.drop(conversation, message)
            return
        self._parts.believe(message, parts, bodies)
        self._finish(conversation, message, body, report)

    def _finish(self, conversation: bytes, message: bytes, body: Body, report: SyncReport) -> None:
        self._letters.complete(conversation, message, body)
        report.messages += 1


def duty_keys(vault: Vault, epochs: Iterable[int]) -> DutyKeys:
    """The duty keys of these epochs, ready to open with."""
    return [(epoch, KemKey(seed)) for epoch, seed in vault.duty_seeds(epochs)]
