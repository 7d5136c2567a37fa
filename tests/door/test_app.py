"""The whole door over a real socket, with the server's own parts and a clock that a test sets."""

from __future__ import annotations

import asyncio
import contextlib
import html
import re
import secrets
import shutil
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
import uvloop
from doubles.organisation import NAME, PASSPHRASE, Organisation
from doubles.visitor import Page, Visitor

from sottovoce.cli.site import Listener, Site, listener
from sottovoce.door.door import FORM_MOST
from sottovoce.door.inside import INBOX_BYTES
from sottovoce.door.ledger import IDLE_SECONDS, MemoryLedger
from sottovoce.door.pack import Pack, hash_of, pack_of
from sottovoce.door.practice import is_practice, practice_words, real_words
from sottovoce.door.session import VisitKeys, Visits
from sottovoce.door.texts import TONGUES
from sottovoce.onion.budget import Budgets, Rate
from sottovoce.onion.circuit import LoopbackProtocol
from sottovoce.pool.editions import Editions
from sottovoce.pool.errors import PutResult, Reply, RoadError
from sottovoce.pool.store import LocalPool, SqlitePool
from sottovoce.protocol.answer import Place, seal_to_source
from sottovoce.protocol.body import Body
from sottovoce.protocol.dummy import make_dummy
from sottovoce.protocol.envelope import LaterPart
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import SourceKeys, member_pair
from sottovoce.protocol.message import FirstPart, Message, UntrustedMessage, open_at_desk
from sottovoce.protocol.sizes import EDITION_SECONDS, EPOCH_SECONDS, epoch_of
from sottovoce.protocol.words import Passphrase, parse
from sottovoce.source.conversation import ROOM
from sottovoce.trust.notice import Kind, notice_claim
from sottovoce.trust.published import SignedFolder, write_durably
from sottovoce.trust.reviews import Review, approve, sign_advice

NOW = 1_800_000_123.75
TODAY = epoch_of(NOW)
FIRST_PAGE = 14_600  # bytes that come before the first acknowledgement
TEXT = "They keep two sets of books.\n\nThe <second> & third are in the cellar. 汉字"
PAGES = ("/", "guide", "bye", "bye?ended", "enter", "words", "check", "write", "sent", "inbox", "/none")


class Troubled(SqlitePool):
    """A store that a test can let fail: by a result, or by an error."""

    trouble: PutResult | Exception | None = None

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        if isinstance(self.trouble, Exception):
            raise self.trouble
        return Reply(self.trouble, epoch, 18) if self.trouble else await super().put(epoch, tag, envelope)


@dataclass
class World:
    """One organisation's public side in a thread, behind its socket; `now` is both the protocol's and the visits'."""

    org: Organisation
    budgets: Budgets | None = None
    now: float = NOW
    unreviewed: bool = False

    def __post_init__(self) -> None:
        folder = self.org.server / "pool"
        self.pool = Troubled(
            folder, lambda: self.now, lambda epoch: make_dummy(secrets.token_bytes, self.org.org, epoch)
        )
        self.listener = self._listener(Editions(folder / "editions"))
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        deadline = time.monotonic() + 10
        while not self.listener.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.listener.started

    @property
    def path(self) -> Path:
        return self.org.server / "run" / "door.sock"

    def _listener(self, editions: Editions) -> Listener:
        self.path.parent.mkdir(exist_ok=True)
        self.path.unlink(missing_ok=True)
        keys = VisitKeys(secrets.token_bytes(32), secrets.token_bytes(32))
        visits = Visits(keys, MemoryLedger(lambda: self.now), lambda: self.now, secrets.token_bytes)
        signed, pool = SignedFolder(self.org.server / "signed"), LocalPool(self.pool, editions)
        site = Site(signed, pool, editions, visits, lambda: self.now, self.unreviewed, self.budgets)
        return listener(site.app(), LoopbackProtocol, uds=str(self.path))

    def next_edition(self) -> None:
        """The clock goes on by six hours, and what was pending is an edition. A visit does not last so long."""
        self.now += EDITION_SECONDS
        self.pool.turn().result(30)

    def _run(self) -> None:
        async def serve() -> None:
            await self.listener.serve()

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())

    def close(self) -> None:
        self.listener.should_exit = True
        self.thread.join(10)
        self.pool.close()

    def connect(self) -> socket.socket:
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(10)
        stream.connect(str(self.path))
        return stream

    def messages(self) -> list[Message]:
        """What the desk reads of what is pending, in no order; answers, which lie there too, are not for it."""
        found = self._pending()
        key = self.org.duty_keys[epoch_of(self.now)]
        firsts, later = list[FirstPart](), defaultdict[bytes, list[LaterPart]](list)
        for tag, raw in found.items():
            with contextlib.suppress(Refused):
                opened = open_at_desk(raw, key, self.org.org, epoch_of(self.now), tag)
                if isinstance(opened, UntrustedMessage):
                    firsts.append(opened.verify(self.org.dh, self.org.slot))
                else:
                    later[opened.message_id].append(opened.part)
        return [
            each.join([part.body for part in sorted(later[each.message_id], key=lambda part: part.header.part)])
            for each in firsts
        ]

    def _pending(self) -> dict[bytes, bytes]:
        async def fetch() -> dict[bytes, bytes]:
            return await self.pool.fetch([tag for _, tag in await self.pool.pending()])

        return asyncio.run(fetch())

    def texts(self) -> list[str]:
        return sorted(message.body.text for message in self.messages())

    def answer(self, message: Message, text: str, n: int) -> None:
        """A member answers; a source sees it in the next edition."""
        place = Place(epoch_of(self.now), self.org.slot, n)
        first = message.first
        pair = member_pair(self.org.dh, first.part.dh, first.part.c, self.org.org, self.org.slot)
        sealed = seal_to_source(
            pair, first.part.kem, self.org.org, place, Body(text),
            message_id=secrets.token_bytes(16), received=1, newest=epoch_of(self.now),
        )  # fmt: skip
        for tag, raw in reversed(sealed):
            asyncio.run(self.pool.put(epoch_of(self.now), tag, raw))


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    made = Organisation(tmp_path_factory.mktemp("o"), TODAY)
    made.go_on_duty()
    return made


