"""The door's pages: what a frightened person's browser may and may not find in them."""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import html
import html.parser
import pathlib
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable

import pytest
from doubles.pages import ADDRESS, CARD, INBOX, NEWS, ORGANISATION, PLACES, SIGN, TOKEN, every_page, pages_in, words_in
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.door.inbox_page import AnswerView, InboxView, lay_out
from sottovoce.door.pages import GUIDES
from sottovoce.door.texts import TONGUES, negotiated
from sottovoce.door.told import CardView, News, Problem

ROOT = pathlib.Path(__file__).parents[2]
PATHS = {"begin", "words", "check", "enter", "write", "sent", "inbox", "leave", "bye", *GUIDES}
FIRST_PAGE = 14_600 - 900  # what one round trip of Tor carries, less the headers
ROOM = 5_171
DAY = datetime.date(2026, 11, 16)
UNKNOWN = Problem("unknown", place=4, word="rigde", near=("ridge", "bridge"))
VOID = {"meta", "link", "input"}
NOT_OURS = ("style", "textarea", "span", "a", "code", "i")  # what holds no sentence of a translator

PAGES = pages_in("en")
WITHOUT_TOR = CardView(ORGANISATION, None)
ALL = every_page(PAGES)


@functools.cache
def all_in(tag: str) -> dict[str, bytes]:
    """Every page of one language, made once, and only where these tests run."""
    return every_page(pages_in(tag))


def inbox(*texts: str) -> bytes:
    """An inbox with these answers."""
    answers = [AnswerView(DAY, DAY + datetime.timedelta(30), text) for text in texts]
    return PAGES.inbox(InboxView(SIGN, answers, 3, DAY, [], 0, None, 18), 1, INBOX)


in_every_language = pytest.mark.parametrize("tag", TONGUES)


def each_page(judge: Callable[[str, str], None]) -> Callable[[str], None]:
    """One test a language, which judges all its pages in each state: thousands of tests cost more than their work."""

    def judged(tag: str) -> None:
        for name in ALL:
            try:
                judge(tag, name)
            except AssertionError as error:
                raise AssertionError(f"the page {name} in {tag}: {error}") from error

    judged.__name__, judged.__doc__ = judge.__name__, judge.__doc__
    test: Callable[[str], None] = in_every_language(judged)
    return test


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


@functools.cache
def document(tag: str, name: str) -> Document:
    """A page, taken apart once for all tests."""
    return Document(all_in(tag)[name])


@each_page
def test_a_page_runs_and_loads_nothing(tag: str, name: str) -> None:
    page = document(tag, name)
    allowed = {"html", "head", "meta", "title", "link", "style", "body", "header", "main", "footer", "nav", "section",
               "div", "p", "h1", "h2", "h3", "ul", "ol", "li", "dl", "dt", "dd", "a", "b", "i", "code", "span",
               "form", "button", "label", "input", "textarea", "details", "summary", "noscript"}  # fmt: skip
    assert {tag for tag, _ in page.elements} <= allowed
    assert not page.values("style")
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert [attributes for tag, attributes in page.elements if tag == "link"] == [{"rel": "icon", "href": "data:,"}]
    assert not re.search(r"url\(|@import", page.text("style"))


@each_page
def test_a_page_leads_only_to_the_doors_own_paths(tag: str, name: str) -> None:
    page = document(tag, name)
    up, base = ("", f"{tag}/") if name in ("welcome", "failed-missing") else ("../", f"../{tag}/")
    ways = {f"{up}{other}/{page}" for other in TONGUES for page in ("", *GUIDES)}
    ways |= {f"{up}card.{kind}" for kind in ("txt", "json", "png")}
    ways |= {f"{base}{page}" for page in PATHS} | {"./", base, "", "data:,", *PATHS}
    targets = page.values("href") + page.values("action") + page.values("formaction")
    for path, _, fragment in (target.partition("#") for target in targets):
        assert path.partition("?")[0] in ways
        assert not fragment or fragment in _ids(tag, path.rpartition("/")[2] or name)


def _ids(tag: str, name: str) -> list[str]:
    return document(tag, name).values("id")


