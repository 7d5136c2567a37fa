"""The door's pages: what a frightened person's browser may and may not find in them."""

from __future__ import annotations

import base64
import datetime
import hashlib
import html
import html.parser
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.door.inbox_page import AnswerView, InboxView, lay_out
from sottovoce.door.pages import Pages, Problem

ROOT = pathlib.Path(__file__).parents[2]
ORGANISATION = "The Ombudsman of Harbour City"
ADDRESS = "cn56kfbedwopo3owvm26xenwztvxesgsgb7ykad7nmgwxt6ull4n6jid.onion"
PATHS = {"/", "/begin", "/words", "/check", "/enter", "/write", "/sent", "/inbox", "/leave", "/bye", "/guide"}
FIRST_PAGE = 14_600 - 900  # what one round trip of Tor carries, less the headers
ROOM = 5_171
TOKEN = "one-use"  # noqa: S105  (no secret: it stands in a form)
DAY = datetime.date(2026, 11, 16)
SIGN = ("maple", "ocean")
WORDS = ["inherit", "viable", "hat", "ridge", "march", "leaf", "tunnel", "casual", "mule", "route", "around", "radio"]
NUMBERS = [f"{number:04}" for number in range(1, 13)]
UNKNOWN = Problem("unknown", place=4, word="rigde", near=("ridge", "bridge"))
VOID = {"meta", "link", "input"}

PAGES = Pages(ORGANISATION, ADDRESS)
SIZE = 32_000


def inbox(*texts: str, received: int = 3, sign: tuple[str, str] = SIGN, number: int = 1, size: int = SIZE) -> bytes:
    """An inbox with these answers."""
    answers = [AnswerView(DAY, DAY + datetime.timedelta(30), text) for text in texts]
    view = InboxView(sign, answers, received, DAY if received else None, [], 0, None, 18)
    return PAGES.inbox(view, number, size)


def odd_inbox() -> bytes:
    """An inbox with all that is rare."""
    view = InboxView(SIGN, [AnswerView(DAY, DAY, "a")], 3, DAY, [(DAY, 1, 3)] * 10, 64, 128, 0)
    return PAGES.inbox(view, 1, SIZE)


ALL = {
    "welcome": PAGES.welcome(open=True),
    "welcome closed": PAGES.welcome(open=False),
    "guide": PAGES.guide(),
    "words": PAGES.words(words=WORDS, numbers=NUMBERS, sign=SIGN),
    "check": PAGES.check(token=TOKEN, places=(4, 11)),
    "check one wrong": PAGES.check(token=TOKEN, places=(4, 11), typed=("rigde", "around"), wrong=(4,)),
    "check both wrong": PAGES.check(token=TOKEN, places=(4, 11), typed=("a", "b"), wrong=(4, 11)),
    "enter": PAGES.enter(),
    "enter expired": PAGES.enter(token=TOKEN, text="What I wrote", problem=Problem("expired")),
    **{
        f"enter {kind}": PAGES.enter(token=TOKEN, typed="a b", problem=Problem(kind))
        for kind in ("checksum", "unreachable", "outdated")
    },
    **{f"enter count {n}": PAGES.enter(typed="a", problem=Problem("count", count=n)) for n in (1, 13)},
    **{
        f"enter near {n}": PAGES.enter(typed="a", problem=Problem("unknown", 0, 4, "x", UNKNOWN.near[:n]))
        for n in (0, 1, 2)
    },
    "write first": PAGES.write(token=TOKEN, room=ROOM, first=True),
    "write counted": PAGES.write(token=TOKEN, text="abc", room=ROOM, used=3, first=False),
    "write counted too long": PAGES.write(token=TOKEN, text="a" * 6_000, room=ROOM, used=6_000, first=False),
    "write long": PAGES.write(
        token=TOKEN, text="a" * 9_000, room=ROOM, used=9_000, problem=Problem("long"), first=False
    ),
    **{
        f"write {kind}": PAGES.write(token=TOKEN, text="abc", room=ROOM, problem=Problem(kind), first=False)
        for kind in ("empty", "twice", "outdated", "hurry", "full", "unreachable")
    },
    "closed": PAGES.closed(),
    "closed with text": PAGES.closed(text="abc"),
    "sent": PAGES.sent(sign=SIGN, hour=18),
    "inbox": inbox("a\n\nb", "a\n\nb"),
    "inbox empty": inbox(received=0),
    "inbox odd": odd_inbox(),
    **{f"inbox long {number}": inbox("a <b> " * 10_000, number=number) for number in (1, 2, 99)},
    "bye": PAGES.bye(expired=False),
    "bye expired": PAGES.bye(expired=True),
    **{
        f"failed {kind}": PAGES.failed(Problem(kind), text="abc", inside=kind == "broken")
        for kind in ("missing", "large", "broken", "hurry", "unreachable", "outdated")
    },
}