@pytest.fixture
def world(org: Organisation) -> Iterator[World]:
    shutil.rmtree(org.server / "pool", ignore_errors=True)
    made = World(org)
    yield made
    made.close()


@pytest.fixture
def everywhere(org: Organisation) -> Iterator[World]:
    """The site in all languages, as in the demo."""
    shutil.rmtree(org.server / "pool", ignore_errors=True)
    made = World(org, unreviewed=True)
    yield made
    made.close()


@pytest.fixture
def visitor(world: World) -> Visitor:
    return Visitor(world)


# -- a conversation -------------------------------------------------------------------


def test_a_conversation_from_first_page_to_answer(world: World, visitor: Visitor) -> None:
    assert NAME in visitor.get("/").text
    assert visitor.cookie is None
    shown = visitor.begin().text
    phrase = parse(" ".join(visitor.words))
    assert all(number in shown for number in phrase.numbers)
    write = visitor.begin_writing()
    sent = visitor.post("write", token=write.token, text=TEXT.replace("\n", "\r\n"))
    assert (sent.status, sent.header("location"), sent.raw) == (303, "sent", b"")
    (message,) = world.messages()
    assert message.body.text == TEXT
    sign = " ".join(message.first.sign)
    assert sign in visitor.get("sent").text
    assert "The next time is 12:00." in visitor.get("sent").text
    world.answer(message, "Thank you.\n\nWhich <cellar>?", 0)
    world.answer(message, "And when?", 1)
    assert visitor.post("leave").header("location") == "bye"
    assert visitor.cookie is None
    assert visitor.post("enter", words=" ".join(visitor.words)).header("location") == "inbox"
    assert "No answer yet" in visitor.get("inbox").text  # it waits for the edition to close
    world.next_edition()

    assert visitor.post("enter", words=" ".join(visitor.words).upper()).header("location") == "inbox"
    inbox = visitor.get("inbox").text
    assert sign in inbox
    assert "Which &lt;cellar&gt;?" in inbox
    assert inbox.index("And when?") < inbox.index("Thank you.")
    write = visitor.get("write")
    assert visitor.post("write", token=write.token, text="In May.").header("location") == "sent"
    (second,) = world.messages()
    assert (second.body.text, second.first.conversation) == ("In May.", message.first.conversation)


def test_numbers_of_any_script_serve_as_words(world: World, visitor: Visitor) -> None:
    visitor.begin()
    numbers = parse(" ".join(visitor.words)).numbers
    persian = " ".join(numbers).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    other = Visitor(world)
    assert other.post("enter", words=persian).header("location") == "inbox"
    assert other.get("inbox").status == 200


def test_every_visitor_gets_other_words(world: World) -> None:
    visitors = [Visitor(world) for _ in range(5)]
    for visitor in visitors:
        visitor.begin()
    assert len({tuple(visitor.words) for visitor in visitors}) == 5
    assert {len(visitor.words) for visitor in visitors} == {12}


