"""Drafts of duty lists and transport keys, as the server takes them: attacks, and members who act at once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from doubles.admitted import Team
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.sizes import EPOCH_SECONDS
from sottovoce.trust.duty import DutyDraft, UntrustedDutyList
from sottovoce.trust.signed import SERIAL_MOST
from sottovoce.trust.team import TeamFolder
from sottovoce.trust.transport import Transport, UntrustedTransport, join_transports, read_transports, transport_claim

TODAY = 20_780
ONE, TWO = bytes(32), b"\1" * 32  # seeds: two renewals that differ


@dataclass
class Server:
    """The members' side of a server, whose clock a test turns."""

    team: Team
    today: int = TODAY

    def __post_init__(self) -> None:
        self.folder = TeamFolder(self.team.signed, lambda: (self.today + 0.7) * EPOCH_SECONDS)

    @property
    def duty(self) -> bytes | None:
        return self.folder.get("duty")


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return Team(tmp_path_factory.mktemp("team"), TODAY)


@pytest.fixture
def team(founded: Team, tmp_path: Path) -> Team:
    return founded.copy(tmp_path)


@pytest.fixture
def server(team: Team) -> Server:
    return Server(team)


def open_door(server: Server) -> bool:
    """Whether a source can write today."""
    return server.team.signed.published(server.today).audience(server.today) is not None


def refused(caught: pytest.ExceptionInfo[Refused], layer: str = "duty list") -> None:
    assert caught.value.layer == layer
    assert str(caught.value).endswith(".")


# Drafts


def test_8_11_a_draft_with_one_signature_does_not_open_the_door_when_the_threshold_is_two(server: Server) -> None:
    raw = server.team.duty(1, 0)
    assert server.folder.put_draft(raw) is False
    assert (server.duty, open_door(server)) == (None, False)
    with pytest.raises(Refused, match="signatures") as caught:
        server.folder.put_duty(raw)
    refused(caught)
    assert server.folder.put_draft(server.team.duty(1, 2)) is True
    assert open_door(server)
    assert server.folder.draft() is None


def test_8_11_a_member_who_opened_the_private_halves_signs_the_draft(server: Server) -> None:
    server.folder.put_draft(server.team.duty(1, 0))
    raw = server.folder.draft()
    assert raw is not None
    draft = UntrustedDutyList.of(raw).draft(server.team.roster, TODAY)
    assert (draft.missing, draft.days_left(TODAY)) == (1, 7)
    both = draft.sign(server.team.signing[1])
    assert UntrustedDutyList.of(both).verify(server.team.roster, TODAY).hash == draft.hash
    assert server.folder.put_draft(both) is True
    assert server.duty == both


def test_8_11_the_same_member_twice_is_one_signature(server: Server) -> None:
    server.folder.put_draft(server.team.duty(1, 0))
    assert server.folder.put_draft(server.team.duty(1, 0, 0)) is False
    draft = UntrustedDutyList.of(server.team.duty(1, 0)).draft(server.team.roster, TODAY)
    assert UntrustedDutyList.of(draft.sign(server.team.signing[0])).draft(server.team.roster, TODAY).missing == 1


def test_8_11_a_stranger_and_the_root_sign_no_draft(server: Server) -> None:
    server.team.signing[:2] = [Ed25519PrivateKey.generate(), server.team.office.root_key()]
    with pytest.raises(Refused, match="signatures") as caught:
        server.folder.put_draft(server.team.duty(1, 0, 1))
    refused(caught)
    assert server.folder.draft() is None


def test_8_11_junk_beside_a_right_signature_can_not_crowd_out_the_second_one(server: Server) -> None:
    payload, pairs = cbor2.loads(server.team.duty(1, 0))
    junk = [[secrets.token_bytes(32), bytes(64)] for _ in range(15)]
    server.folder.put_draft(cbor2.dumps([payload, [*junk, *pairs]]))
    assert server.folder.draft() == server.team.duty(1, 0)
    assert server.folder.put_draft(server.team.duty(1, 1)) is True