@each_page
def test_a_title_names_the_step_and_never_the_organisation(tag: str, name: str) -> None:
    title = document(tag, name).text("title")
    assert title == title.strip() != ""
    assert not re.search("ombudsman|harbour|city", title, re.IGNORECASE)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("write-long", "Not sent: "),
        ("write-twice", "Sent before: "),
        ("enter-checksum", "Not yet: "),
        ("check-wrong", "Not yet: "),
    ],
)
def test_a_title_begins_with_the_error(name: str, start: str) -> None:
    assert Document(ALL[name]).text("title").startswith(start)


@each_page
def test_a_page_has_one_head_at_most_one_warning_and_at_most_one_filled_button(tag: str, name: str) -> None:
    page = document(tag, name)
    buttons = [c for c in page.classes("button") + [c for c in page.classes("a") if "button" in c] if "quiet" not in c]
    assert len(buttons) <= 1
    assert len([c for c in page.classes("div") if c & {"warn", "error"}]) <= 1
    assert len(page.classes("h1")) == 1


@each_page
def test_a_page_can_be_read_aloud(tag: str, name: str) -> None:
    page = document(tag, name)
    ids = page.values("id")
    labels = page.values("for")
    fields = [a for kind, a in page.elements if kind in ("input", "textarea") and a.get("type") != "hidden"]
    html = [attributes for kind, attributes in page.elements if kind == "html"]
    assert html == [{"lang": tag, "dir": TONGUES[tag].direction}]
    assert len(ids) == len(set(ids))
    assert set(labels) <= set(ids)
    assert sorted(str(a["id"]) for a in fields) == sorted(labels)
    assert {one for value in page.values("aria-describedby") for one in value.split()} <= set(ids)


@each_page
def test_no_field_asks_who_a_source_is(tag: str, name: str) -> None:
    fields = [a for kind, a in document(tag, name).elements if kind in ("input", "textarea")]
    assert {a.get("name") for a in fields} <= {"token", "words", "text", "a", "b", None}
    assert all("readonly" in a for a in fields if a.get("name") is None)


@each_page
def test_an_invalid_field_has_its_reason_beside_it_and_its_error_above(tag: str, name: str) -> None:
    page = document(tag, name)
    invalid = [a for tag, a in page.elements if a.get("aria-invalid")]
    for attributes in invalid:
        assert str(attributes["aria-describedby"]).startswith("why")
    assert len(invalid) == len([c for c in page.classes("p") if "wrong" in c])


@in_every_language
def test_the_first_page_fits_into_one_round_trip(tag: str) -> None:
    longest = pages_in(tag, CARD._replace(name="The Office of the " + "very " * 30 + "long name"))
    for pages in (longest, longest.under(NEWS._replace(since=None)), longest.under(NEWS)):
        assert max(len(pages.welcome(open=state, up="")) for state in (True, False)) <= FIRST_PAGE


def test_the_policy_holds_the_hash_of_the_sheet_and_allows_no_script() -> None:
    style = Document(ALL["welcome"]).text("style")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = dict(part.split(" ", 1) for part in PAGES.csp.split("; "))
    assert policy == {
        "default-src": "'none'", "style-src": f"'sha256-{digest}'",
        "form-action": "'self'", "base-uri": "'none'", "frame-ancestors": "'none'",
    }  # fmt: skip


def test_a_banner_stands_on_every_page_and_only_when_set() -> None:
    alarmed = every_page(pages_in("fa", WITHOUT_TOR, banner="No Tor here & <now>"))
    assert all(b"No Tor here &amp; &lt;now&gt;" in page for page in alarmed.values())
    assert all({"banner"} not in Document(body).classes("p") for body in ALL.values())


@in_every_language
def test_a_warning_of_a_compromise_stands_on_top_of_every_page_and_nothing_can_be_written(tag: str) -> None:
    pages = pages_in(tag).under(NEWS)
    warned = [pages.welcome(open=True), pages.enter(), pages.words(places=PLACES, sign=SIGN), pages.bye(expired=True)]
    for body in [*warned, *(pages.guide(name, hour=0) for name in GUIDES), pages.failed(Problem("missing"))]:
        page = Document(body)
        assert next(kind for kind, _ in page.elements if kind in ("div", "header")) == "div"
        assert [a.get("role") for _, a in page.elements if "banner" in (a.get("class") or "")] == ["alert"]
    actions = Document(pages_in(tag).under(NEWS).welcome(open=True)).values("action")
    assert not actions