def test_the_words_are_shown_again_until_they_are_right(visitor: Visitor) -> None:
    visitor.begin()
    before = visitor.words
    wrong = visitor.post("check", a="zoo<", b="9999")
    assert wrong.status == 422
    assert 'value="zoo&lt;"' in wrong.text
    assert 'value="9999"' in wrong.text
    for path in ("write", "inbox"):
        assert visitor.get(path).header("location") == "check"
    assert visitor.post("write", text="too early").header("location") == "check"
    visitor.get("words")
    assert visitor.begin_writing().status == 200
    assert visitor.get("check").header("location") == "write"
    assert before != visitor.words  # begun anew


# -- cookie and headers -----------------------------------------------------------------


def test_there_is_no_cookie_before_a_visit_begins(visitor: Visitor) -> None:
    for path in PAGES:
        assert visitor.get(path).header("set-cookie") is None
    for path in ("check", "write", "enter"):
        assert visitor.post(path, a="b", words="c", text="d").header("set-cookie") is None


def test_the_cookie_is_of_this_visit_and_this_site_only(visitor: Visitor) -> None:
    cookie = visitor.post("begin").header("set-cookie")
    assert cookie
    assert re.fullmatch(r"s=[\w-]+; Path=/; HttpOnly; SameSite=Strict", cookie)  # no age: it ends with the browser
    assert visitor.post("leave").header("set-cookie") == "s=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"


def strict(page: Page) -> None:
    """Each page's headers are the strict ones, each once, and none tells of server or time."""
    names = [name for name, _ in page.headers]
    assert len(names) == len(set(names))
    assert not {"server", "date", "etag", "last-modified", "x-powered-by", "via"} & set(names)
    expected = {
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "content-type": "text/html; charset=utf-8",
    }
    assert {name: page.header(name) for name in expected} == expected
    policy = page.header("content-security-policy") or ""
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "script" not in policy
    assert "form-action 'self'" in policy


def test_every_page_has_the_strict_headers(world: World, visitor: Visitor) -> None:
    pages = [visitor.get(path) for path in PAGES]
    write = visitor.begin_writing()
    pages += [write, visitor.post("write", token="x", text="a"), visitor.post("write", token=write.token, text="a")]  # noqa: S106
    pages += [visitor.get(path) for path in PAGES]
    pages += [visitor.ask("PATCH", "/"), visitor.ask("POST", "enter", b"\xff"), visitor.post("leave")]
    assert {page.status for page in pages} == {200, 303, 400, 404, 405, 422}
    for page in pages:
        strict(page)
    world.now += 30 * EPOCH_SECONDS
    strict(visitor.post("begin"))


def test_a_loose_page_is_noticed() -> None:
    """The test of the test."""
    with pytest.raises(AssertionError):
        strict(Page(200, [("date", "now")], b""))


def test_the_first_page_comes_in_one_piece(world: World) -> None:
    with world.connect() as stream:
        stream.sendall(b"GET / HTTP/1.1\r\nHost: o.onion\r\nConnection: close\r\n\r\n")
        raw = b"".join(iter(lambda: stream.recv(65_536), b""))
    assert raw.startswith(b"HTTP/1.1 200 OK\r\n")
    assert 5_000 < len(raw) <= FIRST_PAGE


# -- what was typed is given back ---------------------------------------------------------


def refused(page: Page, status: int, text: str, saying: str) -> None:
    assert page.status == status
    assert page.typed == text
    assert saying in page.text


def test_a_text_comes_back_after_every_error(world: World, visitor: Visitor) -> None:
    token = visitor.begin_writing().token
    long = TEXT + "a" * ROOM
    refused(visitor.post("write", token=token, text=" \n"), 422, " \n", "There is no text yet")
    refused(visitor.post("write", token=token, text=long), 422, long, "too long")
    refused(visitor.post("write", token="", text=TEXT), 422, TEXT, "no longer valid")
    refused(visitor.post("write", text=TEXT), 422, TEXT, "no longer valid")
    refused(visitor.post("write", token=token, text=TEXT, count="1"), 200, TEXT, "room for about")
    refused(visitor.post("write", token=token, text=long, count="1"), 422, long, "too long")
    for trouble, saying in (
        (RoadError("inner words"), "does not answer"),
        (PutResult.FULL, "There is room again from 18:00"),
        (PutResult.WRONG_EPOCH, "does not answer"),
    ):
        world.pool.trouble = trouble
        refused(visitor.post("write", token=token, text=TEXT), 422, TEXT, saying)
    assert world.messages() == []
    world.pool.trouble = None
    assert visitor.post("write", token=token, text=TEXT).header("location") == "sent"
    assert world.texts() == [TEXT]


def test_the_same_form_sends_once(world: World, visitor: Visitor) -> None:
    token = visitor.begin_writing().token
    pages: list[Page] = []

    def send() -> None:
        pages.append(Visitor(world, visitor.cookie).post("write", token=token, text="a"))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [page.header("location") for page in pages] == ["sent"] * 4
    refused(visitor.post("write", token=token, text="another"), 422, "another", "Sent before")
    assert world.texts() == ["a"]


