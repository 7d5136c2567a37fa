"""The program's sentences for calls: whole in each language, and with the words that the door uses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from babel.messages.pofile import read_po

from sottovoce.outreach.policy import Policy
from sottovoce.outreach.tongues import TONGUES
from sottovoce.outreach.words import Words, words

LOCALE = Path(__file__).parents[2] / "src/sottovoce/door/locale"
NAMES = {"Tor", "Browser", "VPN"}  # written so in every language
TERMS = {  # "address" and "twelve words", as both must say them
    "fa": ("آدرس", "دوازده عدد"),
    "ko": ("주소", "열두 낱말"),
    "ru": ("адрес", "двенадцатью словами"),
    "zh-Hans": ("网址", "十二个字"),
    "zh-Hant": ("網址", "十二個字"),
}
foreign = pytest.mark.parametrize("language", sorted(set(TONGUES) - {"en"}))


def sentences(said: Words) -> list[str]:
    """Everything that a language says."""
    plain = [getattr(said, name) for name in said.__struct_fields__ if name not in ("note_parts", "clauses")]
    return [*plain, *said.note_parts, *(text for answers in said.clauses.values() for text in answers.values())]


def door(language: str, msgid: str) -> str:
    """A sentence of the door's catalogue."""
    with (LOCALE / f"{language}.po").open("rb") as file:
        found = read_po(file).get(msgid)
    assert found
    return str(found.string)


@pytest.mark.parametrize("language", sorted(TONGUES))
def test_every_answer_of_a_policy_has_its_sentence(language: str) -> None:
    answers = {clause: set(get_args(hint)) for clause, hint in get_type_hints(Policy).items()}
    assert {clause: set(said) for clause, said in words(language).clauses.items()} == answers
    assert all(sentences(words(language)))


@pytest.mark.parametrize("language", sorted(TONGUES))
def test_only_the_last_day_is_filled_in_and_the_note_is_its_two_parts(language: str) -> None:
    said = words(language)
    assert [text for text in sentences(said) if set("{}") & set(text)] == [said.valid_until]
    assert said.valid_until.format(day="X").count("X") == 1
    assert len(said.note_parts) == 2
    assert said.note.replace(" ", "") == "".join(said.note_parts).replace(" ", "")


@foreign
def test_no_english_is_left(language: str) -> None:
    latin = {word for text in sentences(words(language)) for word in re.findall("[A-Za-z]+", text)}
    assert latin <= NAMES | {"day"}
    assert not set(sentences(words(language))) & set(sentences(words("en")))


@foreign
def test_our_words_are_the_doors(language: str) -> None:
    said, (address, twelve) = words(language), TERMS[language]
    assert door(language, "Check words, in every language the same").startswith(said.check_words)
    assert address in door(language, "Our address").lower()
    assert address in said.note
    assert twelve[:4] in door(language, "Your twelve words").lower()
    assert twelve in said.clauses["email"]["never"]


@pytest.mark.parametrize(("language", "name"), [("fa", "مرورگر تور"), ("ko", "Tor 브라우저"), ("ru", "Tor Browser")])
def test_the_browser_has_the_name_that_the_door_gives_it(language: str, name: str) -> None:
    assert name in words(language).type_it
    assert name in door(language, "Tor Browser, set to Safest")


def test_the_two_chinese_scripts_say_the_same_with_their_own_signs() -> None:
    simple, full = "".join(sentences(words("zh-Hans"))), "".join(sentences(words("zh-Hant")))
    assert not set(simple) & set("網錄瀏覽裝號碼請這張從個來對機無關連風險過")
    assert not set(full) & set("网录浏览装号码请这张从个来对机无关连风险过")
