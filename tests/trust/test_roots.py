"""Root succession: the chain, who may go on with it, and what an office does at each interruption."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from doubles.organisation import PASSPHRASE
from doubles.team import Team, request
from hypothesis import given, settings
from hypothesis import strategies as st
from trust.test_signed import ORG, ROOT, ROOT_CLAIM, ROOT_KEY, STRANGER, TODAY, public, signer

from sottovoce.protocol import cbor
from sottovoce.protocol.errors import Refused
from sottovoce.trust.card import UntrustedAccess, UntrustedCard
from sottovoce.trust.office import Office, restore
from sottovoce.trust.published import write_durably
from sottovoce.trust.roster import ROOTS, Root, UntrustedRoot, UntrustedRoster, join_roots, removed
from sottovoce.trust.signed import Claim
from sottovoce.trust.succession import begin_succession, end_succession

SECOND, THIRD = signer("second root"), signer("third root")
FIRST_RAW = ROOT_CLAIM.sign([ROOT_KEY])
SECOND_CLAIM = Claim("root", ORG, 2, TODAY, TODAY + 3_650, public(SECOND))
SECOND_RAW = SECOND_CLAIM.sign([ROOT_KEY, SECOND])
THIRD_RAW = Claim("root", ORG, 3, TODAY, TODAY + 3_650, public(THIRD)).sign([SECOND, THIRD])


def verified(documents: Sequence[bytes], today: int = TODAY, held: Root | None = None) -> Root:
    """The root that a chain becomes for who has the first document."""
    return UntrustedRoot.of(join_roots(documents)).verify(ORG, today, held)


def test_8_4_who_has_the_first_document_follows_the_chain() -> None:
    root = verified([FIRST_RAW, SECOND_RAW, THIRD_RAW])
    assert (root.org, root.key, root.claim.serial) == (ORG, public(THIRD), 3)
    assert root.keys == [public(key) for key in (ROOT_KEY, SECOND, THIRD)]
    assert root.continues(ROOT)
    assert not ROOT.continues(root)


SUCCESSORS: dict[str, tuple[Claim, list[Ed25519PrivateKey]]] = {
    "signed by nobody's predecessor": (SECOND_CLAIM, [STRANGER, SECOND]),
    "signed by the new key only": (SECOND_CLAIM, [SECOND]),
    "signed by the old key only": (SECOND_CLAIM, [ROOT_KEY]),
    "unsigned": (SECOND_CLAIM, []),
    "another organisation's": (replace(SECOND_CLAIM, org=bytes(32)), [ROOT_KEY, SECOND]),
    "the same serial": (replace(SECOND_CLAIM, serial=1), [ROOT_KEY, SECOND]),
    "a serial left out": (replace(SECOND_CLAIM, serial=3), [ROOT_KEY, SECOND]),
    "older than the one before": (replace(SECOND_CLAIM, issued=TODAY - 1), [ROOT_KEY, SECOND]),
    "the same key again": (replace(SECOND_CLAIM, body=public(ROOT_KEY)), [ROOT_KEY, ROOT_KEY]),
    "a short key": (replace(SECOND_CLAIM, body=bytes(31)), [ROOT_KEY, SECOND]),
    "over": (replace(SECOND_CLAIM, expires=TODAY - 1), [ROOT_KEY, SECOND]),
    "not yet": (replace(SECOND_CLAIM, issued=TODAY + 2), [ROOT_KEY, SECOND]),
}


@pytest.mark.parametrize("case", SUCCESSORS)
def test_8_4_a_successor_that_is_none_is_refused(case: str) -> None:
    claim, signers = SUCCESSORS[case]
    with pytest.raises(Refused) as caught:
        verified([FIRST_RAW, claim.sign(signers)])
    assert caught.value.layer == "roster"
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "documents",
    [[], [SECOND_RAW], [SECOND_RAW, FIRST_RAW], [FIRST_RAW, THIRD_RAW], [FIRST_RAW, FIRST_RAW]],
    ids=["none", "without the first", "the other way round", "one left out", "the first twice"],
)
def test_8_4_a_chain_that_is_none_is_refused(documents: list[bytes]) -> None:
    with pytest.raises(Refused):
        verified(documents)


def test_8_4_a_chain_has_a_bound() -> None:
    with pytest.raises(Refused, match="no root document"):
        UntrustedRoot.of(join_roots([FIRST_RAW] * (ROOTS + 1)))
    for junk in (FIRST_RAW, b"", cbor.encode({}), cbor.encode([1])):
        with pytest.raises(Refused):
            UntrustedRoot.of(junk)


def test_8_4_a_key_comes_back_never() -> None:
    back = Claim("root", ORG, 3, TODAY, TODAY + 3_650, public(ROOT_KEY)).sign([SECOND, ROOT_KEY])
    with pytest.raises(Refused, match="form it must have"):
        verified([FIRST_RAW, SECOND_RAW, back])


def test_8_4_an_older_chain_and_another_branch_are_refused_by_who_saw_the_newer_one() -> None:
    held = verified([FIRST_RAW, SECOND_RAW])
    assert verified([FIRST_RAW, SECOND_RAW, THIRD_RAW], held=held).claim.serial == 3
    with pytest.raises(Refused, match="older than one that was seen before"):
        verified([FIRST_RAW], held=held)
    stolen = Claim("root", ORG, 2, TODAY, TODAY + 3_650, public(STRANGER)).sign([ROOT_KEY, STRANGER])
    further = Claim("root", ORG, 3, TODAY, TODAY + 3_650, public(THIRD)).sign([STRANGER, THIRD])
    for branch in ([FIRST_RAW, stolen], [FIRST_RAW, stolen, further]):
        with pytest.raises(Refused, match="at once"):
            verified(branch, held=held)


def test_8_4_only_the_newest_documents_time_counts() -> None:
    late = Claim("root", ORG, 2, TODAY + 3_600, TODAY + 7_000, public(SECOND)).sign([ROOT_KEY, SECOND])
    assert verified([FIRST_RAW, late], today=TODAY + 6_000).key == public(SECOND)
    with pytest.raises(Refused, match="not valid today"):
        verified([FIRST_RAW], today=TODAY + 6_000)


@settings(max_examples=100, deadline=None)
@given(bit=st.integers(0, 8 * len(join_roots([FIRST_RAW, SECOND_RAW])) - 1))
def test_8_4_any_flipped_bit_in_a_chain_is_refused(bit: int) -> None:
    raw = bytearray(join_roots([FIRST_RAW, SECOND_RAW]))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Refused):
        UntrustedRoot.of(bytes(raw)).verify(ORG, TODAY)


# The office


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return Team(tmp_path_factory.mktemp("team"), TODAY)


@pytest.fixture
def team(founded: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.setattr("sottovoce.trust.locked.MEMORY", 64)  # its strength is tried elsewhere
    monkeypatch.setattr("sottovoce.trust.locked.PASSES", 1)
    return founded.copy(tmp_path)


def test_8_4_a_succession_keeps_the_organisation_and_signs_all_anew(team: Team) -> None:
    before = team.signed.published(TODAY)
    begin_succession(team.office, PASSPHRASE, secrets.token_bytes, TODAY)
    end_succession(team.office, PASSPHRASE, secrets.token_bytes)
    team.publish()
    after = team.signed.published(TODAY)
    assert (after.root.org, after.root.claim.serial) == (before.root.org, 2)
    assert after.root.continues(before.root)
    assert after.roster.slots == before.roster.slots
    assert (after.card.least_root, after.card.least_roster) == (2, before.card.least_roster)
    assert after.card.check_words == before.card.check_words
    assert after.root.key != before.root.key
    again = Office.open(team.folder / "office", PASSPHRASE)
    assert again.secrets.successor is None
    assert again.secrets.root != before.root.key
    again.renew(TODAY)
    assert again.root_key().public_key().public_bytes_raw() == after.root.key


def test_8_4_what_the_old_root_key_signs_is_refused(team: Team) -> None:
    old_key, serial = team.office.root_key(), team.roster.claim.serial
    begin_succession(team.office, PASSPHRASE, secrets.token_bytes, TODAY)
    root = team.office.root(TODAY)
    claim = replace(team.roster.claim, serial=serial + 9)
    with pytest.raises(Refused, match="signatures"):
        UntrustedRoster.of(claim.sign([old_key])).verify(root, TODAY)
    assert UntrustedRoster.of(team.roster.raw).verify_kept(root).hash == team.roster.hash, "what was kept stays good"
    card, access = (team.signed.get(kind) for kind in ("card", "access"))
    assert card is not None
    assert access is not None
    for read in (UntrustedCard.of(card), UntrustedAccess.of(access)):
        assert read.verify_kept(root).raw in (card, access)
        with pytest.raises(Refused, match="signatures"):
            read.verify(root, TODAY)


def test_8_7_a_card_of_the_new_root_is_not_believed_with_the_old_chain(team: Team) -> None:
    begin_succession(team.office, PASSPHRASE, secrets.token_bytes, TODAY)
    card = team.office.signed.get("card")
    assert card is not None
    with pytest.raises(Refused):
        UntrustedCard.of(card).verify(team.signed.root(TODAY), TODAY)


class Cut(Exception):
    """The power went."""


def cut_after(patched: pytest.MonkeyPatch, writes: int) -> None:
    """The power goes after so many files were written."""
    left = [writes]

    def write(path: Path, raw: bytes, day: int | None = None) -> None:
        if not left[0]:
            raise Cut
        left[0] -= 1
        write_durably(path, raw, day)

    for room in ("office", "succession"):
        patched.setattr(f"sottovoce.trust.{room}.write_durably", write)


@pytest.mark.parametrize("writes", range(1, 7))
def test_8_4_a_succession_that_is_interrupted_at_any_write_goes_on_with_the_same_key(
    team: Team, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    with monkeypatch.context() as patched, contextlib.suppress(Cut):
        cut_after(patched, writes)
        begin_succession(team.office, PASSPHRASE, secrets.token_bytes, TODAY)
        end_succession(team.office, PASSPHRASE, secrets.token_bytes)
    again = Office.open(team.folder / "office", PASSPHRASE)
    begun = again.secrets.successor
    begin_succession(again, PASSPHRASE, secrets.token_bytes, TODAY)
    end_succession(again, PASSPHRASE, secrets.token_bytes)
    finished = Office.open(team.folder / "office", PASSPHRASE)
    assert finished.secrets.successor is None
    assert begun is None or finished.secrets.root == begun
    root = finished.root(TODAY)
    assert root.claim.serial == (2 if begun is not None else 3), "begun is None: the first one had ended"
    finished.renew(TODAY)
    finished.remove(2, secrets.token_bytes, TODAY)


def test_8_4_the_backup_that_is_offered_has_the_new_root_key_and_not_the_old_one(team: Team, tmp_path: Path) -> None:
    old = team.office.secrets.root
    renewed = begin_succession(team.office, PASSPHRASE, secrets.token_bytes, TODAY)
    backup = team.office.backup(PASSPHRASE, secrets.token_bytes, renewed)
    again = restore(backup, PASSPHRASE, tmp_path / "again")
    assert (again.secrets.root, again.secrets.successor) == (renewed.root, None)
    assert again.secrets.root != old
    again.renew(TODAY)


def test_an_office_from_before_the_succession_signs_nothing_more(team: Team) -> None:
    old = team.office.secrets
    begin_succession(team.office, PASSPHRASE, secrets.token_bytes, TODAY)
    with pytest.raises(Refused, match="newest root key"):
        Office(team.folder / "office", old).renew(TODAY)


def test_a_roster_that_a_stranger_put_into_the_offices_folder_is_not_signed_anew(team: Team) -> None:
    claim = team.roster.claim
    slots = [[bytes([9]) * 32, public(STRANGER), ""], *claim.body[1][1:]]
    forged = replace(claim, serial=claim.serial + 1, body=[1, slots]).sign([STRANGER])
    team.office.signed.path("roster").write_bytes(forged)
    for act in (
        lambda: team.office.renew(TODAY),
        lambda: team.office.renew(TODAY, 1),
        lambda: begin_succession(team.office, PASSPHRASE, secrets.token_bytes, TODAY),
        team.admit,
        lambda: team.office.remove(1, secrets.token_bytes, TODAY),
    ):
        with pytest.raises(Refused) as caught:
            act()
        assert str(caught.value).endswith(".")


# Who is a member


def test_8_13_a_removed_device_is_in_no_list_and_no_older_roster_holds(team: Team) -> None:
    older, access = team.roster, team.office.signed.access(TODAY)
    team.office.remove(1, secrets.token_bytes, TODAY)
    team.publish()
    newer = team.roster
    assert removed(older, newer) == [1]
    assert newer.claim.serial == older.claim.serial + 1
    assert newer.threshold == older.threshold
    card = team.signed.published(TODAY).card
    assert card.least_roster == newer.claim.serial
    with pytest.raises(Refused, match="older"):
        UntrustedRoster.of(older.raw).verify(team.signed.root(TODAY), TODAY, card.least_roster)
    left = team.office.signed.access(TODAY).clients
    assert left == {slot: key for slot, key in access.clients.items() if slot != 1}


def test_8_13_a_renewal_removes_nobody_and_an_admission_takes_a_free_slots_keys(team: Team) -> None:
    older = team.roster
    team.office.renew(TODAY)
    team.publish()
    assert removed(older, team.roster) == []
    assert team.admit() == 3
    team.publish()
    assert removed(older, team.roster) == [3], "nobody but the office can tell a free slot from a device"
    assert team.signed.published(TODAY).card.least_roster == 1, "but who was removed the card tells"


def test_8_13_a_new_device_in_a_used_slot_removes_the_old_one(team: Team) -> None:
    older, client = team.roster, team.office.signed.access(TODAY).clients[1]
    assert team.admit(1) == 1
    team.publish()
    assert removed(older, team.roster) == [1]
    assert team.office.signed.access(TODAY).clients[1] != client
    assert team.signed.published(TODAY).card.least_roster == team.roster.claim.serial


def test_a_slot_without_a_device_the_last_device_and_one_too_few_are_not_removed(team: Team) -> None:
    with pytest.raises(Refused, match="Slot 7 holds no device"):
        team.office.remove(7, secrets.token_bytes, TODAY)
    team.office.remove(0, secrets.token_bytes, TODAY)
    with pytest.raises(Refused, match="must sign a duty list"):
        team.office.remove(1, secrets.token_bytes, TODAY)
    team.office.renew(TODAY, 1)
    team.office.remove(1, secrets.token_bytes, TODAY)
    with pytest.raises(Refused, match="only device"):
        team.office.remove(2, secrets.token_bytes, TODAY)
    with pytest.raises(Refused, match="Fewer than 2"):
        team.office.renew(TODAY, 2)


def test_sixteen_devices_and_no_more(team: Team) -> None:
    for slot in range(3, 16):
        assert team.admit() == slot
    with pytest.raises(Refused, match="All 16 slots"):
        team.admit()
    team.office.remove(5, secrets.token_bytes, TODAY)
    assert team.admit() == 5


@pytest.mark.parametrize("slot", [None, 1])
@pytest.mark.parametrize("writes", [1, 2])
def test_an_admission_that_was_interrupted_goes_on(
    team: Team, monkeypatch: pytest.MonkeyPatch, writes: int, slot: int | None
) -> None:
    asked = request(team.organisation, Ed25519PrivateKey.generate())
    with monkeypatch.context() as patched:
        cut_after(patched, writes)
        try:
            team.office.admit(asked, "", "x.onion", secrets.token_bytes, TODAY, slot)
            done = True
        except Cut:
            done = False
    if not done:
        taken = team.office.admit(asked, "", "x.onion", secrets.token_bytes, TODAY, slot)
        assert taken == (3 if slot is None else slot)
    clients = team.office.signed.access(TODAY).clients
    assert asked.client in clients.values()
    assert len(clients) == (4 if slot is None else 3)
    with pytest.raises(Refused, match="already"):
        team.office.admit(asked, "", "x.onion", secrets.token_bytes, TODAY, slot)


def test_a_device_that_was_shown_another_branch_of_the_roots_is_not_admitted(team: Team) -> None:
    key = Ed25519PrivateKey.generate()
    asked = replace(request(team.organisation, key), root=secrets.token_bytes(32))
    with pytest.raises(Refused, match="false root"):
        team.office.admit(asked, "", "x.onion", secrets.token_bytes, TODAY)
    earlier = request(team.organisation, key)
    begin_succession(team.office, PASSPHRASE, secrets.token_bytes, TODAY)
    assert team.office.admit(earlier, "", "x.onion", secrets.token_bytes, TODAY) == 3, "invited before the succession"


def test_a_label_that_is_too_long_makes_no_roster_that_nobody_can_read(team: Team) -> None:
    asked = request(team.organisation, Ed25519PrivateKey.generate())
    with pytest.raises(Refused, match="40 characters"):
        team.office.admit(asked, "x" * 41, "x.onion", secrets.token_bytes, TODAY)