every_page = pytest.mark.parametrize("body", ALL.values(), ids=ALL.keys())


class Document(html.parser.HTMLParser):
    """A page as a list of (tag, attributes), its texts by tag, and a complaint about tags left open."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(body.decode())
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"<{tag}> says an attribute twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def text(self, tag: str) -> str:
        return "".join(text for inside, text in self.texts if inside == tag)

    def values(self, attribute: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(attribute)) is not None]

    def classes(self, tag: str) -> list[set[str]]:
        return [set((attributes.get("class") or "").split()) for name, attributes in self.elements if name == tag]


@every_page
def test_a_page_runs_and_loads_nothing(body: bytes) -> None:
    page = Document(body)
    allowed = {"html", "head", "meta", "title", "link", "style", "body", "header", "main", "footer", "nav", "section",
               "div", "p", "h1", "h2", "h3", "ul", "ol", "li", "dl", "dt", "dd", "a", "b", "i", "code", "span",
               "form", "button", "label", "input", "textarea", "details", "summary", "noscript"}  # fmt: skip
    assert {tag for tag, _ in page.elements} <= allowed
    assert not page.values("style")
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert [attributes for tag, attributes in page.elements if tag == "link"] == [{"rel": "icon", "href": "data:,"}]
    assert not re.search(r"url\(|@import", page.text("style"))


@every_page
def test_a_page_leads_only_to_the_doors_own_paths(body: bytes) -> None:
    page = Document(body)
    ids = set(page.values("id"))
    guide_ids = set(Document(ALL["guide"]).values("id"))
    for target in page.values("href") + page.values("action") + page.values("formaction"):
        path, _, fragment = target.partition("#")
        path = path.partition("?")[0] if path.startswith("/inbox?") else path
        if target != "data:,":
            assert path in PATHS | {""}
            assert not fragment or fragment in (guide_ids if path == "/guide" else ids)


@every_page
def test_a_title_names_the_step_and_never_the_organisation(body: bytes) -> None:
    title = Document(body).text("title")
    assert title == title.strip() != ""
    assert not re.search("ombudsman|harbour|city", title, re.IGNORECASE)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("write long", "Not sent: "),
        ("write twice", "Sent before: "),
        ("enter checksum", "Not yet: "),
        ("check one wrong", "Not yet: "),
    ],
)
def test_a_title_begins_with_the_error(name: str, start: str) -> None:
    assert Document(ALL[name]).text("title").startswith(start)


@every_page
def test_a_page_has_one_head_at_most_one_warning_and_at_most_one_filled_button(body: bytes) -> None:
    page = Document(body)
    buttons = [c for c in page.classes("button") + [c for c in page.classes("a") if "button" in c] if "quiet" not in c]
    assert len(buttons) <= 1
    assert len([c for c in page.classes("div") if c & {"warn", "error"}]) <= 1
    assert len(page.classes("h1")) == 1


@every_page
def test_a_page_can_be_read_aloud(body: bytes) -> None:
    page = Document(body)
    ids = page.values("id")
    labels = page.values("for")
    fields = [a for tag, a in page.elements if tag in ("input", "textarea") and a.get("type") != "hidden"]
    assert [a["lang"] for tag, a in page.elements if tag == "html"] == ["en"]
    assert [a["dir"] for tag, a in page.elements if tag == "html"] == ["ltr"]
    assert len(ids) == len(set(ids))
    assert set(labels) <= set(ids)
    assert sorted(str(a["id"]) for a in fields) == sorted(labels)
    assert {one for value in page.values("aria-describedby") for one in value.split()} <= set(ids)


@every_page
def test_an_invalid_field_has_its_reason_beside_it_and_its_error_above(body: bytes) -> None:
    page = Document(body)
    invalid = [a for tag, a in page.elements if a.get("aria-invalid")]
    for attributes in invalid:
        assert str(attributes["aria-describedby"]).startswith("why")
    assert len(invalid) == len([c for c in page.classes("p") if "wrong" in c])


def test_the_first_page_fits_into_one_round_trip() -> None:
    longest = Pages("The Office of the " + "very " * 30 + "long name", ADDRESS)
    assert max(len(longest.welcome(open=state)) for state in (True, False)) <= FIRST_PAGE


def test_the_policy_holds_the_hash_of_the_sheet_and_allows_no_script() -> None:
    style = Document(ALL["welcome"]).text("style")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = dict(part.split(" ", 1) for part in PAGES.csp.split("; "))
    assert policy == {
        "default-src": "'none'", "style-src": f"'sha256-{digest}'",
        "form-action": "'self'", "base-uri": "'none'", "frame-ancestors": "'none'",
    }  # fmt: skip


def test_a_banner_stands_on_every_page_and_only_when_set() -> None:
    alarmed = Pages(ORGANISATION, None, "No Tor here & <now>")
    pages = (alarmed.welcome(open=True), alarmed.guide(), alarmed.bye(expired=False), alarmed.sent(sign=SIGN, hour=18))
    assert all(b"No Tor here &amp; &lt;now&gt;" in page for page in pages)
    assert all({"banner"} not in Document(body).classes("p") for body in ALL.values())


def test_the_address_is_shown_in_groups_and_left_out_when_there_is_none() -> None:
    groups = [text for tag, text in Document(ALL["welcome"]).texts if tag == "span"]
    assert "".join(groups) == ADDRESS
    assert len(groups) == 8
    assert not Document(Pages(ORGANISATION, None).welcome(open=True)).classes("code")


def test_without_a_key_no_page_offers_to_write() -> None:
    for name in ("welcome closed", "closed"):
        targets = {*Document(ALL[name]).values("action"), *Document(ALL[name]).values("href")}
        assert not targets & {"/begin", "/write"}
    assert "/enter" in Document(ALL["welcome closed"]).values("href")


def test_the_words_stand_in_their_order_with_their_numbers_and_the_sign() -> None:
    page = Document(ALL["words"])
    assert [text for tag, text in page.texts if tag == "b"] == [*WORDS, "maple ocean"]
    assert [text for tag, text in page.texts if tag == "i"] == NUMBERS


def test_every_page_with_a_session_can_be_left_from_its_top() -> None:
    for name in ("words", "check", "write first", "closed", "sent", "inbox", "failed broken"):
        assert "/leave" in Document(ALL[name]).values("action")
    for name in ("welcome", "guide", "enter", "bye", "failed missing"):
        assert "/leave" not in Document(ALL[name]).values("action")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a" * 1_000, "about 4,100 more letters"),
        ("港" * 1_000, "about 720 more letters"),
        ("a" * ROOM, "about 0 more letters"),
        ("a" * (ROOM - 1), "about 1 more letter like"),
        ("a" * (ROOM + 1), "About 1 letter too long"),
        ("港" * 2_000, "About 280 letters too long"),
    ],
)
def test_the_room_left_is_told_in_letters_of_the_script_that_was_typed(text: str, said: str) -> None:
    page = Document(PAGES.write(token=TOKEN, text=text, room=ROOM, used=len(text.encode()), first=False))
    assert said in page.text("p")


def test_the_room_is_told_before_anything_is_typed() -> None:
    assert "5,100 letters in English, 1,700 in Chinese" in Document(ALL["write first"]).text("p")


def test_too_long_without_its_size_is_refused() -> None:
    with pytest.raises(ValueError, match="needs `used`"):
        PAGES.write(token=TOKEN, text="abc", room=ROOM, problem=Problem("long"), first=False)


def test_an_unknown_word_is_named_with_its_place_and_those_near_to_it() -> None:
    body = PAGES.enter(typed="x", problem=UNKNOWN)
    assert b"Word 4, <b>rigde</b>, is not in the list. Near to it are <b>ridge</b> and <b>bridge</b>." in body


def test_a_problem_shows_nothing_typed_in_its_repr() -> None:
    assert "rigde" not in repr(UNKNOWN)
    assert "secret" not in repr(AnswerView(DAY, DAY, "secret"))


def test_an_answer_keeps_its_paragraphs_lines_and_direction() -> None:
    answer = AnswerView(DAY, DAY + datetime.timedelta(30), "\none\r\ntwo\n \n\n\nدو  میز\n")
    page = Document(inbox(answer.text))
    assert answer.paragraphs == ["one\ntwo", "دو  میز"]
    assert [a.get("dir") for tag, a in page.elements if tag == "p" and "dir" in a] == ["auto", "auto"]
    assert "One answer for you" in page.text("h1")
    assert "16 November" in page.text("h2")
    assert "Stays here until 16 December" in page.text("p")


def test_an_inbox_says_only_what_an_answer_told() -> None:
    assert "3 messages" in Document(ALL["inbox"]).text("dd")
    assert "The last on 16 November. What you sent" in Document(ALL["inbox"]).text("dd")
    assert "not known yet" in Document(ALL["inbox empty"]).text("dd")


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("inbox")])
def test_an_inbox_page_has_exactly_the_size_that_is_asked_for(name: str) -> None:
    assert len(ALL[name]) == SIZE


def test_the_filler_of_an_inbox_page_says_what_it_is_for() -> None:
    comment = ALL["inbox empty"].decode().partition("</html>")[2]
    assert comment.strip("\n").startswith("<!-- Filler: this page has the same size whether an answer waits or not")
    assert set(comment.partition("size.\n")[2]) == {".", "\n", "-", ">"}


@given(
    texts=st.lists(st.text(max_size=40).map(lambda text: text * 300) | st.text(max_size=80), max_size=6),
    size=st.integers(26_000, 40_000),
)
@settings(max_examples=40, deadline=None)
def test_no_answer_makes_a_page_larger_and_none_loses_a_letter(texts: list[str], size: int) -> None:
    answers = [AnswerView(DAY, DAY, text) for text in texts]
    view = InboxView(SIGN, answers, 3, DAY, [], 0, None, 18)
    pages = [PAGES.inbox(view, number, size) for number in range(1, 99)]
    assert {len(page) for page in pages} == {size}
    pieces = [piece for page in lay_out(answers, size - PAGES._inbox_frame) for piece in page]
    assert "".join("".join(piece.paragraphs) for piece in pieces) == "".join(
        "".join(answer.paragraphs) for answer in answers
    )
    assert [piece.begins for piece in pieces].count(True) == len(answers)
    assert [piece.ends for piece in pieces].count(True) == len(answers)


def test_a_long_answer_goes_on_on_the_next_page_at_a_word() -> None:
    (first,), (second,), *_ = lay_out([AnswerView(DAY, DAY, "uncut " * 3_000)], 10_000)
    assert first.paragraphs[0].endswith("uncut ")
    assert second.paragraphs[0].startswith("uncut ")
    assert b"goes on on the next page" in ALL["inbox long 1"]
    assert b"Page 2 of" in ALL["inbox long 2"]
    assert ALL["inbox long 99"].count(b"Next page") == 0


def test_a_full_store_says_the_hour_to_come_back() -> None:
    problem = Problem("full", hour=6)
    body = PAGES.write(token=TOKEN, text="abc", room=ROOM, problem=problem, first=False)
    assert b"There is room again from 06:00 world time (UTC) on" in body


def test_pages_that_wait_for_an_answer_say_when_the_next_ones_appear() -> None:
    for name in ("sent", "inbox", "inbox empty"):
        assert b"at 00:00, 06:00, 12:00 and 18:00 by world time (UTC). The next time is 18:00." in ALL[name]


GIVEN: dict[str, Callable[[str], bytes]] = {
    "organisation": lambda text: Pages(text, None).welcome(open=True),
    "a word to check": lambda text: PAGES.check(token=text, places=(1, 2), typed=(text, text), wrong=(2,)),
    "words": lambda text: PAGES.enter(token=text, typed=text, problem=Problem("unknown", 0, 1, text, (text, text))),
    "a message that waits": lambda text: PAGES.enter(text=text, problem=Problem("expired")),
    "a message": lambda text: PAGES.write(token=text, text=text, room=ROOM, problem=Problem("twice"), first=False),
    "a message given back": lambda text: PAGES.closed(text=text),
    "a message after a fault": lambda text: PAGES.failed(Problem("broken"), text=text),
    "an answer": lambda text: inbox(text, sign=(text, text)),
}
parts = st.sampled_from(["</textarea>", "<b>", "\"'>", "&lt;", "%(x)s", "{{ 1 }}", "\n"])
tempting = st.text(max_size=30) | st.lists(parts).map("".join)


@pytest.mark.parametrize("page", GIVEN.values(), ids=GIVEN.keys())
@settings(max_examples=25, deadline=None)
@given(text=tempting)
def test_what_is_given_never_becomes_markup(page: Callable[[str], bytes], text: str) -> None:
    assert _without_paragraphs(page(text or "x")) == _without_paragraphs(page("x"))


def _without_paragraphs(body: bytes) -> list[str]:
    return [tag for tag, _ in Document(body).elements if tag != "p"]  # an answer has as many as its text


@given(text=st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")))
@settings(max_examples=100, deadline=None)
def test_what_was_typed_comes_back_to_the_letter(text: str) -> None:
    for body in (
        PAGES.write(token=TOKEN, text=text, room=ROOM, problem=Problem("full"), first=False),
        PAGES.enter(text=text, problem=Problem("expired")),
        PAGES.closed(text=text),
    ):
        # The line break after the tag is the one that a parser drops.
        fields = re.findall(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', body.decode(), re.DOTALL)
        assert [html.unescape(field) for field in fields] == [text]


def test_every_sentence_is_in_the_catalogues() -> None:
    command = [sys.executable, str(ROOT / "tools/strings.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
