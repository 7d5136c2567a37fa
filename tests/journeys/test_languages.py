"""Whole stories for everyone: in other languages, by keys alone, and as a screen reader reads them out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from doubles.leaks import in_files
from journeys.browser import SYSTEM, Firefox, Pref
from journeys.guest import ByKeys, Guest
from journeys.house import KINDS, House, open_house
from journeys.reader import inside

pytestmark = pytest.mark.timeout(400)  # seconds: the first test of the session starts a Tor network


@dataclass(frozen=True)
class Story:
    """A person's language, as their browser asks for it; their screen; what they write and read."""

    tag: str
    wished: str
    size: tuple[int, int]
    text: str
    answer: str
    between: str = " "  # the words, when they are typed


PERSIAN = Story(
    "fa", "fa-IR, fa, en-US", (390, 844),
    "صورت‌حساب‌های اسکلهٔ هفت ساختگی است.\n\nدو تا را دو بار پرداختند.", "سپاس. در کدام ماه بود؟\n\nاز کسی چیزی نپرسید.",  # noqa: RUF001  (Persian)
)  # fmt: skip
CHINESE = Story(
    "zh-Hans", "zh-CN, zh, en", (1180, 820),
    "第七码头的发票是假的。\n\n有两张付了两次。", "谢谢您。是哪一个月？\n\n请不要替我们打听。", between="",  # noqa: RUF001  (Chinese)
)  # fmt: skip
OTHERS = (
    Story("ko", "ko-KR, ko", (820, 1180), "칠번 부두의 장부는 가짜입니다.", "고맙습니다. 몇 월이었습니까?"),
    Story("ru", "ru-RU, ru", (390, 844), "Счета седьмого причала поддельные.", "Спасибо. В каком месяце это было?"),  # noqa: RUF001  (Russian)
    Story("zh-Hant", "zh-TW, zh", (820, 1180), "第七碼頭的發票是假的。", "謝謝您。是哪一個月？", between=""),  # noqa: RUF001  (Chinese)
)
BY_KEYS = "The crane of the fourth quay was sold twice.\n\nBoth buyers paid."
ANSWER_BY_KEYS = "Thank you. Who signed for the crane?"
PRACTISED = "This is nothing, and goes nowhere."


ALL = (PERSIAN, CHINESE, *(pytest.param(story, marks=pytest.mark.long) for story in OTHERS))


