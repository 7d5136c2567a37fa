"""What a device trusts: the first meeting, and what later ones must go on from (spec 8)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from doubles.organisation import NAME, Organisation
from doubles.world import TODAY, organisation

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.source.errors import Alarm, SourceError
from sottovoce.source.known import Known, day
from sottovoce.trust.duty import duty_claim
from sottovoce.trust.notice import Kind, Notices, notice_claim
from sottovoce.trust.published import Published, SignedFolder
from sottovoce.trust.roster import UntrustedRoot, UntrustedRoster, join_roots
from sottovoce.trust.signed import Untrusted

KINDS = ("root", "card", "roster", "duty")


class Shown(dict[str, bytes]):
    """What an onion shows, and a root key with which more can be signed."""

    def __init__(self, org: Organisation) -> None:
        super().__init__({kind: (org.server / "signed" / f"{kind}.signed").read_bytes() for kind in KINDS})
        self.org = org
        self.root_key = org.office.root_key()

    def sign(self, kind: str, **changes: Any) -> None:
        """Puts another version in place: the same but for some fields of its claim."""
        key = self.org.signing if kind == "duty" else self.root_key
        claim = replace(Untrusted.read(self[kind], kind).claim, **changes)
        self[kind] = claim.sign([key])

    def succeed(self, serial: int = 2) -> None:
        """A new root key, signed by the one before, and all that it then signs anew."""
        new = Ed25519PrivateKey.generate()
        claim = replace(
            UntrustedRoot.of(self["root"]).claim,
            org=self.org.org,
            serial=serial,
            body=new.public_key().public_bytes_raw(),
        )
        documents = cbor.decode(self["root"], "roster", 65_536)
        assert isinstance(documents, list)
        self["root"] = join_roots([*documents, claim.sign([self.root_key, new])])
        self.root_key = new
        for kind in ("card", "roster"):
            self.sign(kind, serial=Untrusted.read(self[kind], kind).claim.serial + 1)
        self.on_duty(1)

    def on_duty(self, serial: int) -> None:
        """A duty list of the roster that is shown."""
        roster = UntrustedRoster.of(self["roster"]).verify(self.root(), TODAY)
        keys = {epoch: key.public for epoch, key in self.org.duty_keys.items()}
        self["duty"] = duty_claim(roster, serial, TODAY, keys).sign([self.org.signing])

    def root(self) -> Any:
        return UntrustedRoot.of(self["root"]).verify(None, TODAY)


@pytest.fixture
def shown(org: Organisation) -> Shown:
    """What the true onion shows."""
    return Shown(org)


@pytest.fixture
def known(tmp_path: Path) -> Known:
    """A device that knows nobody."""
    return Known(tmp_path / "device" / "public")


@pytest.fixture
def other() -> Organisation:
    """Another organisation, on duty too."""
    return organisation("another")


def visit(known: Known, shown: Shown, today: int = TODAY) -> Published:
    """Meets the onion and keeps what it showed."""
    published = known.meet(shown.org.address, shown.get, today)
    known.keep(shown.org.address, published, today)
    return published


def held(known: Known) -> dict[str, bytes]:
    """What lies in the device's folder."""
    return {path.name: path.read_bytes() for path in known.folder.iterdir()} if known.folder.exists() else {}


def test_the_first_meeting_verifies_all_and_keeps_public_things_only(known: Known, shown: Shown) -> None:
    assert (known.onion, known.org(), held(known)) == (None, None, {})
    published = visit(known, shown)
    server = SignedFolder(shown.org.server / "signed").published(TODAY)
    assert published.card.name == NAME
    assert published.audience(TODAY) == server.audience(TODAY)
    again = Known(known.folder)
    assert (again.onion, again.org()) == (shown.org.address, shown.org.org)
    assert held(known) == {f"{kind}.signed": shown[kind] for kind in KINDS} | {"onion": shown.org.address.encode()}


def test_a_later_visit_takes_what_is_newer(known: Known, shown: Shown) -> None:
    visit(known, shown)
    for kind in ("card", "roster"):
        shown.sign(kind, serial=7)
    shown.on_duty(3)
    assert visit(known, shown).roster.claim.serial == 7
    assert held(known)["duty.signed"] == shown["duty"]


