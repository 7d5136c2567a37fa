"""A pool behind an onion: the real API over a socket, where every circuit and every byte is noted."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from doubles.onion import Onion, serving
from doubles.world import PHRASE, TODAY, World, run
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sottovoce.pool.api import public_routes
from sottovoce.pool.client import PoolClient
from sottovoce.pool.edition import Listed
from sottovoce.pool.editions import Editions
from sottovoce.pool.errors import PutResult, Reply, RoadError
from sottovoce.protocol.sizes import edition_of
from sottovoce.source import remote as room
from sottovoce.source.remote import RemotePool
from sottovoce.trust.published import SignedFolder

LONG = "第七码头的账本。 " * 900


@pytest.fixture
def onion(world: World, tmp_path: Path) -> Iterator[Onion]:
    """The world's pool behind an onion."""
    signed = SignedFolder(world.org.server / "signed")
    routes = public_routes(world.pool, Editions(world.folder / "editions"), signed, lambda: world.now)
    with serving(Starlette(routes=routes), tmp_path / "s") as made:
        yield made


@pytest.fixture
def pool(onion: Onion, tmp_path: Path) -> Iterator[RemotePool]:
    """What a device has."""
    (tmp_path / "spool").mkdir()
    with closing(RemotePool(onion.fresh, tmp_path / "spool")) as made:
        yield made


@pytest.fixture
def far(world: World, pool: RemotePool) -> World:
    """The world, with the source behind the onion."""
    world.source = replace(world.source, pool=pool)
    return world


def test_a_message_from_a_device_is_read_and_its_answer_found(far: World, pool: RemotePool) -> None:
    written = far.write(LONG, first=True)
    assert (written.result, written.hour, written.epoch) == (PutResult.STORED, 12, TODAY)
    (message,) = far.read()
    assert message.body.text == LONG
    far.answer(LONG + "!")
    far.answer("short", n=2)
    far.close()
    assert far.texts() == ["short", LONG + "!"]


def test_each_envelope_goes_on_a_circuit_of_its_own(far: World, onion: Onion) -> None:
    written = far.write(LONG)
    carried = onion.asked(b"POST /v1/envelopes")
    assert len(written.tags) == 4
    assert [len(circuit) for circuit in carried] == [1] * 4
    assert all(len(circuit) <= 1 for circuit in onion.circuits)


def test_each_edition_is_downloaded_once_in_one_command_with_answers_and_without(far: World, onion: Onion) -> None:
    far.answer(LONG)
    for _ in range(3):
        far.close()
    assert far.texts() == [LONG]
    assert far.write("and then", first=False).result is PutResult.STORED
    assert len(onion.asked(b"GET /v1/editions HTTP")) == 1
    asked = [bytes(sent).split()[1] for sent in onion.sent if sent.startswith(b"GET /v1/editions/")]
    first = edition_of(far.now) - 3
    assert sorted(asked) == [b"/v1/editions/%d" % number for number in range(first, first + 3)]


def test_what_a_device_asks_for_does_not_hang_on_its_words_or_its_answers(far: World, onion: Onion) -> None:
    """The whole of what is sent is the same for a source with answers, for one without, and for a receipt."""
    far.answer(LONG)
    far.close()
    sent = []
    for phrase in (PHRASE, replace(PHRASE, secret=bytes(16))):
        onion.sent.clear()
        onion.circuits.clear()
        with closing(RemotePool(onion.fresh, far.folder)) as pool:
            run(replace(far.source, pool=pool).inbox(phrase))
        sent.append(sorted(map(bytes, onion.sent)))
    assert sent[0] == sent[1]


def test_what_was_downloaded_leaves_no_file(far: World, tmp_path: Path) -> None:
    far.close()
    far.inbox()
    assert list((tmp_path / "spool").iterdir()) == []