def test_tokens_of_other_forms_and_visits_send_nothing(world: World, visitor: Visitor) -> None:
    visitor.begin()
    check = visitor.get("check").token
    theirs = Visitor(world).begin_writing().token
    visitor.begin_writing()
    for token in (check, theirs):
        refused(visitor.post("write", token=token, text=TEXT), 422, TEXT, "no longer valid")
    assert world.messages() == []


def test_two_words_without_this_visits_token_are_not_taken(world: World, visitor: Visitor) -> None:
    theirs = Visitor(world)
    theirs.begin()
    visitor.begin()
    page = visitor.get("check")
    a, b = (visitor.words[int(place) - 1] for place in re.findall(r'<label for="[ab]">Word (\d+)', page.text))
    again = visitor.post("check", token=theirs.get("check").token, a=a, b=b)
    assert again.status == 422
    assert f'value="{a}"' in again.text
    assert visitor.post("check", token=again.token, a=a, b=b).header("location") == "write"


@pytest.mark.parametrize("path", ["begin", "enter", "check", "write", "leave"])
def test_another_site_can_not_send_our_forms(world: World, visitor: Visitor, path: str) -> None:
    visitor.begin_writing()
    held = visitor.cookie
    fields = urlencode({"words": " ".join(visitor.words), "text": TEXT}).encode()
    page = visitor.ask("POST", path, fields, {"Sec-Fetch-Site": "cross-site"})
    assert (page.status, page.header("location"), page.header("set-cookie")) == (303, "./", None)
    assert visitor.cookie == held
    assert world.messages() == []
    assert visitor.ask("POST", "leave", b"", {"Sec-Fetch-Site": "same-origin"}).header("location") == "bye"


def test_a_text_survives_the_end_of_its_visit(world: World, visitor: Visitor) -> None:
    token = visitor.begin_writing().token
    world.now += IDLE_SECONDS + 1
    page = visitor.post("write", token=token, text=TEXT)
    refused(page, 422, TEXT, "had ended")
    wrong = visitor.post("enter", words="too few", text=TEXT)
    refused(wrong, 422, TEXT, "You typed 2 words")
    again = visitor.post("enter", words=" ".join(visitor.words), text=TEXT)
    refused(again, 200, TEXT, "Write to us")
    assert visitor.post("write", token=again.token, text=again.typed).header("location") == "sent"
    assert world.texts() == [TEXT]


@pytest.mark.parametrize("path", ["words", "check", "write", "sent", "inbox"])
def test_a_page_of_an_ended_visit_says_so(world: World, visitor: Visitor, path: str) -> None:
    visitor.begin_writing()
    kept = visitor.cookie
    world.now += IDLE_SECONDS + 1
    assert visitor.get(path).header("location") == "bye?ended"
    world.now -= IDLE_SECONDS
    assert visitor.get(path).header("location") != "bye?ended"
    visitor.post("leave")
    visitor.cookie = kept  # a browser that kept it, or who took it
    assert visitor.get(path).header("location") == "bye?ended"


def test_wrong_words_come_back_with_what_is_wrong(visitor: Visitor) -> None:
    words = list(Passphrase(bytes(16)).words())
    cases = {
        " ".join(words[:11]): "You typed 11 words",
        " ".join(["abandom", *words[1:]]): "<b>abandon</b>",
        " ".join(["<script>", *words[1:]]): "<b>&lt;script&gt;</b>",
        " ".join([*words[1:], words[0]]): "belong together",
        "": "You typed 0 words",
    }
    for typed, saying in cases.items():
        page = visitor.post("enter", words=typed)
        assert page.status == 422
        assert saying in page.text
        assert f'aria-describedby="why how">\n{html.escape(typed)}</textarea>' in page.text
        assert page.header("set-cookie") is None
    assert "<script" not in page.text


# -- of one size ------------------------------------------------------------------------


def whole_inbox(world: World, visitor: Visitor, path: str = "/en/inbox") -> bytes:
    """Every byte of the answer, as whoever counts them on the line sees it."""
    with world.connect() as stream:
        stream.sendall(f"GET {path} HTTP/1.1\r\nHost: o.onion\r\nCookie: s={visitor.cookie}\r\n\r\n".encode())
        raw = b""
        while not raw.endswith(b"-->\n"):
            more = stream.recv(65_536)
            assert more
            raw += more
        stream.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            assert not stream.recv(1)
    return raw


def shown(raw: bytes) -> str:
    """The answers' text on a page, in one piece."""
    return "".join(html.unescape(found) for found in re.findall(r'<p dir="auto">(.*?)</p>', raw.decode(), re.DOTALL))


