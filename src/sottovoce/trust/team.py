"""What members hand in at the server: duty lists, drafts, notices, transport keys; verified before anything is kept."""

from __future__ import annotations

from collections.abc import Callable

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import SLOTS, epoch_of

from .duty import DutyDraft, UntrustedDutyList
from .notice import Kind, UntrustedNotice
from .published import SignedFolder, remove_durably, write_durably
from .roster import Roster
from .transport import Transport, UntrustedTransport, join_transports


class TeamFolder:
    """The members' side of a folder of signed files; `now` is the server's clock.

    It is what the API of the members' onion is handed (`pool.team_api.Team`).
    """

    def __init__(self, signed: SignedFolder, now: Callable[[], float]) -> None:
        self._signed, self._now = signed, now

    @property
    def _today(self) -> int:
        return epoch_of(self._now())

    @property
    def _roster(self) -> Roster:
        return self._signed.published(self._today).roster

    def get(self, kind: str) -> bytes | None:
        """The newest signed thing of a kind."""
        return self._signed.get(kind)

    def put_duty(self, raw: bytes) -> None:
        """Takes a new duty list; Refused when it is not valid or not the next one (spec 9.5)."""
        self._signed.put_duty(raw, self._today)

    def put_notice(self, kind: Kind, raw: bytes) -> None:
        """Takes a new notice of absence or compromise; Refused when it is not valid or not newer (spec 9.13)."""
        today, roster = self._today, self._roster
        new = UntrustedNotice.of(raw, kind).verify(roster, today)
        held = self._signed.notice(kind, roster, None)
        if held is not None and held.hash == new.hash:
            return  # the same again: its sender missed the answer
        if held is not None and new.claim.serial <= held.claim.serial:
            raise Refused("roster", f"The notice's serial must be greater than {held.claim.serial}: sync first.")
        write_durably(self._signed.path(kind), new.raw, today)

    def draft(self) -> bytes | None:
        """The draft of the next duty list, None where there is none (spec 9.15)."""
        held = self._held_draft(self._roster)
        return held.raw if held is not None else None

    def _held_draft(self, roster: Roster) -> DutyDraft | None:
        raw = self._signed.get("draft")
        try:
            draft = UntrustedDutyList.of(raw).draft(roster, self._today) if raw is not None else None
        except Refused:  # of another roster, or over: it stands in nobody's way
            return None
        return draft if draft is not None and draft.claim.serial > self._signed.duty_serial(roster) else None

    def put_draft(self, raw: bytes) -> bool:
        """Takes a draft; True when it has all signatures it needs and is the published duty list now (spec 9.16).

        Compare and swap: signatures of the held draft's list are joined; another list must have a greater serial than
        what is held, or is Refused, so that of two renewals made at once only one goes on.
        """
        today, roster = self._today, self._roster
        new = UntrustedDutyList.of(raw).draft(roster, today)
        published = self._signed.published(today).duty
        if published is not None and published.hash == new.hash:
            return True
        joined = UntrustedDutyList.of(self._swapped(roster, new)).draft(roster, today)
        if joined.missing:
            write_durably(self._signed.path("draft"), joined.raw, today)
            return False
        self._signed.put_duty(joined.raw, today)
        remove_durably(self._signed.path("draft"), today)
        return True

    def _swapped(self, roster: Roster, new: DutyDraft) -> bytes:
        held = self._held_draft(roster)
        if held is not None and held.hash == new.hash:
            return held.merge(new)
        least = held.claim.serial if held is not None else self._signed.duty_serial(roster)
        if new.claim.serial <= least:
            raise Refused("duty list", f"The draft's serial must be greater than {least}: sync first.")
        return new.raw

    def transports(self) -> bytes:
        """The valid transport keys, the newest of each slot (spec 9.17)."""
        held = (self._transport(slot) for slot in range(SLOTS))
        return join_transports(transport.raw for transport in held if transport is not None)

    def _transport(self, slot: int) -> Transport | None:
        raw = self._signed.get(f"transport-{slot:02}")
        try:
            transport = UntrustedTransport.of(raw).verify(self._roster, self._today) if raw is not None else None
        except Refused:  # of a device that is not in the slot any more, or over
            return None
        return transport if transport is not None and transport.slot == slot else None

    def transport(self, slot: int) -> bytes | None:
        """The hash of a slot's newest transport key, None where it has none that is valid."""
        held = self._transport(slot)
        return held.key_hash if held is not None else None

    def put_transport(self, raw: bytes) -> None:
        """Takes a device's new transport key; Refused when it is not valid or not newer (spec 9.18)."""
        new = UntrustedTransport.of(raw).verify(self._roster, self._today)
        held = self._transport(new.slot)
        if held is not None and held.hash == new.hash:
            return
        if held is not None and new.claim.serial <= held.claim.serial:
            raise Refused("roster", f"The transport key's serial must be greater than {held.claim.serial}.")
        write_durably(self._signed.path(f"transport-{new.slot:02}"), new.raw, self._today)