def test_progress_is_told_up_to_the_whole(far: World, onion: Onion) -> None:
    for _ in range(2):
        far.close()
    told: list[tuple[int, int]] = []
    with closing(RemotePool(onion.fresh, far.folder, lambda done, total: told.append((done, total)))) as pool:
        run(pool.find([]))
    whole = 2 * (16 + 32 * (16 + 8_192))
    assert told == [(0, whole), (whole // 2, whole), (whole, whole)]


# -- a bad road -----------------------------------------------------------------


@pytest.mark.parametrize("lost", [{0}, {0, 1}, {1, 2}, {0, 2, 4}])
def test_what_the_road_loses_is_asked_for_again_with_the_same_bytes(far: World, onion: Onion, lost: set[int]) -> None:
    onion.broken = lambda number: number in lost
    assert far.write("through").result is PutResult.STORED
    (message,) = far.read()
    assert message.body.text == "through"
    bodies = {bytes(sent).partition(b"\r\n\r\n")[2] for sent in onion.sent if sent}
    assert len(bodies) == 1


def test_an_answer_that_is_lost_after_writing_makes_no_second_envelope(far: World, onion: Onion) -> None:
    class Deaf(PoolClient):
        deaf = 2

        def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
            reply = super().put(epoch, tag, envelope)
            Deaf.deaf -= 1
            if Deaf.deaf >= 0:
                raise RoadError("The connection to the server broke: try again.")
            return reply

    def fresh() -> PoolClient:
        made = onion.fresh()
        made.__class__ = Deaf
        return made

    with closing(RemotePool(fresh, far.folder)) as pool:
        written = run(replace(far.source, pool=pool).write(PHRASE, "once", first=True, seed=secrets.token_bytes(32)))
        assert written.result is PutResult.KNOWN
        assert set(pool.stored) == set(written.tags)
    assert len(far.envelopes()) == 1


def test_a_road_that_stays_broken_is_told(far: World, onion: Onion) -> None:
    onion.broken = lambda number: True
    with pytest.raises(RoadError, match="can't be reached"):
        far.write("lost")
    assert len(onion.sent) == room.ATTEMPTS
    with pytest.raises(RoadError, match="can't be reached"):
        far.inbox()


def test_a_broken_download_begins_anew_on_another_circuit(far: World, onion: Onion) -> None:
    far.answer("here")
    for _ in range(2):
        far.close()
    onion.broken = lambda number: number in (0, 2, 3)
    assert far.texts() == ["here"]
    assert all(len(circuit) <= 1 for circuit in onion.circuits)


# -- a hostile server --------------------------------------------------------------


def hostile(tmp_path: Path, world: World, change: str) -> Iterator[Onion]:
    """The true editions, listed or served in another form."""
    editions = Editions(world.folder / "editions")

    def listing(_: Request) -> Response:
        listed = editions.listed()
        if change == "too many":
            listed = [replace(listed[0], number=number) for number in range(room.EDITIONS_MOST + 1)]
        if change == "too large":
            listed = [replace(each, count=96_000) for each in listed]
        records = [each.number.to_bytes(4, "big") + each.count.to_bytes(4, "big") + each.hash for each in listed]
        return Response(b"".join(records))

    def edition(request: Request) -> Response:
        found = editions.open(request.path_params["number"])
        assert found
        with found[1] as file:
            raw = file.read()
        if change == "a bit":
            raw = raw[:-1] + bytes([raw[-1] ^ 1])
        if change == "an envelope taken out":
            raw = raw[:12] + (int.from_bytes(raw[12:16], "big") - 1).to_bytes(4, "big") + raw[32:-8_192]
        if change == "another edition":
            raw = raw[:11] + bytes([raw[11] ^ 1]) + raw[12:]
        if change == "cut":
            raw = raw[:-1]
        return Response(raw, 404 if change == "withheld" else 200)

    routes = [Route("/v1/editions", listing), Route("/v1/editions/{number:int}", edition)]
    with serving(Starlette(routes=routes), tmp_path / "h") as made:
        yield made


@pytest.mark.parametrize(
    "change",
    ["a bit", "an envelope taken out", "another edition", "cut", "withheld", "too many", "too large"],
)
def test_9_8_an_edition_that_is_not_the_listed_one_is_refused(world: World, tmp_path: Path, change: str) -> None:
    """A server that shows one source something else than all others must do so in the list, where desks see it."""
    world.answer("hidden")
    for _ in range(2):
        world.close()
    for onion in hostile(tmp_path, world, change):
        with closing(RemotePool(onion.fresh, tmp_path)) as pool, pytest.raises(RoadError) as told:
            run(pool.find([bytes(16)]))
        assert str(told.value).endswith(("try again.", "ask who runs it."))


def test_the_true_one_passes(world: World, tmp_path: Path) -> None:
    """The test before can fail."""
    ((tag, envelope),) = world.answer("not hidden")
    for _ in range(2):
        world.close()
    for onion in hostile(tmp_path, world, "nothing"):
        with closing(RemotePool(onion.fresh, tmp_path)) as pool:
            assert run(pool.find([bytes(16), tag])) == {tag: envelope}


def test_an_edition_that_expires_while_others_are_downloaded_is_no_fault(far: World, onion: Onion) -> None:
    far.answer("here", n=1)
    for _ in range(2):
        far.close()
    gone = Editions(far.folder / "editions").listed()[-1]

    class Late(PoolClient):
        """Lists an edition that has gone since."""

        first = True

        def editions(self) -> list[Listed]:
            listed = super().editions()
            if Late.first:
                Late.first = False
                return [*listed, replace(gone, number=gone.number + 7)]
            return listed

    def fresh() -> PoolClient:
        made = onion.fresh()
        made.__class__ = Late
        return made

    with closing(RemotePool(fresh, far.folder)) as pool:
        far.source = replace(far.source, pool=pool)
        assert far.texts() == ["here"]


def test_the_hashes_of_what_was_put_are_known_for_a_receipt(far: World, pool: RemotePool) -> None:
    written = far.write(LONG)
    held = far.envelopes()
    assert pool.stored == {tag: sha256(held[tag][1]).digest() for tag in written.tags}


def test_the_double_notes_what_goes_through(onion: Onion) -> None:
    onion.fresh().signed("card")
    (sent,) = onion.sent
    assert sent.startswith(b"GET /v1/signed/card HTTP/1.1\r\n")
