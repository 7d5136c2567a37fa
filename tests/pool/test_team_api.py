"""The members' routes over a real UNIX socket, with the client of ours: drafts, transport keys, mailbox."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from doubles.admitted import Team
from doubles.pool import cheap_dummy
from pool.test_api import Side, answering, http, serving
from starlette.applications import Starlette

from sottovoce.pool import api
from sottovoce.pool.editions import Editions
from sottovoce.pool.errors import RoadError
from sottovoce.pool.store import SqlitePool
from sottovoce.pool.team import AT_ONCE, ITEM, Mailbox, Notice, PostResult
from sottovoce.pool.team_api import POST_SIZE, team_routes
from sottovoce.pool.team_client import Conflict, TeamClient, receipt_hash
from sottovoce.protocol.sizes import epoch_of
from sottovoce.trust.duty import UntrustedDutyList
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.team import TeamFolder
from sottovoce.trust.transport import read_transports

NOW = 1_800_000_123.75
TODAY = epoch_of(NOW)


@dataclass
class Members:
    """The members' onion of one organisation, reached over its socket."""

    team: Team
    side: Side
    public: Side

    @property
    def client(self) -> TeamClient:
        return TeamClient("m.onion", self.side.connect)

    def key_hash(self, slot: int) -> bytes:
        """The hash of the transport key that the server shows for a slot."""
        return read_transports(self.client.transports(), self.team.roster, TODAY)[slot].key_hash


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return Team(tmp_path_factory.mktemp("t"), TODAY)


@pytest.fixture
def members(founded: Team, tmp_path: Path) -> Iterator[Members]:
    team = founded.copy(tmp_path / "t")
    signed = TeamFolder(SignedFolder(team.server / "signed"), lambda: NOW)
    with (
        closing(SqlitePool(tmp_path / "pool", lambda: NOW, cheap_dummy)) as pool,
        closing(Mailbox(tmp_path / "pool" / "team.sqlite3", lambda: NOW)) as mailbox,
    ):
        routes = [*api.member_routes(pool, signed), *team_routes(signed, mailbox)]
        public = Starlette(
            routes=[*api.public_routes(pool, Editions(tmp_path / "pool" / "editions"), signed, lambda: NOW)]
        )
        with serving(Starlette(routes=routes), tmp_path / "m") as side, serving(public, tmp_path / "p") as other:
            yield Members(team, side, other)


def item() -> tuple[bytes, bytes]:
    """A receipt and a sealed item."""
    return secrets.token_bytes(16), secrets.token_bytes(ITEM)


ROUTES = [
    ("PUT", "/v1/signed/duty"),
    ("PUT", "/v1/signed/absence"),
    ("PUT", "/v1/signed/compromise"),
    ("GET", "/v1/drafts/duty"),
    ("PUT", "/v1/drafts/duty"),
    ("GET", "/v1/transport"),
    ("PUT", "/v1/transport"),
    ("POST", "/v1/mailbox"),
    ("GET", "/v1/mailbox/0"),
    ("DELETE", "/v1/mailbox"),
]


def test_the_public_side_has_none_of_these_routes(members: Members) -> None:
    for method, path in ROUTES:
        assert members.public.status(method, path) in (404, 405), (method, path)
        assert members.side.status(method, path) != 405, (method, path)


SIZES = [
    ("PUT", "/v1/signed/duty", api.SIGNED_MOST),
    ("PUT", "/v1/signed/absence", api.SIGNED_MOST),
    ("PUT", "/v1/signed/compromise", api.SIGNED_MOST),
    ("PUT", "/v1/drafts/duty", api.SIGNED_MOST),
    ("PUT", "/v1/transport", api.SIGNED_MOST),
    ("POST", "/v1/mailbox", POST_SIZE),
    ("DELETE", "/v1/mailbox", 16 * AT_ONCE),
]


@pytest.mark.parametrize(("method", "path", "most"), SIZES)
def test_sizes_are_checked_before_a_byte_is_read(members: Members, method: str, path: str, most: int) -> None:
    assert members.side.status(method, path, most + 1) == 413
    assert members.side.status(method, path, 0) == 400
    assert members.side.status(method, path, None) == 411


