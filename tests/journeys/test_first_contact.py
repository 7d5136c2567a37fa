"""Whole stories in a real browser on a phone-sized screen, over Tor; at the end, what they left behind."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
from doubles.leaks import family
from journeys.browser import Firefox, Page
from journeys.house import KINDS, PROCESSES, House

from sottovoce.protocol.words import parse

pytestmark = pytest.mark.timeout(400)  # seconds: the first test of the session starts a Tor network

QUESTION = (
    "The ledger of pier seven names a ship in repair.\n\n"
    "第七码头的账本是假的。\nدفتر اسکلهٔ هفت ساختگی است.\n\nTwo were paid."
)
ANSWER = "Thank you. Which month was it?\n\n谢谢你。\n\nAsk nobody else on our behalf."
SECOND = "It was in the month of the second flood."
TYPED = "A text that was typed for longer than half an hour."
UNSEALED = "A text for which there was no key on that day."
BEFORE = "This arrived before the power was cut."
BETWEEN = "This was on the screen when the power was cut."


class Visit:
    """What a source does in the browser; all that is secret in it is told to the house."""

    def __init__(self, house: House, page: Page) -> None:
        self.house, self.page = house, page
        self.words: list[str] = []

    def open(self) -> None:
        """The first page, with no visit under way."""
        self.page.goto(f"http://{self.house.onion}/")
        self.page.wait_for_heading("Write to us without saying who you are")

    def begin(self) -> tuple[str, str]:
        """Gets twelve words, gives two of them back, stands before the page to write on; the sign it was shown."""
        self.open()
        self.page.click("form[action$='begin'] button")
        self.page.wait_for(".words, button[name='anew']")
        if self.page.has("button[name='anew']"):  # another story's visit is still open in this browser
            self.page.click("button[name='anew']")
        self.page.wait_for_heading("Your twelve words")
        self.words = self.page.text(".words").replace("\n", " ").split()[::2]
        shown = self.page.text(".sheet .row b")
        sign = self.house.know(self.words)
        assert shown == " ".join(sign)
        self.press("a[href$='check']", "Two of your words")
        for name in ("a", "b"):
            place = int(self.page.text(f"label[for='{name}']").split()[-1])
            self.page.type(f"#{name}", self.words[place - 1])
        self.press("form[action$='check'] button", "Write to us")
        return sign

    def type(self, text: str) -> None:
        """Types a message."""
        self.house.secrets.text("text", text)
        self.page.type("#text", text)
        assert self.page.value("#text") == text

    def send(self, text: str) -> None:
        """Types a message and sends it."""
        self.type(text)
        self.press("form[action$='write'] button", "Your message is here")

    def enter(self, typed: str, heading: str) -> None:
        """Enters words on the page that asks for them."""
        self.page.type("#words", typed)
        self.press("form[action$='enter'] button", heading)

    def press(self, css: str, heading: str) -> None:
        """Presses a button and waits for the page that comes."""
        self.page.click(css)
        self.page.wait_for_heading(heading)

    def leave(self) -> None:
        """Ends the visit."""
        self.press("header form[action$='leave'] button", "Goodbye")


@pytest.fixture
def visit(house: House, phone: Page) -> Visit:
    """A visit that has not begun."""
    return Visit(house, phone)


def test_writes_is_answered_comes_back_and_reads(house: House, visit: Visit) -> None:
    sign = visit.begin()
    visit.send(QUESTION)
    assert " ".join(sign) in visit.page.text()
    visit.leave()
    visit.page.goto(f"http://{house.onion}/en/inbox")
    visit.page.wait_for_heading("Your visit has ended")

    house.sync()
    assert [conversation["sign"] for conversation in house.conversations()] == [list(sign)]
    assert [(entry["incoming"], entry["text"], entry["state"]) for entry in house.read(sign)] == [
        (True, QUESTION, "new")
    ]
    house.answer(sign, ANSWER)
    house.secrets.text("answer", ANSWER)
    house.sync()
    house.close_edition()

    visit.open()
    visit.press("a[href$='enter']", "Coming back")
    visit.enter(" ".join(parse(" ".join(visit.words)).numbers), "One answer for you")
    assert visit.page.text(".letter") == ANSWER
    facts = visit.page.text(".facts")
    assert " ".join(sign) in facts
    assert "1 message\n" in facts

    visit.page.goto(f"http://{house.onion}/en/write")
    visit.send(SECOND)
    visit.leave()
    house.sync()
    assert [(entry["text"], entry["state"]) for entry in house.read(sign)] == [
        (QUESTION, "read"), (ANSWER, "seen"), (SECOND, "new"),
    ]  # fmt: skip


def test_scripts_are_warned_of_where_they_are_on(house: House, visit: Visit) -> None:
    visit.open()
    assert "scripts are on" not in visit.page.text()
    with Firefox(house.visitors, {"javascript.enabled": True}) as careless:
        page = careless.page(390, 844)
        page.goto(f"http://{house.onion}/")
        assert "scripts are on" in page.text()


def test_wrong_words_are_given_back_with_near_ones(house: House, visit: Visit) -> None:
    visit.begin()
    visit.leave()
    visit.page.goto(f"http://{house.onion}/en/enter")
    wrong = " ".join([visit.words[0] + "x", *visit.words[1:]])
    visit.page.type("#words", wrong)
    visit.page.click("form[action$='enter'] button")
    visit.page.wait_for(".error")
    assert visit.words[0] in visit.page.text(".error").replace(f"{visit.words[0]}x", "")
    assert visit.page.value("#words") == wrong
    visit.page.eval("field => { field.value = '' }", "#words")
    visit.enter(" ".join(visit.words), "No answer yet")


def test_a_visit_that_ended_gives_the_text_back(house: House, visit: Visit) -> None:
    sign = visit.begin()
    visit.type(TYPED)
    house.end_visits()
    visit.press("form[action$='write'] button", "Coming back")
    assert "nothing was sent" in visit.page.text(".error")
    assert visit.page.value("#text") == TYPED
    visit.enter(" ".join(visit.words), "Write to us")
    assert visit.page.value("#text") == TYPED
    visit.press("form[action$='write'] button", "Your message is here")
    house.sync()
    assert [entry["text"] for entry in house.read(sign)] == [TYPED]


def test_without_a_duty_key_nothing_is_taken_and_nothing_lost(house: House, visit: Visit) -> None:
    sign = visit.begin()
    visit.type(UNSEALED)
    with house.without_duty():
        visit.press("form[action$='write'] button", "We can take no message now")
        assert visit.page.value("#text") == UNSEALED
        visit.open()
        assert not visit.page.has("form[action$='begin']")
    house.sync()
    assert list(sign) not in [conversation["sign"] for conversation in house.conversations()]
    visit.open()
    assert visit.page.has("form[action$='begin']")


def test_a_power_cut_loses_neither_what_was_sent_nor_what_was_typed(house: House, visit: Visit) -> None:
    sign = visit.begin()
    visit.send(BEFORE)
    visit.page.goto(f"http://{house.onion}/en/write")
    visit.type(BETWEEN)
    house.kill_server()
    house.start_server()
    house.wait_open()
    visit.press("form[action$='write'] button", "Coming back")
    assert visit.page.value("#text") == BETWEEN
    visit.enter(" ".join(visit.words), "Write to us")
    visit.press("form[action$='write'] button", "Your message is here")
    house.sync()
    # Two visits within one edition: nobody knows their order, the pool keeps no finer time.
    assert {entry["text"] for entry in house.read(sign)} == {BEFORE, BETWEEN}


def test_no_secret_of_these_journeys_lies_anywhere_at_the_server(house: House, browser: Firefox) -> None:
    for value in browser.cookies:
        house.secrets.text("cookie", value)
    assert house.secrets.names == KINDS, "run the whole file: the journeys plant what is searched for here"
    assert len(family(house.process.pid)) == 1 + PROCESSES
    assert house.leaks() == set()
    house.stop_server(house.process)
    assert house.leaks() == set()


def test_a_leak_planted_in_the_house_is_found(house: House, browser: Firefox) -> None:
    pool, state = house.server / "pool" / "planted.sqlite3", house.server / "onion" / "door" / "planted"
    with contextlib.closing(sqlite3.connect(pool)) as planted:
        planted.execute("CREATE TABLE note (text TEXT)")
        planted.execute("INSERT INTO note VALUES (?)", (QUESTION,))
        planted.commit()
    state.write_text("PROXY TCP6 fc00:dead:beef:4dad::0:2a ::1 5 80", "utf-8")
    cookie = max(browser.cookies)
    house.secrets.text("cookie", cookie)
    with house.log.open("a", encoding="utf-8") as log:
        log.write(f"Cookie: s={cookie}\n")
    leaks = house.leaks()
    assert {("a circuit", str(state)), ("cookie", "the server's output")} < leaks
    assert {place for name, place in leaks if name == "text"} & {str(pool), f"{pool}-wal"}