@pytest.fixture(scope="module")
def house(
    request: pytest.FixtureRequest, private_network: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A house with two languages signed off, or with five where the long stories are told too."""
    long = any(item.path == request.path and item.get_closest_marker("long") for item in request.session.items)
    tags = [story.tag for story in (PERSIAN, CHINESE, *(OTHERS if long else ()))]
    with open_house(tmp_path_factory.mktemp("six"), private_network, *tags) as made:
        yield made


@contextlib.contextmanager
def visiting(house: House, wished: str = "en") -> Iterator[Firefox]:
    """A visitor's browser, scripts off, that asks for pages in these languages; its cookies are secrets."""
    prefs: dict[str, Pref] = {"intl.accept_languages": wished, "privacy.spoof_english": 1}  # 1: no, and don't ask
    with Firefox(house.visitors, prefs, [SYSTEM]) as browser:
        yield browser
        for value in browser.cookies:
            house.secrets.text("cookie", value)


def answered(house: House, sign: tuple[str, str], text: str, language: str, answer: str) -> None:
    """The member reads a message, learns in which language its writer reads, and answers; six hours go by."""
    house.sync()
    assert [(entry["text"], entry["language"]) for entry in house.read(sign)] == [(text, language)]
    house.answer(sign, answer)
    house.secrets.text("answer", answer)
    house.sync()
    house.close_edition()


@pytest.mark.parametrize("story", ALL, ids=lambda story: story.tag)
def test_a_person_writes_and_reads_in_their_language(house: House, story: Story) -> None:
    with visiting(house, story.wished) as browser:
        guest = Guest(house, browser, story.tag, story.size)
        guest.open()
        guest.page.click("nav.tongues a[lang='en']")
        guest.page.wait_for_address("/en/")
        guest.go(f"nav.tongues a[lang='{story.tag}']", "")
        guest.go("footer a[href$='text']", "text")
        guest.go("header a", "")
        sign = guest.begin()
        guest.go("a[href$='check']", "check")
        guest.give_two_back()
        guest.send(story.text)
        guest.meets(sign, "p.big")
        guest.leave()

        answered(house, sign, story.text, story.tag, story.answer)
        guest.come_back(story.between.join(guest.words))
        assert guest.page.text(".letter") == story.answer
        guest.meets(sign, ".facts dd.big")
        guest.leave()


def test_by_keys_alone_in_practice_and_in_earnest(house: House) -> None:
    with visiting(house) as browser:
        guest = ByKeys(house, browser, "en", (1280, 800))
        guest.open()
        guest.go("footer a[href$='practice']", "practice")
        practised = guest.begin("practice")
        assert len(set(guest.words[:3])) == 1
        guest.go("a[href$='check']", "check")
        an_error_is_heard_first(guest)
        guest.give_two_back()
        guest.send(PRACTISED)
        guest.leave()
        guest.come_back(" ".join(guest.words))
        assert "Nobody gets what you write here." in guest.page.text()
        guest.leave()

        guest.open()
        sign = guest.begin()
        guest.go("a[href$='check']", "check")
        guest.give_two_back()
        guest.send(BY_KEYS)
        guest.open()
        guest.push("form[action$='begin'] button")
        guest.page.wait_for_heading("You have a conversation open here")
        guest.hear()
        guest.go("a[href$='write']", "write")
        guest.leave()

        answered(house, sign, BY_KEYS, "en", ANSWER_BY_KEYS)
        signs = [each["sign"] for each in house.conversations()]
        assert (list(sign) in signs, list(practised) in signs) == (True, False)
        guest.come_back(" ".join(guest.words).upper())
        assert guest.page.text(".letter") == ANSWER_BY_KEYS


def an_error_is_heard_first(guest: ByKeys) -> None:
    """A wrong word: the alert is read before all that can be filled in, and leads to the field, which says why."""
    for name, typed in (("a", "wrong"), ("b", guest.word("b"))):
        guest.fill(f"#{name}", typed)
    guest.push("form[action$='check'] button")
    guest.page.wait_for("[role='alert']")
    main = inside(guest.hear(), "main")
    order = [each.role for each in main if each.role in ("heading", "alert", "label", "entry")]
    assert order == ["heading", "alert", "heading", "label", "entry", "label", "entry"]
    field = next(each for each in main if each.role == "entry")
    assert (field.invalid, field.says) == (True, "This is another word.")
    guest.push("[role='alert'] a")
    guest.page.wait_for("#a:target")
    assert guest.page.eval("e => e == document.activeElement", "#a")


@pytest.mark.long
def test_a_withdrawn_language_is_gone_and_its_words_still_open_a_conversation(house: House) -> None:
    with visiting(house, CHINESE.wished) as browser:
        guest = Guest(house, browser, CHINESE.tag, CHINESE.size)
        guest.open()
        guest.begin()
        house.verb("language", "withdraw", house.office, CHINESE.tag)
        house.publish()
        house.stop_server(house.process)
        house.start_server()
        house.wait_open()
        english = Guest(house, browser, "en", CHINESE.size)
        english.come_back("".join(guest.words))
        english.page.wait_for_heading("No answer yet")
        english.open()
        assert english.page.has(f"nav a[lang='{PERSIAN.tag}']")
        assert not english.page.has(f"nav a[lang='{CHINESE.tag}']")


@pytest.mark.parametrize("told", ["two languages", pytest.param("five", marks=pytest.mark.long)])
def test_no_secret_of_these_journeys_lies_anywhere_at_the_server(house: House, told: str) -> None:
    assert house.secrets.names == KINDS, f"run the whole file: the journeys in {told} plant what is searched for here"
    assert house.leaks() == set()


def test_words_of_any_script_would_be_found_there(house: House) -> None:
    planted = house.server / "onion" / "door" / "planted"
    assert {len(words[0]) for words in house.phrases} >= {1, 4}  # a Chinese character; a number in Persian digits
    for words in house.phrases:
        planted.write_text("+".join(words[4:7]), "utf-8")
        assert ("words", str(planted)) in house.secrets.found(in_files(planted.parent))
    planted.unlink()
