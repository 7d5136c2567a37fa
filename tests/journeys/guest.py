"""A visitor who goes the whole way in one language, by pointer or by keys alone, and hears each page on the way."""

from __future__ import annotations

import re

from journeys.browser import ENTER, TAB, Firefox
from journeys.house import House
from journeys.reader import Heard, Reader, faults

from sottovoce.door.texts import TONGUES
from sottovoce.protocol.words import word_index, word_list

NAMES = {"Tor", "Browser", "UTC", "Android", "iPhone", "iPad", "Onion", "App", "Store", "Gold", "QR", "torproject.org"}
_LATIN = re.compile(r"[A-Za-z][A-Za-z.]*[A-Za-z]|[A-Za-z]")
_NUMBER = re.compile("[0-9]{4}")  # of a word: beside the Persian digits stand those that the whole world reads
_TABS = 60  # more than any page has places to stop at


class Guest:
    """What a source does in the browser, by pointer; all that is secret in it is told to the house."""

    def __init__(self, house: House, browser: Firefox, tag: str, size: tuple[int, int]) -> None:
        self.house, self.page, self._reader = house, browser.page(*size), Reader(browser)
        self.tag, self.tongue = tag, TONGUES[tag]
        self.lists = tuple(tongue.words for tongue in TONGUES.values() if tongue.words)
        self.words: list[str] = []

    # -- one step ------------------------------------------------------------------

    def push(self, css: str) -> None:
        """Presses a button, or follows a link."""
        self.page.click(css)

    def fill(self, css: str, text: str) -> None:
        """Types into a field."""
        self.page.type(css, text)

    def go(self, css: str, path: str) -> list[Heard]:
        """Presses a button and waits for the page that comes, of this language."""
        self.push(css)
        self.page.wait_for_address(f"/{self.tag}/{path}")
        return self.hear()

    def open(self) -> None:
        """The first page, by the address on a leaflet."""
        self.page.goto(f"http://{self.house.onion}/")
        self.hear()

    def hear(self) -> list[Heard]:
        """The whole page as it is read out: in good order, and all of it in its language."""
        heard = self._reader.read(self.page)
        astray = list(faults(heard, self.tongue.direction == "rtl"))
        assert astray == [], astray
        assert heard[0].language == self.tag
        if self.tag != "en":
            assert (foreign := self._foreign(heard)) == [], foreign
        return heard

    def _foreign(self, heard: list[Heard]) -> list[str]:
        """What is in no language that the page names: words in Latin letters, and in Persian digits of others too."""
        address = {self.house.onion.removesuffix(".onion")[at : at + 8] for at in range(0, 56, 8)} | {".onion"}
        known = {self.house.published.card.name, *address}
        own = [each for each in heard if each.language == self.tag and each.is_said]
        said = [re.sub("|".join(map(re.escape, known)), "", text) for each in own for text in (each.name, each.says)]
        latin = [word for text in said for word in _LATIN.findall(text) if word not in NAMES]
        if self.tag != "fa":
            return latin
        return latin + [text for text in said if re.search("[0-9]", text) and not _NUMBER.fullmatch(text)]

    # -- the whole way -------------------------------------------------------------

    def begin(self, how: str = "begin") -> tuple[str, str]:
        """Gets twelve words; the sign by which the desk will know them."""
        self.go(f"form[action$='{how}'] button", "words")
        shown = self.page.eval("e => [...e.querySelectorAll('b')].map(b => b.textContent).join(' ')", ".words")
        self.words = str(shown).split()
        sign = self.house.know(self.words, *self.lists)
        self.meets(sign, ".sheet .row b")
        return sign

    def meets(self, sign: tuple[str, str], css: str) -> None:
        """The page shows this sign, in words or numbers of its language."""
        shown = self.page.text(css).split()
        assert [word_index(each, *self.lists) for each in shown] == [word_list().index(word) for word in sign]

    def give_two_back(self) -> None:
        """Two words, the second first."""
        for name in ("b", "a"):
            self.fill(f"#{name}", self.word(name))
        self.go("form[action$='check'] button", "write")

    def word(self, name: str) -> str:
        """The word that a field asks for."""
        (place,) = re.findall(r"\d+", self.page.text(f"label[for='{name}']"))
        return self.words[int(place) - 1]

    def send(self, text: str) -> None:
        """Types a message and sends it."""
        self.house.secrets.text("text", text)
        self.fill("#text", text)
        assert self.page.value("#text") == text
        self.go("form[action$='write'] button", "sent")

    def leave(self) -> None:
        """Ends the visit."""
        self.go("header form[action$='leave'] button", "bye")

    def come_back(self, typed: str) -> None:
        """Enters the words as a person of this language types them."""
        self.open()
        self.go("a[href$='enter']", "enter")
        self.fill("#words", typed)
        self.go("form[action$='enter'] button", "inbox")


class ByKeys(Guest):
    """The same with Tab, Shift+Tab, Enter, Space and typing alone."""

    def push(self, css: str) -> None:
        """Goes there, and follows a link by Enter, presses a button by the space bar."""
        self.tab_to(css)
        is_button = self.page.eval("e => e.localName == 'button'", css)
        self.page.press(" " if is_button else ENTER)

    def fill(self, css: str, text: str) -> None:
        """Goes there, and types."""
        self.tab_to(css)
        self.page.press(*text.replace("\n", ENTER))

    def tab_to(self, css: str) -> None:
        """Tab after Tab, backwards where the place lies behind; what has the focus is in view."""
        behind = bool(self.page.eval("e => (e.compareDocumentPosition(document.activeElement) & 4) != 0", css))
        for _ in range(_TABS):
            if self.page.eval("e => e == document.activeElement", css):
                break
            self.page.press(TAB, shift=behind)
        assert self.page.eval("e => e == document.activeElement", css), f"no Tab leads to {css}"
        inside = "e => { const box = e.getBoundingClientRect(); return box.bottom > 0 && box.top < innerHeight; }"
        assert self.page.eval(inside, css), f"{css} has the focus out of sight"