def test_news_of_an_absence_stand_where_somebody_waits() -> None:
    for name in ("away-welcome", "away-when", "away-sent", "away-inbox"):
        assert "14 December" in Document(ALL[name]).text("p") + Document(ALL[name]).text("dd")
        assert "We are away" not in Document(ALL[name.removeprefix("away-")]).text("p").replace("When we are away", "")


def test_advice_is_shown_with_its_day_or_said_to_be_missing() -> None:
    assert "Ask a friend abroad" in Document(ALL["away-guide"]).text("p")
    assert "Last verified: 14 November 2026." in Document(ALL["away-guide"]).text("p")
    assert "Last verified: never." in Document(ALL["guide"]).text("p")
    old = PAGES.under(News(verified=DAY)).guide("guide", hour=0)
    assert "we have none now" in Document(old).text("p")
    assert "Last verified: 16 November 2026." in Document(old).text("p")


def test_a_translation_says_that_nobody_reviewed_it_and_stops_when_somebody_did() -> None:
    assert {"soft", "in", "review"} in Document(all_in("fa")["write"]).classes("p")
    assert {"soft", "in", "review"} not in Document(pages_in("fa", reviewed=True).welcome(open=True)).classes("p")


def test_the_address_is_shown_in_groups_and_left_out_when_there_is_none() -> None:
    groups = [text for tag, text in Document(ALL["welcome"]).texts if tag == "span"]
    assert "".join(groups) == ADDRESS
    assert len(groups) == 8
    assert not Document(pages_in("en", WITHOUT_TOR).welcome(open=True)).classes("code")


def test_without_a_key_no_page_offers_to_write() -> None:
    for name in ("welcome-closed", "closed"):
        targets = {*Document(ALL[name]).values("action"), *Document(ALL[name]).values("href")}
        assert not targets & {"begin", "write"}
    assert "enter" in Document(ALL["welcome-closed"]).values("href")


def test_the_words_stand_in_their_order_with_their_numbers_and_the_sign() -> None:
    page = Document(ALL["words"])
    assert [text for tag, text in page.texts if tag == "b"] == [*words_in("en"), "maple ocean"]
    assert [text for tag, text in page.texts if tag == "i"] == [f"{place + 1:04}" for place in PLACES]


def test_words_are_of_the_languages_list_and_numbers_where_it_has_none() -> None:
    shown = {tag: [text for kind, text in Document(all_in(tag)["words"]).texts if kind == "b"] for tag in TONGUES}
    assert shown["zh-Hans"][:12] == words_in("zh-Hans")
    assert shown["ko"][:12] == [unicodedata.normalize("NFC", word) for word in words_in("ko")]
    assert shown["fa"] == [*("".join(chr(0x6F0 + int(n)) for n in f"{place + 1:04}") for place in PLACES), "۱۰۸۵ ۱۲۲۴"]
    assert [text for kind, text in Document(all_in("fa")["words"]).texts if kind == "i"] == words_in("fa")


def test_days_and_numbers_are_written_as_the_language_does() -> None:
    assert "۲۳ آبان (۱۴ نوامبر)" in Document(all_in("fa")["inbox"]).text("dd")
    assert "14 ноября" in Document(all_in("ru")["inbox"]).text("dd")
    assert "11月14日" in Document(all_in("zh-Hant")["inbox"]).text("dd")
    assert "11월 14일" in Document(all_in("ko")["inbox"]).text("dd")
    assert "\u06f1\u06f8:\u06f0\u06f0" in Document(all_in("fa")["sent"]).text("p")
    for name in (name for name in ALL if "inbox" not in name):
        ours = (text for kind, text in document("fa", name).texts if kind not in NOT_OURS)
        assert not re.search("[0-9]", "".join(ours))


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("", "en"), ("fa-IR,fa;q=0.8,en-US;q=0.5", "fa"), ("zh-CN,zh;q=0.9", "zh-Hans"), ("zh-TW", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant"), ("zh", "zh-Hans"), ("de,ru;q=0.4,ko;q=0.6", "ko"), ("de", "en"), ("fa;q=x,ru", "ru"),
        ("fa;q=0", "en"), (";;,,q=", "en"),
    ],
)  # fmt: skip
def test_the_first_page_comes_in_the_language_that_the_browser_asks_for(accepted: str, tag: str) -> None:
    assert negotiated(accepted, list(TONGUES)) == tag


