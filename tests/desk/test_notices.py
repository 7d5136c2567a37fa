"""A desk's notices: signed, kept, handed in, taken over from colleagues, and missed at a hostile door (spec 8.15)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sottovoce.desk.errors import DeskError
from sottovoce.desk.road import Report
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import KEY
from sottovoce.trust.notice import KINDS, Kind, notice_claim
from sottovoce.trust.roster import Roster, UntrustedRoot, UntrustedRoster
from sottovoce.trust.signed import SERIAL_MOST

from .conftest import SLOT, Office, World

HIDES = "The door does not show the notice of compromise that members signed"


@dataclass
class Colleague:
    """Another member's device, in the roster, without a desk."""

    world: World
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def join(self, serial: int = 2, slot: int = 5) -> None:
        """The office signs a roster with both devices, and publishes it."""
        office, request = self.world.office, self.world.request
        slots = [[secrets.token_bytes(KEY), secrets.token_bytes(KEY), ""] for _ in range(16)]
        slots[SLOT] = [request.dh, request.signing, "desk"]
        slots[slot] = [secrets.token_bytes(KEY), self.key.public_key().public_bytes_raw(), ""]
        self.world.road.things["roster"] = office.sign("roster", serial, [1, slots])
        self.world.sync()

    def roster(self) -> Roster:
        root = UntrustedRoot.of(self.world.office.root).verify(None, self.world.clock.today)
        return UntrustedRoster.of(self.world.road.things["roster"]).verify(root, self.world.clock.today)

    def sign(self, kind: Kind, serial: int, day: int | None) -> bytes:
        return notice_claim(self.roster(), kind, serial, self.world.clock.today, day).sign([self.key])

    def announce(self, kind: Kind, serial: int, day: int | None) -> None:
        """Its notice is handed in at the server."""
        self.world.road.team.put_notice(kind, self.sign(kind, serial, day))


@pytest.fixture
def colleague(open_world: World) -> Colleague:
    made = Colleague(open_world)
    made.join()
    return made


def announce(world: World, kind: Kind, day: int | None) -> Report:
    """Signs and hands in, of which nothing is wrong."""
    taken, report = world.desk.announce(world.road, kind, day)
    assert (taken, report.complete, report.alarms, report.warnings) == (True, True, [], [])
    return report


def told(world: World) -> tuple[int | None, int | None]:
    """What the server's door tells sources."""
    notices = world.road._signed.published(world.clock.today).notices
    return notices.away_until, notices.compromised_since


def up(world: World) -> tuple[int | None, int | None]:
    """What the desk says is up."""
    status = world.desk.status()
    return status.away_until, status.compromised_since


def test_away_twice_and_back(open_world: World) -> None:
    today = open_world.clock.today
    assert up(open_world) == (None, None)
    for day in (today + 10, today + 20, today + 5, None):
        announce(open_world, "absence", day)
        assert told(open_world) == up(open_world) == (day, None)
        assert open_world.sync().warnings == []


def test_a_compromise_is_withdrawn_and_signed_again(open_world: World) -> None:
    today = open_world.clock.today
    for day in (today - 3, None, today):
        announce(open_world, "compromise", day)
        assert told(open_world) == up(open_world) == (None, day)
    open_world.restart()
    assert up(open_world) == (None, today)


