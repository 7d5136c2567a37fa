"""Notices of absence and of compromise: who may sign, what they say, what the server takes (spec 8.15, 9.13)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from doubles.admitted import Team
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import EPOCH_SECONDS
from sottovoce.trust.notice import KINDS, Kind, Notice, Notices, UntrustedNotice, notice_claim
from sottovoce.trust.signed import SERIAL_MOST
from sottovoce.trust.team import TeamFolder

TODAY = 20_780


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return Team(tmp_path_factory.mktemp("team"), TODAY)


@pytest.fixture
def team(founded: Team, tmp_path: Path) -> Team:
    return founded.copy(tmp_path)


@pytest.fixture
def server(team: Team) -> TeamFolder:
    return TeamFolder(team.signed, lambda: (TODAY + 0.7) * EPOCH_SECONDS)


def told(team: Team, today: int = TODAY) -> tuple[int | None, int | None]:
    """What the door tells sources."""
    return team.signed.published(today).notices[:2]


def test_8_15_one_device_signs_where_a_duty_list_needs_two(team: Team, server: TeamFolder) -> None:
    assert team.roster.threshold == 2
    assert told(team) == (None, None)
    server.put_notice("compromise", team.notice("compromise", 1, 2, TODAY - 9))
    server.put_notice("absence", team.notice("absence", 1, 0, TODAY + 9))
    assert told(team) == (TODAY + 9, TODAY - 9)


@pytest.mark.parametrize("kind", KINDS)
def test_8_15_nobody_else_signs_a_notice(team: Team, kind: Kind) -> None:
    claim = notice_claim(team.roster, kind, 1, TODAY, TODAY)
    for signers in ([], [team.office.root_key()], [Ed25519PrivateKey.generate()]):
        with pytest.raises(Refused, match="signatures") as caught:
            UntrustedNotice.of(claim.sign(signers), kind).verify(team.roster, TODAY)
        assert caught.value.layer == "roster"
    other = replace(claim, org=bytes(32)).sign([team.signing[0]])
    with pytest.raises(Refused, match="another organisation"):
        UntrustedNotice.of(other, kind).verify(team.roster, TODAY)
    with pytest.raises(TypeError):
        Notice(object(), claim, b"")


SHAPES: dict[str, tuple[Kind, dict[str, Any]]] = {
    "an address": ("compromise", {"body": "write to evil.onion"}),
    "a list": ("absence", {"body": [TODAY, "evil.onion"]}),
    "true": ("compromise", {"body": True}),
    "an absence that is over": ("absence", {"body": TODAY - 1}),
    "an absence beyond its end": ("absence", {"body": TODAY + 61}),
    "an absence for 61 days": ("absence", {"body": TODAY + 61, "expires": TODAY + 61}),
    "a compromise to come": ("compromise", {"body": TODAY + 1}),
    "a compromise before all days": ("compromise", {"body": -1}),
    "a compromise for 366 days": ("compromise", {"expires": TODAY + 366}),
}


@pytest.mark.parametrize("name", SHAPES)
def test_8_15_a_notice_says_one_day_and_nothing_else(team: Team, name: str) -> None:
    kind, changes = SHAPES[name]
    claim = notice_claim(team.roster, kind, 1, TODAY, TODAY)
    UntrustedNotice.of(claim.sign([team.signing[0]]), kind).verify(team.roster, TODAY)
    with pytest.raises(Refused, match="form it must have") as caught:
        UntrustedNotice.of(replace(claim, **changes).sign([team.signing[0]]), kind).verify(team.roster, TODAY)
    assert caught.value.layer == "roster"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_8_15_any_flipped_bit_is_refused(founded: Team, data: st.DataObject) -> None:
    raw = bytearray(founded.notice("compromise", 1, 0, TODAY))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Refused):
        UntrustedNotice.of(bytes(raw), "compromise").verify(founded.roster, TODAY)


def test_8_15_an_absence_is_over_after_its_day_and_a_compromise_after_a_year(team: Team, server: TeamFolder) -> None:
    server.put_notice("absence", team.notice("absence", 1, 0, TODAY + 3))
    assert [told(team, day)[0] for day in (TODAY + 3, TODAY + 4)] == [TODAY + 3, None]
    notice = UntrustedNotice.of(team.notice("compromise", 1, 0, TODAY), "compromise")
    assert notice.verify(team.roster, TODAY + 365).says(TODAY + 365) == TODAY
    with pytest.raises(Refused, match="not valid today"):
        notice.verify(team.roster, TODAY + 366)


def test_8_15_a_withdrawn_notice_can_not_be_brought_back(team: Team, server: TeamFolder) -> None:
    old = team.notice("compromise", 1, 0, TODAY)
    server.put_notice("compromise", old)
    server.put_notice("compromise", team.notice("compromise", 2, 1))
    assert told(team) == (None, None)
    assert [each.day for each in team.signed.published(TODAY).notices.held] == [None]
    with pytest.raises(Refused, match="greater than 2: sync first") as caught:
        server.put_notice("compromise", old)
    assert caught.value.layer == "roster"


@pytest.mark.parametrize("kind", KINDS)
def test_8_15_what_takes_a_notices_place_outlives_it(team: Team, kind: Kind) -> None:
    ends = [UntrustedNotice.of(team.notice(kind, 1, 0, day), kind).claim.expires for day in (TODAY, None)]
    assert ends[0] == ends[1]


def test_9_13_an_older_or_equal_serial_is_refused_also_when_the_absence_is_over(team: Team) -> None:
    clock = [TODAY]
    server = TeamFolder(team.signed, lambda: clock[0] * EPOCH_SECONDS)
    server.put_notice("absence", team.notice("absence", 7, 0, TODAY + 1))
    server.put_notice("absence", team.notice("absence", 7, 0, TODAY + 1))  # its sender missed the answer
    clock[0] = TODAY + 70
    for serial in (6, 7):
        with pytest.raises(Refused, match="greater than 7"):
            server.put_notice("absence", team.notice("absence", serial, 1, TODAY + 71, today=TODAY + 70))
    server.put_notice("absence", team.notice("absence", 8, 1, TODAY + 71, today=TODAY + 70))
    assert told(team, TODAY + 70) == (TODAY + 71, None)


def test_8_15_a_removed_devices_notice_holds_no_more_and_its_serial_counts_no_more(
    team: Team, server: TeamFolder
) -> None:
    server.put_notice("compromise", team.notice("compromise", SERIAL_MOST, 0, TODAY))
    with pytest.raises(Refused, match="greater than"):
        server.put_notice("compromise", team.notice("compromise", 1, 1, TODAY))
    team.office.remove(0, secrets.token_bytes, TODAY)
    team.publish()
    assert told(team) == (None, None)
    with pytest.raises(Refused, match="signatures"):
        server.put_notice("compromise", team.notice("compromise", 1, 0, TODAY))
    server.put_notice("compromise", team.notice("compromise", 1, 1, TODAY))
    assert told(team) == (None, TODAY)


@pytest.mark.parametrize("raw", [b"", b"junk", b"\x82\x40\x80"])
def test_8_15_a_damaged_notice_is_none_and_locks_nobody_out(team: Team, server: TeamFolder, raw: bytes) -> None:
    server.put_duty(team.duty(1, 0, 1))
    for kind in KINDS:
        team.signed.path(kind).write_bytes(raw)
    published = team.signed.published(TODAY)
    assert published.notices == Notices()
    assert published.audience(TODAY) is not None
    server.put_notice("compromise", team.notice("compromise", 1, 0, TODAY))
    assert told(team) == (None, TODAY)


def test_a_door_sees_a_new_notice_at_its_next_call(team: Team, server: TeamFolder) -> None:
    door = team.signed
    assert door.published(TODAY).notices.compromised_since is None
    server.put_notice("compromise", team.notice("compromise", 1, 0, TODAY))
    assert door.published(TODAY).notices.compromised_since == TODAY


def test_a_notices_file_says_no_finer_time_than_the_day(team: Team, server: TeamFolder) -> None:
    server.put_notice("compromise", team.notice("compromise", 1, 0, TODAY))
    folder = team.server / "signed"
    assert {path.stat().st_mtime for path in (folder, folder / "compromise.signed")} == {TODAY * EPOCH_SECONDS}