def test_9_19_a_post_that_is_cut_and_a_slot_that_is_none(members: Members) -> None:
    assert members.side.status("POST", "/v1/mailbox", POST_SIZE - 1) == 400
    assert members.side.status("POST", "/v1/mailbox", POST_SIZE, b"\x10" + bytes(POST_SIZE - 1)) == 400
    assert members.side.status("GET", "/v1/mailbox/16") == 404
    assert members.side.status("GET", "/v1/mailbox/x") == 404
    assert members.side.status("DELETE", "/v1/mailbox", 17, bytes(17)) == 400


def test_9_5_a_duty_list_must_be_newer_and_signed(members: Members) -> None:
    team, client = members.team, members.client
    held = team.duty(5, 0, 1)
    client.put_duty(held)
    forged = team.duty(6, 0, 1)
    wrong = [team.duty(5, 0, 1, seed=b"\1" * 32), team.duty(4, 0, 1), team.duty(6, 0), forged[:-1], b"junk"]
    for raw in wrong:
        with pytest.raises(Conflict, match=r"refused the duty list: [A-Z].*\."):
            client.put_duty(raw)
        assert client.signed("duty") == held
    client.put_duty(held)  # its sender missed the answer
    client.put_duty(team.duty(6, 1, 2))
    assert client.signed("duty") == members.public.client.signed("duty") == team.duty(6, 1, 2)


@pytest.mark.parametrize(("kind", "other"), [("absence", "compromise"), ("compromise", "absence")])
def test_9_13_a_notice_must_be_newer_and_signed_and_both_onions_show_it(
    members: Members, kind: Notice, other: Notice
) -> None:
    team, client = members.team, members.client
    assert members.public.client.signed(kind) is None
    held = team.notice(kind, 5, 0, TODAY)
    client.put_notice(kind, held)
    wrong = [team.notice(kind, 5, 1), team.notice(kind, 4, 0), team.notice(other, 6, 0), held[:-1], b"junk"]
    for raw in wrong:
        with pytest.raises(Conflict, match=r"refused the notice: [A-Z].*\."):
            client.put_notice(kind, raw)
        assert client.signed(kind) == held
    client.put_notice(kind, held)  # its sender missed the answer
    client.put_notice(kind, team.notice(kind, 6, 2))
    assert client.signed(kind) == members.public.client.signed(kind) == team.notice(kind, 6, 2)
    assert client.signed(other) is None


def test_9_13_of_many_notices_at_once_exactly_one_is_taken(members: Members) -> None:
    notices = [members.team.notice("absence", 1, slot % 3, TODAY + slot) for slot in range(8)]

    def put(raw: bytes) -> bool:
        try:
            members.client.put_notice("absence", raw)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(put, notices)) == 1
    assert members.client.signed("absence") in notices


def test_9_15_and_9_16_a_draft_goes_from_one_desk_to_the_next(members: Members) -> None:
    team, one, other = members.team, members.client, members.client
    assert one.draft() is None
    assert one.put_draft(team.duty(1, 0)) is False
    assert members.public.client.signed("duty") is None, "one signature does not open the door"
    with pytest.raises(Conflict, match="sync first"):
        other.put_draft(team.duty(1, 1, seed=b"\1" * 32))
    raw = other.draft()
    assert raw is not None
    signed = UntrustedDutyList.of(raw).draft(team.roster, TODAY).sign(team.signing[1])
    assert other.put_draft(signed) is True
    assert (one.draft(), members.public.client.signed("duty")) == (None, signed)
    with pytest.raises(Conflict):
        one.put_draft(b"junk")


def test_9_16_of_many_renewals_at_once_exactly_one_goes_on(members: Members) -> None:
    drafts = [members.team.duty(1, slot % 3, seed=bytes([slot]) * 32) for slot in range(8)]

    def put(raw: bytes) -> bool:
        try:
            return members.client.put_draft(raw) is False
        except Conflict:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(put, drafts)) == 1
    assert members.client.draft() in drafts


def test_9_17_and_9_18_the_newest_transport_keys_are_shown(members: Members) -> None:
    team, client = members.team, members.client
    assert read_transports(client.transports(), team.roster, TODAY) == {}
    client.put_transport(team.transport(0, 2))
    client.put_transport(team.transport(1, 1))
    for raw in (team.transport(0, 1), team.transport(0, 2), b"junk"):
        with pytest.raises(Conflict, match="refused the transport key"):
            client.put_transport(raw)
    assert sorted(read_transports(client.transports(), team.roster, TODAY)) == [0, 1]