def test_an_inbox_page_has_one_size_whatever_waits(world: World, visitor: Visitor) -> None:
    token = visitor.begin_writing().token
    assert len(whole_inbox(world, visitor)) == INBOX_BYTES
    visitor.post("write", token=token, text=TEXT)
    assert len(whole_inbox(world, visitor)) == INBOX_BYTES
    (message,) = world.messages()
    long = "".join(f"{number} <of> many & 汉字. " for number in range(4_000))  # about 100 KB, much more on a page
    for texts in ({0: "Thank you."}, {1: "One.", 2: "Two."}, {3: long[:90_000]}):
        for n, text in texts.items():
            world.answer(message, text, n)
        world.next_edition()
        visitor.post("enter", words=" ".join(visitor.words))
        assert len(whole_inbox(world, visitor)) == INBOX_BYTES
    pages = [whole_inbox(world, visitor)]
    while (following := re.search(rb'href="(inbox[^"]*)">Next page', pages[-1])) and len(pages) < 50:
        pages.append(whole_inbox(world, visitor, "/en/" + html.unescape(following[1].decode())))
    assert {len(page) for page in pages} == {INBOX_BYTES}
    assert 3 < len(pages) < 10
    assert long[:90_000].rstrip() in "".join(shown(page) for page in pages)
    for odd in ("?page=0", "?page=999", "?page=x", "?page=-1", "?skip=2048", "?skip=9999&page=3", "?page=%C2%B2"):
        raw = whole_inbox(world, visitor, f"/en/inbox{odd}")
        assert len(raw) == INBOX_BYTES


# -- budgets ----------------------------------------------------------------------------


@pytest.fixture
def strict_world(org: Organisation) -> Iterator[World]:
    shutil.rmtree(org.server / "pool", ignore_errors=True)
    rates = {"work": Rate(3, 1), "envelopes": Rate(3, 1), "editions": Rate(1, 1), "pages": Rate(1_000, 1)}
    made = World(org, Budgets(lambda: 0.0, rates))
    yield made
    made.close()


def test_who_asks_for_too_much_is_told_to_wait_and_keeps_the_text(strict_world: World) -> None:
    visitor = Visitor(strict_world)
    page = visitor.begin_writing()
    refused(visitor.post("write", token=page.token, text="a" * 40_000), 422, "a" * 40_000, "Wait three minutes")
    assert visitor.post("write", token=page.token, text=TEXT).header("location") == "sent"
    assert visitor.get("inbox").status == 200
    busy = visitor.get("inbox")
    assert (busy.status, "Wait three minutes" in busy.text) == (429, True)
    strict(busy)
    token = visitor.get("write").token
    refused(visitor.post("write", token=token, text="More."), 422, "More.", "Wait three minutes")
    assert strict_world.texts() == [TEXT]
    assert visitor.get("/").status == 200


def test_a_put_and_an_edition_cost_a_circuits_budget(strict_world: World) -> None:
    visitor = Visitor(strict_world)
    statuses = [
        visitor.ask("POST", "/v1/envelopes", (TODAY).to_bytes(4, "big") + secrets.token_bytes(16 + 8_192)).status
        for _ in range(4)
    ]
    assert statuses == [201, 201, 201, 503]
    assert [visitor.get("/v1/editions/1").status for _ in range(2)] == [404, 503]
    assert visitor.get("/v1/editions").status == 200


# -- long messages, and their order -------------------------------------------------------