def test_files_say_no_finer_time_than_the_day(known: Known, shown: Shown) -> None:
    visit(known, shown)
    assert {int(path.stat().st_mtime) for path in known.folder.iterdir()} == {TODAY * 86_400}
    assert known.folder.stat().st_mode & 0o777 == 0o700


def test_8_4_a_new_root_key_signed_by_the_one_before_is_followed(known: Known, shown: Shown) -> None:
    visit(known, shown)
    shown.succeed()
    published = visit(known, shown)
    assert published.root.org == shown.org.org
    assert len(published.root.hashes) == 2
    assert published.audience(TODAY)


# -- somebody else, or something else -----------------------------------------------


def refused(known: Known, shown: Shown, match: str, kind: type[Exception] = Alarm, today: int = TODAY) -> None:
    """A visit fails with this sentence, and leaves what was kept."""
    before = held(known)
    with pytest.raises(kind, match=match) as told:
        visit(known, shown, today)
    assert str(told.value).endswith(".")
    assert held(known) == before


def test_another_organisation_at_a_known_onion_is_an_alarm(known: Known, shown: Shown, other: Organisation) -> None:
    visit(known, shown)
    false = Shown(other)
    false.org = shown.org  # at the same address
    refused(known, false, "ALARM: This onion shows another organisation")


def test_another_root_for_the_same_organisation_is_an_alarm(known: Known, shown: Shown) -> None:
    """Who stole the first root key signs a second successor: a device that saw the first one is told."""
    stolen = Shown(shown.org)
    shown.succeed()
    visit(known, shown)
    stolen.succeed()
    refused(known, stolen, "ALARM: The onion shows another root than before")


def test_an_older_root_is_an_alarm(known: Known, shown: Shown) -> None:
    old = Shown(shown.org)
    shown.succeed()
    visit(known, shown)
    refused(known, old, "ALARM: The onion shows an older root")


@pytest.mark.parametrize("kind", ["card", "roster", "duty"])
def test_an_older_version_is_an_alarm(known: Known, shown: Shown, kind: str) -> None:
    """A server that rolls back to keys that were stolen since."""
    old = shown[kind]
    shown.sign(kind, serial=5)
    if kind == "roster":
        shown.on_duty(1)
    visit(known, shown)
    shown[kind] = old
    refused(known, shown, f"ALARM: The onion shows an older {kind}")


@pytest.mark.parametrize("kind", ["card", "roster", "duty"])
def test_two_versions_under_one_number_are_an_alarm(known: Known, shown: Shown, kind: str) -> None:
    visit(known, shown)
    expires = Untrusted.read(shown[kind], kind).claim.expires
    if kind == "duty":
        keys = dict(list(Untrusted.read(shown[kind], kind).claim.body[1].items())[:-1])
        shown.sign(kind, expires=expires - 1, body=[Untrusted.read(shown[kind], kind).claim.body[0], keys])
    else:
        shown.sign(kind, expires=expires - 1)
    refused(known, shown, f"ALARM: The onion shows another {kind}")


def test_a_new_roster_begins_its_duty_lists_anew(known: Known, shown: Shown) -> None:
    """Else nobody could renew after the greatest possible number, that a removed member once signed."""
    shown.sign("duty", serial=2**62)
    visit(known, shown)
    shown.sign("roster", serial=9)
    shown.on_duty(1)
    assert visit(known, shown).duty is not None


def test_8_7_a_roster_that_the_card_has_left_behind_is_an_alarm(known: Known, shown: Shown) -> None:
    body = Untrusted.read(shown["card"], "card").claim.body
    shown.sign("card", body=[*body[:5], 99])
    refused(known, shown, "ALARM: The onion shows an older roster")


def test_an_onion_that_the_card_does_not_name_is_an_alarm(known: Known, shown: Shown) -> None:
    """A false door that hands on all that is signed, to see and keep back what is written."""
    body = Untrusted.read(shown["card"], "card").claim.body
    shown.sign("card", body=[body[0], ["a" * 56 + ".onion"], *body[2:]])
    refused(known, shown, "ALARM: The organisation's card does not name this onion")


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_root_did_not_sign_is_refused(known: Known, shown: Shown, other: Organisation, kind: str) -> None:
    for met in (False, True):
        false = Shown(shown.org)
        false.root_key = false.org.office.root_key()
        false[kind] = Shown(other)[kind]
        if kind == "duty":
            assert known.meet(shown.org.address, false.get, TODAY).duty is None, "nobody can write, but read"
        else:
            with pytest.raises((Refused, Alarm)):
                visit(known, false)
        if not met:
            visit(known, shown)


