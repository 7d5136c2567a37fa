"""The life of the duty list: what the server shows, renewal, drafts that need a second signature (spec 10.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import KEY
from sottovoce.trust.duty import DUTY_DAYS, DUTY_DAYS_MOST, DutyDraft, DutyList, UntrustedDutyList, duty_claim
from sottovoce.trust.roster import Roster, removed

from .box import Box, TeamRoad
from .errors import DeskError
from .road import SyncReport
from .seeds import Seeds
from .trusted import Trusted
from .vault import Vault

RENEW_BELOW = 4  # days: a weekend and a Monday off are no reason to close the door
SEEDS = 0  # the kind of a mailbox item (spec 10.3)
_DAYS, _DRAFT = "duty days", "draft"


def seeds_item(seeds: Mapping[int, list[bytes]]) -> bytes:
    """A mailbox item's content that carries private halves by epoch (spec 10.3)."""
    return cbor.encode([SEEDS, dict(seeds)])


@dataclass(frozen=True)
class DutyView:
    """What `desk duty` shows; `epochs` are those from today on, with whether this vault can open what is sealed then.

    `destroyed` is the newest epoch whose keys were destroyed here, None before the first.
    """

    epochs: Sequence[tuple[int, bool]]
    destroyed: int | None
    missing_signatures: int
    days: int