def test_a_message_of_all_room_arrives_whole_and_says_what_came_before(world: World, visitor: Visitor) -> None:
    token = visitor.begin_writing().token
    long = "汉" * (ROOM // 3) + "a" * (ROOM % 3)
    refused(visitor.post("write", token=token, text=long + "a"), 422, long + "a", "too long")
    assert visitor.post("write", token=token, text=long).header("location") == "sent"
    (first,) = world.messages()
    assert (first.body.text, first.body.after, first.first.parts) == (long, None, 16)
    assert visitor.post("write", token=visitor.get("write").token, text="And then.").header("location") == "sent"
    (second,) = [message for message in world.messages() if message.body.text == "And then."]
    assert second.body.after == first.first.message_id
    visitor.post("enter", words=" ".join(visitor.words))
    visitor.post("write", token=visitor.get("write").token, text="Later.")
    (third,) = [message for message in world.messages() if message.body.text == "Later."]
    assert third.body.after is None  # another visit


# -- closed, junk, odd --------------------------------------------------------------------


def test_without_a_duty_key_nothing_is_taken_and_the_text_is_given_back(world: World, visitor: Visitor) -> None:
    world.now += 7 * EPOCH_SECONDS - NOW % EPOCH_SECONDS - 60
    token = visitor.begin_writing().token
    world.now += 120
    assert "No new messages now" in visitor.get("/").text
    begun = Visitor(world).post("begin")
    assert (begun.status, begun.header("set-cookie")) == (503, None)
    refused(visitor.post("write", token=token, text=TEXT), 503, TEXT, "")
    assert visitor.get("write").status == 503
    assert visitor.get("inbox").status == 200  # answers are found all the same
    assert asyncio.run(world.pool.pending()) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"text=%ff%fe", 422),  # the form's own escapes: replaced, and given back
        (b"\xff\xfe", 400),
        (b"&".join(b"f%d=1" % n for n in range(9)), 400),
        (b"text=" + b"a" * (FORM_MOST - 5), 422),
        (b"text=" + b"a" * (FORM_MOST - 4), 413),
        (b"a" * 2 * FORM_MOST, 413),
        (b"", 422),
        (b"=&=&;%%%", 422),
        (b"\0" * 99, 422),
    ],
)
def test_junk_in_a_form_is_a_calm_page(world: World, visitor: Visitor, body: bytes, status: int) -> None:
    visitor.begin_writing()
    page = visitor.ask("POST", "write", body)
    assert page.status == status
    assert "Traceback" not in page.text
    assert "<h1>" in page.text
    assert world.messages() == []
    assert visitor.get("write").status == 200


def test_a_form_that_is_announced_too_large_is_refused_at_once(world: World) -> None:
    for size, status in ((b"Content-Length: 1048577", b"413"), (b"Transfer-Encoding: chunked", b"400")):
        with world.connect() as stream:
            stream.sendall(b"POST /en/enter HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n" % size)  # and nothing more
            assert stream.recv(65_536)[9:12] in (status, b"411")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "begin", 405), ("GET", "leave", 405), ("POST", "/", 405), ("POST", "inbox", 405),
        ("PUT", "write", 405), ("DELETE", "/", 405), ("OPTIONS", "/", 405), ("TRACE", "/", 405),
        ("GET", "/favicon.ico", 404),
        ("GET", "/v1/pending", 404), ("GET", "/..%2fsigned", 404), ("GET", "/%00", 404), ("POST", "/none", 404),
    ],
)  # fmt: skip
def test_what_is_not_offered_is_a_calm_page(visitor: Visitor, method: str, path: str, status: int) -> None:
    page = visitor.ask(method, path)
    assert page.status == status
    assert b"<h1>" in page.raw
    assert NAME.encode() in page.raw


def test_a_form_of_a_language_that_was_just_withdrawn_loses_no_text(world: World, visitor: Visitor) -> None:
    token = visitor.begin_writing().token
    visitor.language = "ko"  # that page was open when the language went
    page = visitor.post("write", token=token, text=TEXT)
    assert (page.status, page.header("location")) == (303, "sent")
    assert world.texts() == [TEXT]
    assert '<html lang="en"' in visitor.get("sent").text


def test_head_is_get_without_its_content(visitor: Visitor) -> None:
    for path in ("/", "guide", "enter"):
        head, get = visitor.ask("HEAD", path), visitor.get(path)
        assert (head.status, head.raw) == (200, b"")
        assert head.headers == get.headers
    visitor.begin_writing()
    assert visitor.ask("HEAD", "write").status == 200


def test_an_error_of_ours_tells_nothing(world: World, visitor: Visitor, capfd: pytest.CaptureFixture[str]) -> None:
    token = visitor.begin_writing().token
    world.pool.trouble = ZeroDivisionError("inner words")
    page = visitor.post("write", token=token, text=TEXT)
    assert page.status == 500
    assert "inner words" not in page.text
    strict(page)
    assert "".join(capfd.readouterr()) == ""


def test_the_api_is_on_the_same_onion(world: World, visitor: Visitor) -> None:
    assert visitor.get("/v1/signed/root").raw == (world.org.server / "signed" / "root.signed").read_bytes()
    assert visitor.get("/v1/signed/access").status == 404


# -- nothing is left --------------------------------------------------------------------


def leaks(folder: Path, secret: dict[str, bytes]) -> set[tuple[str, str]]:
    """Which secret stands in which file."""
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert any(path.suffix == ".sqlite3" for path in files)
    assert any(path.suffix == ".edition" for path in files)
    return {(path.name, what) for path, raw in files.items() for what, hidden in secret.items() if hidden in raw}