@pytest.mark.parametrize("raw", [b"", b"\x80", b"\xff" * 40, bytes(70_000)])
@pytest.mark.parametrize("kind", KINDS)
def test_junk_is_refused(known: Known, shown: Shown, kind: str, raw: bytes) -> None:
    shown[kind] = raw
    if kind == "duty":
        assert visit(known, shown).duty is None
    else:
        refused(known, shown, "^(This|The)", Refused)


@pytest.mark.parametrize("kind", ["root", "card", "roster"])
def test_an_onion_that_shows_nothing_is_told(known: Known, shown: Shown, kind: str) -> None:
    del shown[kind]
    refused(known, shown, f"The onion shows no {kind}", SourceError)


def test_without_a_duty_list_answers_can_be_read_and_nothing_written(known: Known, shown: Shown) -> None:
    del shown["duty"]
    assert visit(known, shown).audience(TODAY) is None


# -- time ----------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "days"), [("roster", 200), ("card", 400), ("root", 4_000)])
def test_what_is_over_is_told_with_both_days(known: Known, shown: Shown, kind: str, days: int) -> None:
    for each in ("card", "roster"):
        if each != kind:
            shown.sign(each, issued=TODAY + days - 10, expires=TODAY + days + 10)
    ends = (
        UntrustedRoot.of(shown["root"]).claim.expires
        if kind == "root"
        else Untrusted.read(shown[kind], kind).claim.expires
    )
    refused(known, shown, f"{kind} held until {day(ends)}.*says {day(TODAY + days)}", SourceError, TODAY + days)


def test_a_clock_that_is_behind_is_told(known: Known, shown: Shown) -> None:
    refused(known, shown, f"begins on {day(TODAY)}.*says {day(TODAY - 2)}: set the clock", SourceError, TODAY - 2)


def test_a_duty_list_that_is_over_closes_the_door(known: Known, shown: Shown) -> None:
    visit(known, shown)
    assert visit(known, shown, TODAY + 7).duty is None


@pytest.mark.parametrize(("epoch", "text"), [(0, "1970-01-01"), (20_833, "2027-01-15"), (10**9, "day 1000000000")])
def test_a_day_is_a_date(epoch: int, text: str) -> None:
    assert day(epoch) == text


# -- notices ---------------------------------------------------------------------


def notice(shown: Shown, kind: Kind, serial: int, day: int | None, key: Ed25519PrivateKey | None = None) -> bytes:
    roster = UntrustedRoster.of(shown["roster"]).verify(shown.root(), TODAY)
    return notice_claim(roster, kind, serial, TODAY, day).sign([key or shown.org.signing])


def test_8_15_a_device_keeps_notices_and_a_server_that_hides_one_gains_nothing(known: Known, shown: Shown) -> None:
    shown["compromise"], shown["absence"] = (
        notice(shown, "compromise", 2, TODAY - 1),
        notice(shown, "absence", 1, TODAY),
    )
    assert visit(known, shown).notices[:2] == (TODAY, TODAY - 1)
    for hidden in (b"damaged", notice(shown, "compromise", 1, None), notice(shown, "compromise", 2, None)):
        shown["compromise"] = hidden
        assert visit(known, shown).notices.compromised_since == TODAY - 1
    del shown["compromise"]
    assert visit(known, shown).notices.compromised_since == TODAY - 1
    shown["compromise"] = notice(shown, "compromise", 3, None)
    assert visit(known, shown).notices.compromised_since is None
    del shown["compromise"]
    assert visit(known, shown).notices.compromised_since is None


def test_8_15_a_strangers_notice_is_none(known: Known, shown: Shown) -> None:
    shown["compromise"] = notice(shown, "compromise", 1, TODAY, Ed25519PrivateKey.generate())
    assert visit(known, shown).notices == Notices()
    assert "compromise.signed" not in held(known)
