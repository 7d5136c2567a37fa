"""What the door shows to everybody, held against what this desk holds, over fresh circuits (spec 9.12).

A server that shows sources something else than members, or something older than before, can't know whom it answers
here. A difference is an alarm that says what to do; it is never taken in silently.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from sottovoce.pool.edition import Listed
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import epoch_of
from sottovoce.trust.card import UntrustedCard
from sottovoce.trust.duty import UntrustedDutyList
from sottovoce.trust.notice import KINDS as NOTICES
from sottovoce.trust.notice import Kind, read_notice
from sottovoce.trust.roster import UntrustedRoot, UntrustedRoster
from sottovoce.trust.signed import Verified

from .collect import read_whole
from .editions import WHAT_TO_DO, Editions, name_of
from .notices import DeskNotices
from .road import Report, Road
from .trusted import Trusted
from .vault import Vault

SAMPLE = 4  # editions that are downloaded again besides the newest: some minutes over Tor at most
_OTHER = (
    "so sources are shown something else than members. Tell the office, and take the address out of use until it is "
    "known who did that."
)


@dataclass
class CompareReport(Report):
    """What one comparison looked at, and what differed."""

    things: int = 0  # signed things
    editions: int = 0  # whose bytes were read again


class Compare:
    """Holds what the door shows at the time `now` against one vault."""

    def __init__(self, vault: Vault, trusted: Trusted, editions: Editions, now: float) -> None:
        self._vault, self._trusted, self._editions = vault, trusted, editions
        self._now, self._today = now, epoch_of(now)

    def signed_at(self, road: Road, report: Report, *, thorough: bool = False) -> int:
        """Root, card, roster, duty list and notices at the door; how many of the first four were as they should be.

        Each costs a circuit: unless `thorough`, only notices that this desk holds are looked for.
        """
        checks: dict[str, Callable[[bytes], Verified]] = {
            "root": lambda raw: UntrustedRoot.of(raw).verify(self._trusted.org, self._today, self._trusted.root),
            "card": lambda raw: UntrustedCard.of(raw).verify(self._trusted.root, self._today),
            "roster": lambda raw: UntrustedRoster.of(raw).verify(self._trusted.root, self._today),
            "duty": lambda raw: UntrustedDutyList.of(raw).verify(self._trusted.roster, self._today),
        }
        good = 0
        for kind, verify in checks.items():
            good += report.attempt(partial(self._one, road, kind, verify, report))
        for notice in NOTICES:
            if thorough or self._held(notice) is not None:
                report.attempt(partial(self.notice, notice, road, report))
        return good

    def notice(self, kind: Kind, road: Road, report: Report) -> None:
        """A server in foreign hands would keep just this from sources: that it is not to be trusted. RoadError."""
        held = DeskNotices(self._vault, self._trusted, self._today).held(kind)
        shown = read_notice(road.shown(kind), kind, self._trusted.roster, self._today)
        old, new = (each.claim.serial if each is not None else -1 for each in (held, shown))
        if new > old:
            report.warn(f"The door shows a newer notice of {kind} than members were shown: sync again.")
        elif held is None or (shown is not None and shown.hash == held.hash):
            return
        elif shown is not None or held.says(self._today) is not None:  # a withdrawn one that is gone misleads nobody
            report.alarm(
                f"The door does not show the notice of {kind} that members signed, {_OTHER} Publish the notice by "
                "other ways."
            )

    def _one(self, road: Road, kind: str, verify: Callable[[bytes], Verified], report: Report) -> bool:
        name = "duty list" if kind == "duty" else kind
        if (raw := road.shown(kind)) is None:
            report.warn(f"The door shows no {name}, so no source can write: ask who runs the server.")
            return False
        try:
            shown = verify(raw)
        except Refused as error:
            self._refused(kind, name, raw, error, report)
            return False
        held = self._held(kind)
        if held is not None and shown.claim.serial < held[0]:
            report.alarm(f"The door shows an older {name} than this desk holds, {_OTHER}")
            return False
        if held is not None and shown.claim.serial == held[0] and shown.hash != held[1]:
            report.alarm(f"The door shows another {name} with the number of the one held here, {_OTHER}")
            return False
        return True

    def _refused(self, kind: str, name: str, raw: bytes, error: Refused, report: Report) -> None:
        """A duty list that is over harms nobody but who wants to write; all else should never be shown."""
        if kind == "duty":
            report.warn(f"No source can write, because the door's duty list does not hold: {error}")
        else:
            report.alarm(f"The door shows a {name} that is refused here ({error}), {_OTHER}")

    def _held(self, kind: str) -> tuple[int, bytes] | None:
        """Serial and hash of what is held; a duty list counts only while it is the newest roster's."""
        rows = self._vault.rows(
            "SELECT serial, hash, raw FROM signed WHERE kind = ? ORDER BY serial DESC LIMIT 1", kind
        )
        for serial, name, raw in rows:
            if kind != "duty" or UntrustedDutyList.of(raw).claim.body[0] == self._trusted.roster.hash:
                return serial, name
        return None

    def listing(self, listed: Sequence[Listed], report: Report) -> list[Listed]:
        """The door's list of editions; those of it that can be believed."""
        return self._editions.compare(listed, self._now, report)

    def bytes(
        self, road: Road, chosen: Sequence[Listed], pending: Iterable[tuple[int, bytes]], report: CompareReport
    ) -> None:
        """Reads editions again, over fresh circuits, and holds their bytes against the hashes held.

        What was pending for members, when they were asked before the door, must be in its edition when that is listed.
        """
        expected = defaultdict[int, set[bytes]](set)
        for edition, tag in pending:
            expected[edition].add(tag)
        for each in chosen:
            missing = expected[each.number]
            if read_whole(road, each, report, partial(_strike, missing)):
                report.editions += 1
                if missing:
                    report.alarm(
                        f"The edition of {name_of(each.number)} lacks {len(missing)} envelopes that members were shown "
                        f"as pending. {WHAT_TO_DO}"
                    )


def _strike(missing: set[bytes], batch: Iterable[tuple[bytes, bytes]]) -> None:
    missing.difference_update(tag for tag, _ in batch)


def sample(
    listed: Sequence[Listed], pending: Iterable[tuple[int, bytes]], random: Callable[[int], bytes], most: int = SAMPLE
) -> list[Listed]:
    """The newest edition, those of which something was pending a moment ago, and some others by chance."""
    fresh = {edition for edition, _ in pending}
    chosen = [each for each in listed if each.number in fresh or each is listed[-1]]
    others = [each for each in listed if each not in chosen]
    picks = (int.from_bytes(random(8), "big") for _ in range(min(most, len(others))))
    return chosen + [others.pop(pick % len(others)) for pick in picks]