def test_no_file_of_the_server_holds_anything_of_a_conversation(
    world: World, visitor: Visitor, capfd: pytest.CaptureFixture[str]
) -> None:
    token = visitor.begin_writing().token
    visitor.post("write", token=token, text="An error first, xylophone." + "a" * ROOM)
    visitor.post("write", token=token, text="The xylophone is in the cellar.")
    (message,) = world.messages()
    world.answer(message, "Which xylophone?", 0)
    world.next_edition()
    visitor.post("enter", words=" ".join(visitor.words))
    assert "Which xylophone?" in visitor.get("inbox").text
    second = visitor.get("write").token
    visitor.post("write", token=second, text="No xylophone any more.")
    phrase = parse(" ".join(visitor.words))
    keys = SourceKeys(world.org.org, phrase)
    assert visitor.cookie
    pair = member_pair(world.org.dh, keys.dh, keys.c, world.org.org, world.org.slot)
    secret = {
        "text": b"xylophone", "words": " ".join(phrase.words()[:3]).encode(), "mk": phrase.secret,
        "numbers": " ".join(phrase.numbers[:3]).encode(), "cookie": visitor.cookie.encode(), "token": token.encode(),
        "dh": keys.dh, "kem": keys.kem.seed, "c": keys.c, "pair": pair.macs, "id": keys.id,
        "message id": message.first.message_id,
    }  # fmt: skip
    assert leaks(world.org.server, secret) == set()
    assert "".join(capfd.readouterr()) == ""

    planted = world.org.server / "pool" / "planted"  # the test of the test
    try:
        planted.write_bytes(b"..".join([b"x", *secret.values()]))
        assert leaks(world.org.server, secret) == {("planted", what) for what in secret}
    finally:
        planted.unlink()


# -- languages --------------------------------------------------------------------


def test_the_first_page_comes_in_the_browsers_language_when_it_is_offered(everywhere: World) -> None:
    visitor = Visitor(everywhere)
    for wished, tag in (("fa-IR,en;q=0.5", "fa"), ("zh-TW", "zh-Hant"), ("de", "en")):
        page = visitor.ask("GET", "/", headers={"Accept-Language": wished})
        assert f'<html lang="{tag}"' in page.text
        assert f'action="{tag}/begin"' in page.text
    missing = visitor.ask("GET", "/nowhere/else", headers={"Accept-Language": "ru"})
    assert (missing.status, '<html lang="ru"' in missing.text, 'href="../ru/"' in missing.text) == (404, True, True)
    assert '<html lang="ko"' in visitor.get("/ko/nowhere").text


def test_a_language_that_nobody_signed_off_is_not_served(visitor: Visitor) -> None:
    page = visitor.ask("GET", "/", headers={"Accept-Language": "fa"})
    assert '<html lang="en"' in page.text
    assert "فارسی" not in page.text
    assert '<html lang="en"' in visitor.get("/fa/").text  # a whole page in the first language, never a mixture


@pytest.mark.parametrize("tag", list(TONGUES))
def test_a_visit_stays_in_its_language_and_the_desk_learns_it(everywhere: World, tag: str) -> None:
    visitor = Visitor(everywhere, language=tag)
    place = visitor.begin_writing()
    pages = [place, visitor.post("write", token=place.token, text=TEXT), visitor.get("sent"), visitor.get("inbox")]
    assert all(f'<html lang="{tag}"' in page.text for page in pages if page.status == 200)
    (message,) = everywhere.messages()
    assert (message.body.text, message.body.language) == (TEXT, tag)


def test_a_signed_off_language_is_served_as_it_was_reviewed_and_advice_with_it(tmp_path: Path) -> None:
    org = Organisation(tmp_path, TODAY)
    org.go_on_duty()
    tree = Pack.read(pack_of("fa"))
    title = "{% trans %}Welcome{% endtrans %}"
    changed = {**tree.templates, "welcome.html": tree.templates["welcome.html"].replace(title, "As it was")}
    reviewed = replace(tree, templates=changed).encode()
    approve(org.office, PASSPHRASE, reviewed, Review("fa", TODAY, hash_of(reviewed), "A. Reader"), secrets.token_bytes)
    sign_advice(org.office, TODAY - 1, {"fa": "اول\n\nدوم"}, TODAY)
    shutil.copytree(org.office.folder / "signed", org.server / "signed", dirs_exist_ok=True)
    world = World(org)
    try:
        visitor = Visitor(world, language="fa")
        page = visitor.get("")
        assert "<title>As it was</title>" in page.text
        assert "soft in review" not in page.text
        assert "A. Reader" not in page.text
        guide = visitor.get("guide").text
        assert '<p dir="auto">اول</p>' in guide
        assert '<p dir="auto">دوم</p>' in guide
        assert "\u06f2\u06f0\u06f2\u06f7" in guide  # 2027: it was verified in that year
        assert "we have none now" in Visitor(world).get("guide").text
        world.now += 57 * EPOCH_SECONDS
        assert '<p dir="auto">' not in visitor.get("guide").text
    finally:
        world.close()