def test_9_19_to_9_21_an_item_comes_is_read_and_is_gone(members: Members) -> None:
    client, (receipt, sealed) = members.client, item()
    client.put_transport(members.team.transport(2, 1))
    key = members.key_hash(2)
    assert client.post_item(2, key, receipt_hash(receipt), sealed) is PostResult.STORED
    assert client.post_item(2, key, receipt_hash(receipt), sealed) is PostResult.KNOWN
    assert [client.items(slot) for slot in range(3)] == [[], [], [sealed]]
    client.acknowledge([secrets.token_bytes(16), receipt_hash(receipt)[:16]])
    assert client.items(2) == [sealed], "a stranger's receipt deletes nothing"
    client.acknowledge([receipt])
    assert client.items(2) == []


def test_9_19_a_post_for_another_key_than_the_newest_is_refused(members: Members) -> None:
    client, (receipt, sealed) = members.client, item()
    assert client.post_item(0, bytes(32), receipt_hash(receipt), sealed) is PostResult.STALE, "it has none"
    client.put_transport(members.team.transport(0, 1))
    old = members.key_hash(0)
    client.put_transport(members.team.transport(1, 1))
    client.put_transport(members.team.transport(0, 2))
    for key in (old, members.key_hash(1), bytes(32)):
        assert client.post_item(0, key, receipt_hash(receipt), sealed) is PostResult.STALE
    assert client.items(0) == []
    assert client.post_item(0, members.key_hash(0), receipt_hash(receipt), sealed) is PostResult.STORED


def test_9_19_a_retry_after_the_key_was_replaced_is_told_that_it_is_safe(members: Members) -> None:
    client, (receipt, sealed) = members.client, item()
    client.put_transport(members.team.transport(0, 1))
    old = members.key_hash(0)
    client.post_item(0, old, receipt_hash(receipt), sealed)
    client.put_transport(members.team.transport(0, 2))
    assert client.post_item(0, old, receipt_hash(receipt), sealed) is PostResult.KNOWN
    assert client.post_item(0, old, receipt_hash(receipt), bytes(ITEM)) is PostResult.STALE


def test_a_removed_members_slot_takes_no_post(members: Members) -> None:
    client, (receipt, sealed) = members.client, item()
    client.put_transport(members.team.transport(0, 1))
    key = members.key_hash(0)
    members.team.office.remove(0, secrets.token_bytes, TODAY)
    members.team.publish()
    assert client.post_item(0, key, receipt_hash(receipt), sealed) is PostResult.STALE
    with pytest.raises(Conflict, match="signatures"):
        client.put_transport(members.team.transport(0, 9))


def test_a_stranger_changes_nothing(members: Members) -> None:
    members.client.put_draft(members.team.duty(1, 0))
    members.team.signing[:] = [Ed25519PrivateKey.generate() for _ in range(3)]
    for call in (
        lambda: members.client.put_draft(members.team.duty(2, 0, 1)),
        lambda: members.client.put_duty(members.team.duty(2, 0, 1)),
        lambda: members.client.put_transport(members.team.transport(0, 1)),
        lambda: members.client.put_notice("compromise", members.team.notice("compromise", 1, 0, TODAY)),
    ):
        with pytest.raises(Conflict, match="signatures"):
            call()


@pytest.mark.parametrize("raw", [b"", b"junk\r\n\r\n", http(200, b"12345")[:-1], http(500), http(302)])
def test_a_server_that_answers_wrongly_is_an_error_in_a_sentence(raw: bytes) -> None:
    client = TeamClient("o.onion", answering(raw))
    calls: list[Callable[[], object]] = [
        client.draft,
        client.transports,
        lambda: client.items(0),
        lambda: client.put_draft(b"x"),
        lambda: client.put_transport(b"x"),
        lambda: client.put_duty(b"x"),
        lambda: client.put_notice("absence", b"x"),
        lambda: client.post_item(0, bytes(32), bytes(32), b""),
        lambda: client.acknowledge([bytes(16)]),
    ]
    for call in calls:
        with pytest.raises(RoadError, match=r"^[^.]*: try again[^.]*\.$"):
            call()


def test_a_cut_mailbox_and_a_full_one_are_told() -> None:
    with pytest.raises(RoadError, match="is cut"):
        TeamClient("o.onion", answering(http(200, bytes(ITEM + 1)))).items(0)
    assert TeamClient("o.onion", answering(http(503))).post_item(0, b"", b"", b"") is PostResult.FULL


def test_receipts_are_named_by_their_hash() -> None:
    assert receipt_hash(bytes(16)) == hashlib.sha256(bytes(16)).digest()