def test_9_16_two_renewals_at_once_the_second_syncs_and_signs_the_first(server: Server) -> None:
    assert server.folder.put_draft(server.team.duty(1, 0, seed=ONE)) is False
    for serial in (0, 1):
        with pytest.raises(Refused, match="sync first") as caught:
            server.folder.put_draft(server.team.duty(serial, 1, seed=TWO))
        refused(caught)
    assert server.folder.draft() == server.team.duty(1, 0, seed=ONE)
    server.folder.put_draft(server.team.duty(1, 1, seed=ONE))
    assert server.team.signed.published(TODAY).duty is not None
    with pytest.raises(Refused, match="greater than 1"):
        server.folder.put_draft(server.team.duty(1, 1, seed=TWO))


def test_9_16_a_greater_serial_takes_the_place_of_a_draft_that_nobody_signed(server: Server) -> None:
    server.folder.put_draft(server.team.duty(1, 0, seed=ONE))
    server.folder.put_draft(server.team.duty(2, 1, seed=TWO))
    assert server.folder.draft() == server.team.duty(2, 1, seed=TWO)
    with pytest.raises(Refused, match="greater than 2"):
        server.folder.put_draft(server.team.duty(1, 2, seed=ONE))


def test_9_16_a_second_signature_after_the_list_is_published_does_no_harm(server: Server) -> None:
    server.folder.put_draft(server.team.duty(1, 0, 1))
    published = server.duty
    assert server.folder.put_draft(server.team.duty(1, 2)) is True
    server.folder.put_duty(server.team.duty(1, 1, 2))
    assert server.duty == published


def test_8_11_a_replayed_older_list_is_refused(server: Server) -> None:
    old = server.team.duty(1, 0, 1, seed=ONE)
    server.folder.put_draft(old)
    server.folder.put_draft(server.team.duty(2, 0, 1, seed=TWO))
    for put in (server.folder.put_duty, server.folder.put_draft):
        with pytest.raises(Refused, match="greater than 2") as caught:
            put(old)
        refused(caught)


def test_8_11_a_draft_of_yesterdays_roster_stands_in_nobodys_way(server: Server) -> None:
    server.folder.put_draft(server.team.duty(SERIAL_MOST, 0))
    server.team.office.remove(0, secrets.token_bytes, TODAY)
    server.team.publish()
    assert server.folder.draft() is None
    assert server.folder.put_draft(server.team.duty(1, 1, 2)) is True


def test_9_5_the_greatest_serial_of_a_removed_member_does_not_keep_the_door_closed(tmp_path: Path) -> None:
    team = Team(tmp_path, TODAY, threshold=1)
    server = Server(team)
    server.folder.put_duty(team.duty(SERIAL_MOST, 0))
    with pytest.raises(Refused, match="greater than"):
        server.folder.put_duty(team.duty(1, 1))
    team.office.remove(0, secrets.token_bytes, TODAY)
    team.publish()
    assert not open_door(server), "the list of the roster before holds no more"
    server.folder.put_duty(team.duty(1, 1))
    assert open_door(server)


def test_8_11_a_removed_members_signature_completes_no_draft(server: Server) -> None:
    server.team.office.remove(2, secrets.token_bytes, TODAY)
    server.team.publish()
    assert server.folder.put_draft(server.team.duty(1, 0, 2)) is False
    with pytest.raises(Refused):
        server.folder.put_draft(server.team.duty(2, 2))


def test_8_11_an_expired_draft_is_none(server: Server) -> None:
    server.folder.put_draft(server.team.duty(1, 0, days=2))
    server.today = TODAY + 2
    assert server.folder.draft() is None


def test_8_11_a_threshold_of_one_needs_no_draft(tmp_path: Path) -> None:
    server = Server(Team(tmp_path, TODAY, members=1, threshold=1))
    assert server.folder.put_draft(server.team.duty(1, 0)) is True
    assert open_door(server)


def test_9_16_a_crash_between_publishing_and_forgetting_the_draft_leaves_no_draft(server: Server) -> None:
    server.folder.put_draft(server.team.duty(1, 0))
    held = server.team.signed.path("draft").read_bytes()
    server.folder.put_draft(server.team.duty(1, 1))
    server.team.signed.path("draft").write_bytes(held)
    assert server.folder.draft() is None