def test_words_of_one_language_are_taken_on_the_page_of_another(everywhere: World) -> None:
    visitor = Visitor(everywhere, language="zh-Hans")
    visitor.begin()
    back = Visitor(everywhere, language="ru")
    assert back.post("enter", words="".join(visitor.words)).header("location") == "inbox"


def test_a_wrong_word_is_named_with_those_near_to_it_in_its_own_language(everywhere: World) -> None:
    visitor = Visitor(everywhere, language="ru")
    visitor.begin()
    wrong = [*visitor.words[:3], visitor.words[3] + "ъ", *visitor.words[4:]]
    page = visitor.post("enter", words=" ".join(wrong))
    assert page.status == 422
    assert f"<b>{wrong[3]}</b>" in page.text
    assert f"<b>{visitor.words[3]}</b>" in page.text


# -- practice, and two conversations ------------------------------------------------


def test_a_practice_goes_the_whole_way_and_nothing_is_kept(world: World, visitor: Visitor) -> None:
    assert visitor.post("practice").header("location") == "words"
    page = visitor.get("words")
    visitor.words = re.findall(r'<b class="big">(\w+)</b> <i>', page.text)
    assert visitor.words[:3] == ["practice"] * 3
    page = visitor.get("check")
    a, b = (visitor.words[int(place) - 1] for place in re.findall(r'<label for="[ab]">Word (\d+)', page.text))
    assert visitor.post("check", token=page.token, a=a, b=b).header("location") == "write"
    page = visitor.get("write")
    assert "This is practice" in page.text
    assert visitor.post("write", token=page.token, text=TEXT).header("location") == "sent"
    assert "As this is practice, it is gone." in visitor.get("sent").text
    visitor.post("leave")
    assert visitor.post("enter", words=" ".join(visitor.words)).header("location") == "inbox"
    raw = whole_inbox(world, visitor)
    assert len(raw) == INBOX_BYTES
    assert b"This is practice" in raw
    assert b"This is a sample" in raw
    assert world.messages() == []


def test_words_for_practice_are_never_given_to_a_source() -> None:
    drawn = iter([practice_words(bytes).secret, bytes(range(16))])
    assert is_practice(practice_words(bytes))
    assert real_words(lambda size: next(drawn)).secret == bytes(range(16))


def test_a_second_conversation_in_one_visit_is_begun_only_after_a_warning(visitor: Visitor) -> None:
    visitor.begin_writing()
    page = visitor.post("begin")
    assert (page.status, page.header("location")) == (200, None)
    assert "the two can be tied together" in page.text
    words = visitor.words
    assert visitor.post("begin", anew="1").header("location") == "words"
    assert not any(word in visitor.get("words").text for word in [" ".join(words)])


def test_who_only_looked_at_the_words_may_begin_again(visitor: Visitor) -> None:
    visitor.begin()
    assert visitor.post("begin").header("location") == "words"


# -- notices of members ------------------------------------------------------------


def post(org: Organisation, kind: Kind, day: int) -> None:
    """A member's device signs a notice, and the server has it."""
    roster = SignedFolder(org.server / "signed").published(TODAY).roster
    raw = notice_claim(roster, kind, 1, TODAY, day).sign([org.signing])
    write_durably(org.server / "signed" / f"{kind}.signed", raw)
    time.sleep(0.3)  # what the organisation says is looked up anew after 0.2 seconds


@pytest.fixture
def noticed(tmp_path: Path) -> Iterator[World]:
    org = Organisation(tmp_path, TODAY)
    org.go_on_duty()
    made = World(org)
    yield made
    made.close()


def test_an_absence_is_told_and_messages_are_taken(noticed: World) -> None:
    post(noticed.org, "absence", TODAY + 10)
    visitor = Visitor(noticed)
    day = "25 January"
    assert f"Up to and including {day}" in visitor.get("/").text
    page = visitor.begin_writing()
    assert visitor.post("write", token=page.token, text=TEXT).header("location") == "sent"
    assert f"We are away up to and including {day}." in visitor.get("sent").text
    assert len(noticed.messages()) == 1


def test_a_compromise_is_told_on_every_page_and_nothing_is_taken_and_nothing_lost(noticed: World) -> None:
    visitor = Visitor(noticed)
    page = visitor.begin_writing()
    post(noticed.org, "compromise", TODAY - 3)
    refused = visitor.post("write", token=page.token, text=TEXT)
    assert refused.status == 503
    assert refused.typed == TEXT
    for path in ("/", "/en/guide", "/en/enter", "/en/words", "/nowhere"):
        assert "somebody may have got into this site" in visitor.get(path).text
    assert visitor.post("begin").status == 503
    assert noticed.messages() == []