def test_a_language_that_is_not_offered_is_not_shown() -> None:
    assert negotiated("fa,ru;q=0.1", ["en", "ru"]) == "ru"


def test_every_page_with_a_session_can_be_left_from_its_top() -> None:
    for name in ("words", "check", "write", "closed", "sent", "inbox", "second"):
        assert "leave" in Document(ALL[name]).values("action")
    assert "../en/leave" in Document(ALL["failed-broken"]).values("action")
    for name in ("welcome", *GUIDES, "enter", "bye", "failed-missing"):
        assert not [way for way in Document(ALL[name]).values("action") if way.endswith("leave")]


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
    assert "110,000 letters in the language of this page" in Document(ALL["write"]).text("p")
    assert "36,000" in Document(all_in("zh-Hans")["write"]).text("p")


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
    assert "The last on 14 November. What you sent" in Document(ALL["inbox"]).text("dd")
    assert "not known yet" in Document(ALL["inbox-empty"]).text("dd")


@in_every_language
def test_an_inbox_page_has_exactly_the_size_that_is_asked_for(tag: str) -> None:
    sizes = {len(body) for name, body in all_in(tag).items() if "inbox" in name}
    assert sizes == {INBOX}


def test_the_filler_of_an_inbox_page_says_what_it_is_for() -> None:
    comment = ALL["inbox-empty"].decode().partition("</html>")[2]
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
    assert b"goes on on the next page" in ALL["inbox-long"]
    assert b"Page 2 of" in ALL["inbox-long-2"]
    letter = InboxView(SIGN, [AnswerView(DAY, DAY, "a <b> " * 10_000)], 3, DAY, [], 0, None, 18)
    assert PAGES.inbox(letter, 99, INBOX).count(b"Next page") == 0


def test_a_full_store_says_the_hour_to_come_back() -> None:
    problem = Problem("full", hour=6)
    body = PAGES.write(token=TOKEN, text="abc", room=ROOM, problem=problem, first=False)
    assert b"There is room again from 06:00 world time (UTC) on" in body


def test_pages_that_wait_for_an_answer_say_when_the_next_ones_appear() -> None:
    for name in ("sent", "inbox", "inbox-empty"):
        assert b"at 00:00, 06:00, 12:00 and 18:00 by world time (UTC). The next time is " in ALL[name]


GIVEN: dict[str, Callable[[str], bytes]] = {
    "organisation": lambda text: pages_in("en", CardView(text, None)).welcome(open=True),
    "a word to check": lambda text: PAGES.check(token=text, places=(1, 2), typed=(text, text), wrong=(2,)),
    "words": lambda text: PAGES.enter(token=text, typed=text, problem=Problem("unknown", 0, 1, text, (text, text))),
    "a message that waits": lambda text: PAGES.enter(text=text, problem=Problem("expired")),
    "a message": lambda text: PAGES.write(token=text, text=text, room=ROOM, problem=Problem("twice"), first=False),
    "a message given back": lambda text: PAGES.closed(text=text),
    "a message after a fault": lambda text: PAGES.failed(Problem("broken"), text=text),
    "an answer": inbox,
}
parts = st.sampled_from(["</textarea>", "<b>", "\"'>", "&lt;", "%(x)s", "{{ 1 }}", "\n"])
tempting = st.text(max_size=30) | st.lists(parts).map("".join)


@pytest.mark.parametrize("page", GIVEN.values(), ids=GIVEN.keys())
@settings(max_examples=10, deadline=None)
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