@settings(max_examples=40, deadline=None)
@given(order=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2), st.booleans()), max_size=8))
def test_9_16_whatever_comes_in_any_order_only_lists_that_two_signed_are_published(
    founded: Team, tmp_path_factory: pytest.TempPathFactory, order: list[tuple[int, int, bool]]
) -> None:
    team = founded.copy(tmp_path_factory.mktemp("team"))
    server, serial = Server(team), 0
    for number, slot, other in order:
        before = server.duty
        try:
            published = server.folder.put_draft(team.duty(number, slot, seed=TWO if other else ONE, days=1))
        except Refused:
            assert server.duty == before
            continue
        assert published or server.duty == before
        if server.duty is not None:
            duty = UntrustedDutyList.of(server.duty).verify(team.roster, TODAY)
            assert duty.claim.serial >= serial
            serial = duty.claim.serial


def test_8_11_drafts_of_two_lists_do_not_merge(team: Team) -> None:
    one, two = (UntrustedDutyList.of(team.duty(1, 0, seed=seed)).draft(team.roster, TODAY) for seed in (ONE, TWO))
    with pytest.raises(Refused, match="two different") as caught:
        one.merge(two)
    refused(caught)
    with pytest.raises(TypeError):
        DutyDraft(object(), one.claim, one.raw)


# Transport keys


def test_8_12_a_transport_key_is_its_slots_for_a_week(team: Team) -> None:
    transport = UntrustedTransport.of(team.transport(2, 1, seed=ONE)).verify(team.roster, TODAY + 7)
    assert (transport.slot, transport.key) == (2, KemKey(ONE).public)
    with pytest.raises(Refused, match="not valid today") as caught:
        UntrustedTransport.of(transport.raw).verify(team.roster, TODAY + 8)
    refused(caught, "roster")
    with pytest.raises(TypeError):
        Transport(object(), transport.claim, transport.raw)


def test_8_12_a_member_makes_no_transport_key_for_a_colleague(team: Team) -> None:
    claim = transport_claim(team.roster, 1, 1, TODAY, KemKey(ONE).public)
    for signers in ([team.signing[0]], [Ed25519PrivateKey.generate()], [team.office.root_key()], []):
        with pytest.raises(Refused, match="signatures") as caught:
            UntrustedTransport.of(claim.sign(signers)).verify(team.roster, TODAY)
        refused(caught, "roster")


def test_8_12_a_removed_members_transport_key_is_refused(server: Server) -> None:
    raw = server.team.transport(0, 1)
    server.folder.put_transport(raw)
    server.team.office.remove(0, secrets.token_bytes, TODAY)
    server.team.publish()
    assert server.folder.transport(0) is None
    assert read_transports(server.folder.transports(), server.team.roster, TODAY) == {}
    assert read_transports(join_transports([raw]), server.team.roster, TODAY) == {}
    with pytest.raises(Refused, match="signatures") as caught:
        server.folder.put_transport(raw)
    refused(caught, "roster")


def test_8_12_a_new_device_in_a_used_slot_begins_anew(server: Server) -> None:
    server.folder.put_transport(server.team.transport(1, 9))
    server.team.admit(1)
    server.team.publish()
    assert server.folder.transport(1) is None
    server.folder.put_transport(server.team.transport(1, 1, seed=TWO))
    assert server.folder.transport(1) == _read(server)[1].key_hash


def _read(server: Server) -> dict[int, Transport]:
    return read_transports(server.folder.transports(), server.team.roster, server.today)


def test_9_18_the_newest_key_of_each_slot_is_shown_and_an_older_one_refused(server: Server) -> None:
    first, second = server.team.transport(0, 1), server.team.transport(0, 2, seed=TWO)
    server.folder.put_transport(first)
    server.folder.put_transport(server.team.transport(2, 5))
    server.folder.put_transport(second)
    server.folder.put_transport(second)  # its sender missed the answer
    shown = _read(server)
    assert (sorted(shown), shown[0].key) == ([0, 2], KemKey(TWO).public)
    for again in (first, server.team.transport(0, 2)):
        with pytest.raises(Refused, match="greater than 2") as caught:
            server.folder.put_transport(again)
        refused(caught, "roster")