class Duty:
    """The duty list and its draft, as this vault sees them; one for each sync."""

    def __init__(
        self, vault: Vault, trusted: Trusted, seeds: Seeds, today: int, random: Callable[[int], bytes]
    ) -> None:
        self._vault, self._trusted, self._seeds, self._today, self._random = vault, trusted, seeds, today, random
        self.shown: DutyList | None = None  # the server's list, when it holds for the newest roster today
        self.draft: DutyDraft | None = None
        self.any_list = False  # whether the server shows a list at all, also one that is over or of another roster
        self._named: dict[int, bytes] = {}

    @property
    def days(self) -> int:
        """For how many days this desk makes keys."""
        return int(self._vault.note(_DAYS) or DUTY_DAYS)

    @days.setter
    def days(self, days: int) -> None:
        if not DUTY_DAYS <= days <= DUTY_DAYS_MOST:
            raise DeskError(f"A duty list can have {DUTY_DAYS} to {DUTY_DAYS_MOST} days: choose a number between.")
        self._vault.keep_note(_DAYS, days)

    # What the server shows.

    def look(self, road: TeamRoad, report: SyncReport) -> None:
        """Reads the server's list and draft; what waits for a key that a list names is used from now on."""
        raw, draft = road.signed("duty"), road.draft()
        self.any_list = raw is not None
        self.shown = self._believed(raw, report) if raw is not None else None
        self.draft = self._read_draft(draft)
        self._vault.keep_note(_DRAFT, draft if draft is not None and self.draft is not None else b"")

    def _believed(self, raw: bytes, report: SyncReport) -> DutyList | None:
        """The list, if it holds today. One of an older roster, or whose time is over, still names its keys."""
        try:
            read = UntrustedDutyList.of(raw)
            past = next((each for each in self._trusted.rosters if each.hash == read.claim.body[0]), None)
            if past is None:
                return None
            self._named = read.verify(past, read.claim.issued).keys
            self.name()
            duty = read.verify(self._trusted.roster, self._today)
        except (Refused, TypeError, LookupError):
            return None
        return duty if self._keep(duty, report) else None

    def name(self) -> None:
        """What waits here for a key that the server's list names is used from now on."""
        self._seeds.name(self._named)

    def _keep(self, duty: DutyList, report: SyncReport) -> bool:
        """Keeps it as the newest; False for one that is older than what is held, or beside it."""
        held = self.held(duty.roster_hash)
        if held is not None and held.claim.serial > duty.claim.serial:
            report.alarm("The server shows an older duty list than before: ask who runs it.")
            return False
        if held is not None and held.claim.serial == duty.claim.serial and held.hash != duty.hash:
            number = duty.claim.serial
            report.alarm(f"Two different versions of the duty list have the number {number}: ask the office.")
            return False
        self._vault.keep_signed("duty", duty.hash, duty.claim.serial, duty.raw)
        return True

    def held(self, roster_hash: bytes) -> DutyList | None:
        """The newest list that was verified here, if it is of this roster; its time may be over."""
        raws = self._vault.signed("duty")
        roster = next((each for each in self._trusted.rosters if each.hash == roster_hash), None)
        if not raws or roster is None:
            return None
        read = UntrustedDutyList.of(raws[0])
        return read.verify(roster, read.claim.issued) if read.claim.body[0] == roster_hash else None

    def _read_draft(self, raw: bytes | None) -> DutyDraft | None:
        try:
            draft = UntrustedDutyList.of(raw).draft(self._trusted.roster, self._today) if raw is not None else None
        except Refused:
            return None
        return draft if draft is not None and draft.missing else None

    def kept_draft(self) -> DutyDraft | None:
        """The draft that the last sync saw, if it still holds."""
        return self._read_draft(self._vault.note(_DRAFT) or None)

    def lacking(self) -> list[int]:
        """The epochs from yesterday on for which this vault can't open a key of the published list, or of the draft."""
        newest = self.shown or self.held(self._trusted.roster.hash)
        lists = [each.keys for each in (newest, self.draft) if each is not None]
        found = {epoch for keys in lists for epoch in self._seeds.lacking(keys)}
        return sorted(epoch for epoch in found if epoch >= self._today - 1)

    def live_seeds(self, live: int) -> dict[int, list[bytes]]:
        """What a colleague may be given: all that is in use from the epoch `live` on, and what the draft names."""
        found = self._seeds.since(live)
        for epoch, public in (self.draft.keys if self.draft is not None else {}).items():
            seed = self._seeds.seed(epoch, public)
            if seed is not None and epoch >= live and seed not in found.get(epoch, []):
                found.setdefault(epoch, []).append(seed)
        return found

    def view(self) -> DutyView:
        """How the keys stand here."""
        held, draft = self.held(self._trusted.roster.hash), self.kept_draft()
        keys = {epoch: key for epoch, key in held.keys.items() if epoch >= self._today} if held is not None else {}
        lacking, floor = self._seeds.lacking(keys), self._seeds.floor
        epochs = [(epoch, epoch not in lacking) for epoch in keys]
        return DutyView(epochs, None if floor < 0 else floor, draft.missing if draft is not None else 0, self.days)

    def days_left(self) -> int:
        """Epochs from today on for which the newest list that is kept here has a key that this vault can open."""
        return sum(here for _, here in self.view().epochs)

    # What this desk does about it.

    def care(self, road: TeamRoad, box: Box, report: SyncReport) -> None:
        """Signs the draft, or makes a new list, where that is due; pool.team_client.Conflict when another was first."""
        colleagues = list(box.colleagues(road))
        if self._signs(road, report):
            return
        if self._due(colleagues) and not self._waits(colleagues):
            self._renew(road, box, colleagues, report)

    def _signs(self, road: TeamRoad, report: SyncReport) -> bool:
        """Adds this device's signature to a draft, only when every private half that it names is here."""
        draft, device = self.draft, self._device
        if draft is None or draft.days_left(self._today) < RENEW_BELOW or self._seeds.lacking(draft.keys):
            return False
        if device.public_key().public_bytes_raw() in draft.signatures:
            return False
        self._hand_in(road, draft.sign(device), report)
        return True

    @property
    def _device(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._vault.device_key("signing"))

    def _due(self, colleagues: Iterable[int]) -> bool:
        """Whether a new list is needed: soon no day is left, or nobody is there who could give what is lacking."""
        if self.shown is None or self.shown.days_left(self._today) < RENEW_BELOW:
            return True
        return bool(self.lacking()) and not list(colleagues)

    def _waits(self, colleagues: Iterable[int]) -> bool:
        """Whether a colleague's signature or seeds are on their way, and there is time for them."""
        draft = self.draft
        if draft is not None and draft.days_left(self._today) >= RENEW_BELOW:
            mine = self._device.public_key().public_bytes_raw() in draft.signatures
            if mine or (list(colleagues) and draft.claim.issued >= self._today - 1):
                return True
        in_time = self.shown is not None and self.shown.days_left(self._today) > 1
        return in_time and bool(self.lacking()) and bool(list(colleagues))

    def _renew(self, road: TeamRoad, box: Box, colleagues: Iterable[int], report: SyncReport) -> None:
        """Private halves are kept, then sent to every colleague, and only then is the list handed in."""
        roster, keys = self._trusted.roster, self._kept_keys()
        for epoch in range(self._today, self._today + self.days):
            if epoch not in keys:
                public = self._seeds.keep(epoch, self._random(KEY), own=True)
                if public is None:
                    report.warn("This machine's clock went back over days whose keys are destroyed: set it right.")
                    return
                keys[epoch] = public
        seeds = {epoch: self._seeds.seed(epoch, public) for epoch, public in keys.items()}
        content = seeds_item({epoch: [seed] for epoch, seed in seeds.items() if seed is not None})
        for slot in colleagues:
            box.post(road, slot, content)
        claim = duty_claim(roster, self._next_serial(roster), self._today, dict(sorted(keys.items())))
        self._hand_in(road, claim.sign([self._device]), report)

    def _kept_keys(self) -> dict[int, bytes]:
        """Published keys of the coming epochs that stay: the private half is here, and nobody who has it left."""
        lists = [self.shown, *(self.held(each.hash) for each in self._trusted.rosters)]
        base = next((each for each in lists if each is not None), None)
        if base is None:
            return {}
        made_for = next(each for each in self._trusted.rosters if each.hash == base.roster_hash)
        if made_for.hash != self._trusted.roster.hash and removed(made_for, self._trusted.roster):
            return {}
        days = range(self._today, self._today + self.days)
        coming = {epoch: key for epoch, key in base.keys.items() if epoch in days}
        lacking = self._seeds.lacking(coming)
        return {epoch: key for epoch, key in coming.items() if epoch not in lacking}

    def _next_serial(self, roster: Roster) -> int:
        """One more than every list and draft of this roster that was seen; a removed member's numbers don't count."""
        seen = (self.shown, self.held(roster.hash), self.draft)
        return max((each.claim.serial for each in seen if each is not None), default=0) + 1

    def _hand_in(self, road: TeamRoad, raw: bytes, report: SyncReport) -> None:
        published = road.put_draft(raw)
        if published:
            self.look(road, report)
            report.duty_published = self.shown is not None
        else:
            self.draft = self._read_draft(raw)
            self._vault.keep_note(_DRAFT, raw)
