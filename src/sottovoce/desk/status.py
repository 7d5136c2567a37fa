"""How a desk stands: what a member should know without asking the server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sottovoce.protocol.keys import sign_of
from sottovoce.protocol.sizes import ANSWER_EPOCHS

from .letters import OFFER_AFTER, Conversation
from .notices import DeskNotices
from .team import Team
from .trusted import Trusted
from .vault import Vault

WARN_ROSTER_DAYS = 21  # the office meets seldom


@dataclass(frozen=True)
class Status:
    """How the desk stands; `warnings` and `alarms` are sentences, days are epochs.

    `away_until` and `compromised_since` are what sources should be told (`trust.notice.Notices`).
    """

    slot: int | None
    duty_days: int
    roster_days: int
    unread: int
    waiting: int
    last_sync: int | None
    away_until: int | None
    compromised_since: int | None
    warnings: tuple[str, ...]
    alarms: tuple[tuple[str, int], ...]  # each with the epoch in which it was raised last


def status_of(
    vault: Vault,
    trusted: Trusted,
    team: Team,
    notices: DeskNotices,
    conversations: Sequence[Conversation],
    today: int,
) -> Status:
    """The status on a day; DeskError before the office answered."""
    roster = trusted.roster
    slot, duty, days = trusted.slot(roster), team.duty_days(), roster.claim.expires - today + 1
    unread = sum(each.unread for each in conversations)
    waiting = sum(each.waiting for each in conversations)
    warnings = (*_warnings(slot, days), *team.warnings(today), *notices.warnings(), *_offers(conversations))
    alarms = tuple((text, epoch) for text, epoch in vault.alarms() if epoch >= today - ANSWER_EPOCHS)
    away, since, _ = notices.up()
    return Status(slot, duty, max(0, days), unread, waiting, vault.note("last sync"), away, since, warnings, alarms)


def _warnings(slot: int | None, roster_days: int) -> Iterable[str]:
    if slot is None:
        yield "This device is not, or no longer, in the roster: ask the office why, and to admit it."
    if roster_days <= 0:
        yield "The roster is over and nobody can write: the office must sign a new one today."
    elif roster_days <= WARN_ROSTER_DAYS:
        yield f"The roster ends in {roster_days} days: ask the office to sign a new one."


def _offers(conversations: Sequence[Conversation]) -> Iterable[str]:
    for each in conversations:
        if each.offered:
            sign = "-".join(sign_of(each.id))
            yield (
                f"{each.offered} answers to {sign} were sent {OFFER_AFTER} days ago or more, and nothing says that "
                f"they were seen: `desk again` sends them anew."
            )