def test_8_12_in_two_answers_joined_by_the_server_the_greater_serial_wins(team: Team) -> None:
    both = [team.transport(0, 2, seed=TWO), team.transport(0, 1, seed=ONE), b"junk"]
    for raws in (both, both[::-1]):
        assert read_transports(join_transports(raws), team.roster, TODAY)[0].key == KemKey(TWO).public
    for junk in (b"", b"\x80\0", cbor2.dumps({}), cbor2.dumps([1])):
        with pytest.raises(Refused):
            read_transports(junk, team.roster, TODAY)


BODIES = {
    "no slot": [KemKey(ONE).public],
    "slot 16": [16, KemKey(ONE).public],
    "slot -1": [-1, KemKey(ONE).public],
    "slot true": [True, KemKey(ONE).public],
    "a short key": [0, KemKey(ONE).public[:-1]],
    "a key that is not reduced": [0, b"\xff" * 1_184 + bytes(range(32))],
    "a key without a secret": [0, KemKey(ONE).public[:1_184] + bytes(32)],
    "a map": {0: 0},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_8_12_another_shape_is_refused(team: Team, body: object) -> None:
    claim = transport_claim(team.roster, 0, 1, TODAY, b"")
    object.__setattr__(claim, "body", body)
    with pytest.raises(Refused) as caught:
        UntrustedTransport.of(claim.sign([team.signing[0]])).verify(team.roster, TODAY)
    refused(caught, "roster")


def test_8_12_a_key_for_eight_days_is_refused(team: Team) -> None:
    claim = transport_claim(team.roster, 0, 1, TODAY, KemKey(ONE).public)
    object.__setattr__(claim, "expires", TODAY + 8)
    with pytest.raises(Refused, match="form it must have"):
        UntrustedTransport.of(claim.sign([team.signing[0]])).verify(team.roster, TODAY)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_8_12_any_flipped_bit_is_refused(founded: Team, data: st.DataObject) -> None:
    team = founded
    raw = bytearray(team.transport(0, 1, seed=ONE))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Refused):
        UntrustedTransport.of(bytes(raw)).verify(team.roster, TODAY)


def test_a_file_moved_to_another_slots_name_is_not_that_slots_key(server: Server) -> None:
    server.folder.put_transport(server.team.transport(0, 1))
    server.team.signed.path("transport-00").rename(server.team.signed.path("transport-01"))
    assert [server.folder.transport(slot) for slot in (0, 1)] == [None, None]


# The folder


def test_no_time_finer_than_the_day_is_on_the_files_that_members_write(server: Server) -> None:
    server.folder.put_draft(server.team.duty(1, 0))
    server.folder.put_transport(server.team.transport(0, 1))
    server.folder.put_draft(server.team.duty(2, 0, 1))
    folder = server.team.server / "signed"
    written = [folder, folder / "duty.signed", folder / "transport-00.signed"]
    for path in written:
        assert path.stat().st_mtime == TODAY * EPOCH_SECONDS, path


def test_another_process_sees_a_new_list_at_once(server: Server) -> None:
    reader = server.team.signed
    assert reader.published(TODAY).duty is None
    server.folder.put_draft(server.team.duty(1, 0, 1))
    assert reader.published(TODAY).duty is not None
    server.folder.put_draft(server.team.duty(2, 0, 1, seed=TWO))
    duty = reader.published(TODAY).duty
    assert duty is not None
    assert duty.claim.serial == 2


def test_while_an_operator_copies_files_one_by_one_the_last_ones_that_fit_hold(server: Server) -> None:
    reader = server.team.signed
    before = reader.published(TODAY).roster.hash
    server.team.office.remove(0, secrets.token_bytes, TODAY)
    card = server.team.office.signed.get("card")
    assert card is not None
    reader.path("card").write_bytes(card)
    assert reader.published(TODAY).roster.hash == before, "the card asks for a roster that is not there yet"
    with pytest.raises(Refused, match="older"):
        reader.published(TODAY + 1)
    server.team.publish()
    assert reader.published(TODAY).roster.hash != before