IMPOSSIBLE: dict[str, tuple[Kind, int, str]] = {
    "over": ("absence", -1, r"^20\d\d-\d\d-\d\d is over: name the last day"),
    "too far": ("absence", 61, "more than 60 days away"),
    "to come": ("compromise", 1, "still to come"),
    "too old": ("compromise", -20_500, "No message is that old"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_day_that_a_notice_can_not_name_is_told_and_nothing_is_signed(open_world: World, name: str) -> None:
    kind, days, said = IMPOSSIBLE[name]
    with pytest.raises(DeskError, match=said):
        open_world.desk.announce(open_world.road, kind, open_world.clock.today + days)
    assert (told(open_world), open_world.desk.notices.waiting(kind)) == ((None, None), None)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupted_notice_is_handed_in_by_the_next_sync(open_world: World, when: str) -> None:
    today = open_world.clock.today
    open_world.road.losses["put_notice"] = [when]  # type: ignore[list-item]  # one of the two
    taken, report = open_world.desk.announce(open_world.road, "compromise", today)
    assert (taken, report.complete) == (False, False)
    assert "not handed in yet: sync this desk" in open_world.desk.status().warnings[0]
    open_world.restart()
    assert open_world.sync().warnings == []
    assert told(open_world) == up(open_world) == (None, today)
    assert open_world.desk.notices.waiting("compromise") is None


def test_a_notice_is_kept_also_when_the_server_is_not_reached_at_all(open_world: World) -> None:
    today = open_world.clock.today
    open_world.road.losses = {"signed": ["before"] * 3, "shown": ["before"]}
    taken, report = open_world.desk.announce(open_world.road, "compromise", today)
    assert (taken, report.complete) == (False, False)
    open_world.sync()
    assert told(open_world) == (None, today)


def test_what_waits_is_replaced_by_a_later_word_before_anybody_saw_it(open_world: World) -> None:
    open_world.road.losses["put_notice"] = ["before"]
    open_world.desk.announce(open_world.road, "compromise", open_world.clock.today)
    puts = []
    open_world.road.steps = lambda name: puts.append(name) if name == "before put_notice" else None
    announce(open_world, "compromise", None)
    assert (len(puts), told(open_world), up(open_world)) == (1, (None, None), (None, None))


def test_a_colleagues_notice_is_taken_over_and_told_once(open_world: World, colleague: Colleague) -> None:
    today = open_world.clock.today
    colleague.announce("absence", 4, today + 6)
    report = open_world.sync()
    (warning,) = report.warnings
    assert warning.startswith("A colleague signed a notice: sources are told that nobody reads until 20")
    assert up(open_world) == (today + 6, None)
    assert open_world.sync().warnings == []
    announce(open_world, "absence", None)
    assert told(open_world) == (None, None)


def test_of_two_desks_at_once_the_second_learns_that_a_colleague_was_first(
    open_world: World, colleague: Colleague
) -> None:
    today, done = open_world.clock.today, list[str]()

    def step(name: str) -> None:
        if name == "before put_notice" and not done:
            done.append(name)
            colleague.announce("absence", 1, today + 6)

    open_world.road.steps = step
    taken, report = open_world.desk.announce(open_world.road, "absence", today + 9)
    assert (taken, report.alarms) == (False, [])
    assert report.warnings[1].startswith("So your own notice of absence was dropped: sign it again")
    assert told(open_world) == up(open_world) == (today + 6, None)
    announce(open_world, "absence", today + 9)
    assert told(open_world) == (today + 9, None)


def test_two_notices_with_one_number_are_an_alarm(open_world: World, colleague: Colleague) -> None:
    today = open_world.clock.today
    announce(open_world, "compromise", today)
    other = colleague.sign("compromise", 1, today - 5)
    open_world.road.to_members["compromise"] = other
    report = open_world.desk.sync(open_world.road)
    assert report.alarms == ["Two notices of compromise have the number 1: ask who signed them."]
    assert up(open_world) == (None, today)


def test_9_12_a_hostile_server_that_hides_a_notice_of_compromise_is_found_at_once(open_world: World) -> None:
    open_world.road.at_door["compromise"] = None
    taken, report = open_world.desk.announce(open_world.road, "compromise", open_world.clock.today)
    (alarm,) = report.alarms
    assert (taken, alarm.startswith(HIDES)) == (True, True)
    assert alarm.endswith("Publish the notice by other ways.")
    assert open_world.desk.status().alarms[0][0] == alarm


@pytest.mark.parametrize("raw", [None, b"damaged"])
def test_9_12_each_sync_and_each_comparison_misses_a_hidden_notice(open_world: World, raw: bytes | None) -> None:
    announce(open_world, "compromise", open_world.clock.today)
    open_world.road.at_door["compromise"], open_world.road.may_ask_again = raw, True
    for report in (open_world.desk.sync(open_world.road), open_world.desk.compare(open_world.road)):
        assert [alarm.startswith(HIDES) for alarm in report.alarms] == [True]


def test_9_12_an_older_notice_at_the_door_is_found(open_world: World) -> None:
    today = open_world.clock.today
    announce(open_world, "compromise", None)
    old = open_world.road.things["compromise"]
    announce(open_world, "compromise", today)
    open_world.road.at_door["compromise"] = old
    assert open_world.desk.sync(open_world.road).alarms[0].startswith(HIDES)


def test_9_12_a_withdrawn_warning_that_goes_on_at_the_door_is_found(open_world: World) -> None:
    announce(open_world, "absence", open_world.clock.today + 5)
    old = open_world.road.things["absence"]
    announce(open_world, "absence", None)
    open_world.road.at_door["absence"] = old
    assert "the notice of absence" in open_world.desk.sync(open_world.road).alarms[0]
    open_world.road.at_door["absence"] = None  # a withdrawn one that is gone misleads nobody
    assert open_world.desk.sync(open_world.road).alarms == []


def test_a_newer_notice_at_the_door_than_members_are_shown_is_told(open_world: World, colleague: Colleague) -> None:
    open_world.road.at_door["compromise"] = colleague.sign("compromise", 1, open_world.clock.today)
    assert open_world.sync().warnings == []  # what a desk does not hold costs no circuit at each sync
    (warning,) = open_world.desk.compare(open_world.road).warnings
    assert warning == "The door shows a newer notice of compromise than members were shown: sync again."


def test_9_13_a_server_that_lost_a_notice_is_given_it_again(open_world: World, colleague: Colleague) -> None:
    today = open_world.clock.today
    colleague.announce("compromise", 3, today)
    open_world.sync()
    del open_world.road.things["compromise"]
    assert open_world.sync().warnings == [
        "The server had lost the notice of compromise, and is given it again: ask who runs it."
    ]
    assert told(open_world) == (None, today)


def test_9_13_a_server_that_brings_an_older_notice_back_is_given_the_newest(open_world: World) -> None:
    today = open_world.clock.today
    announce(open_world, "compromise", None)
    old = open_world.road.things["compromise"]
    announce(open_world, "compromise", today)
    open_world.road.things["compromise"] = old
    assert "is given it again" in open_world.sync().warnings[0]
    assert told(open_world) == up(open_world) == (None, today)


def test_another_organisations_notice_is_not_taken_over(open_world: World, colleague: Colleague) -> None:
    other = Office(open_world.clock)
    claim = notice_claim(colleague.roster(), "compromise", 9, open_world.clock.today, open_world.clock.today)
    object.__setattr__(claim, "org", other.org)
    open_world.road.things["compromise"] = claim.sign([colleague.key])
    assert open_world.sync().warnings == []
    assert up(open_world) == (None, None)
    with pytest.raises(Refused, match="another organisation"):
        open_world.road.team.put_notice("compromise", claim.sign([colleague.key]))


def test_8_15_when_the_signer_is_removed_a_colleague_signs_anew(open_world: World, colleague: Colleague) -> None:
    today = open_world.clock.today
    colleague.announce("compromise", SERIAL_MOST, today)
    open_world.sync()
    with pytest.raises(DeskError, match="used up the numbers of this notice"):
        open_world.desk.announce(open_world.road, "compromise", None)
    Colleague(open_world).join(serial=3)
    (warning,) = open_world.desk.status().warnings
    assert warning.startswith("The notice of compromise holds no more, since the device that signed it left the roster")
    assert "sign it anew with `desk compromise`" in warning
    assert told(open_world) == up(open_world) == (None, None)
    announce(open_world, "compromise", today)
    assert told(open_world) == up(open_world) == (None, today)
    assert open_world.desk.status().warnings == ()


def test_a_device_that_was_removed_signs_no_notice(open_world: World) -> None:
    open_world.road.things["roster"] = open_world.office.roster(2, None)
    with pytest.raises(DeskError, match="a colleague must sign the notice"):
        open_world.desk.announce(open_world.road, "compromise", open_world.clock.today)
    assert told(open_world) == (None, None)


def test_what_waits_of_a_removed_device_is_never_handed_in(open_world: World) -> None:
    open_world.road.losses["put_notice"] = ["before"]
    open_world.desk.announce(open_world.road, "compromise", open_world.clock.today)
    open_world.road.things["roster"] = open_world.office.roster(2, None)
    open_world.desk.sync(open_world.road)
    assert [open_world.desk.notices.waiting(kind) for kind in KINDS] == [None, None]
    assert told(open_world) == (None, None)


def test_a_notice_of_compromise_that_ends_soon_is_told(open_world: World) -> None:
    announce(open_world, "compromise", open_world.clock.today)
    held = open_world.desk.notices
    held._today += 344
    assert list(held.warnings()) == []
    held._today += 1
    assert list(held.warnings()) == ["The notice of compromise ends in 21 days: is it still true, then sign it anew."]


def test_no_finer_time_than_the_day_is_on_the_servers_file(open_world: World) -> None:
    announce(open_world, "absence", open_world.clock.today)
    path: Path = open_world.road._signed.path("absence")
    assert path.stat().st_mtime == open_world.clock.today * 86_400
