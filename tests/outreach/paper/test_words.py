"""The sentences of papers: whole in each language, and where the door says the same, in the same words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from sottovoce.outreach.paper.words import PaperWords, paper_words
from sottovoce.outreach.tongues import TONGUES

LOCALE = Path(__file__).parents[3] / "src/sottovoce/door/locale"
LATIN = {"Tor", "Browser", "torproject", "org", "A", "QR", "SHA", "C", "PA", "Sottovoce", "command", "page"}
SHARED = {
    "address": "Our address",
    "check_words": "Check words, in every language the same",
    "accounts": "Our accounts elsewhere",
    "compare": "Compare by two ways",
    "fakes": "What fakes do",
}
COMPARE = (
    "Take the address from two places that don\u2019t depend on each other, such as a film of ours and a newspaper.",
    "Type it yourself. Follow no link, and scan no code with a telephone that is yours.",
)
FAKES = (
    "They ask for your name, your telephone number or your twelve words, by email or in a chat.",
    "They send a link, or something to install.",
    "They promise money, or that nothing can happen to you.",
    "They hurry you.",
)
in_each_language = pytest.mark.parametrize("language", sorted(TONGUES))


def sentences(said: PaperWords) -> list[str]:
    """Everything that a language says."""
    values = [getattr(said, name) for name in said.__struct_fields__]
    return [text for value in values for text in ([value] if isinstance(value, str) else value)]


@in_each_language
def test_every_list_has_as_many_sentences_as_the_english_one_and_none_is_empty(language: str) -> None:
    said, english = paper_words(language), paper_words("en")
    for name in said.__struct_fields__:
        ours, theirs = getattr(said, name), getattr(english, name)
        assert isinstance(ours, str) or len(ours) == len(theirs), name
    assert all(sentences(said))
    assert [re.findall(r"\{\w+\}", text) for text in sentences(said)] == [
        re.findall(r"\{\w+\}", text) for text in sentences(english)
    ]


@in_each_language
def test_what_the_door_says_too_is_said_in_the_same_words(language: str) -> None:
    with (LOCALE / f"{language}.po").open("rb") as file:
        door = {str(message.id): str(message.string or message.id) for message in read_po(file)}
    said = paper_words(language)
    for name, sentence in SHARED.items():
        assert getattr(said, name) == door[sentence], name
    assert said.compare_steps[:2] == [door[sentence] for sentence in COMPARE]
    assert said.fakes_do == [door[sentence] for sentence in FAKES]
    assert said.unread.startswith(door["No native reader has reviewed this translation yet."])


@pytest.mark.parametrize("language", sorted(set(TONGUES) - {"en"}))
def test_no_english_is_left(language: str) -> None:
    words = {word for text in sentences(paper_words(language)) for word in re.findall("[A-Za-z]+", text)}
    assert words <= LATIN
    assert not set(sentences(paper_words(language))) & set(sentences(paper_words("en")))


def test_the_two_chinese_scripts_keep_to_their_own_signs() -> None:
    simple, full = ("".join(sentences(paper_words(tag))) for tag in ("zh-Hans", "zh-Hant"))
    assert not set(simple) & set("網錄瀏覽裝號碼請這張從個來對機無關連風險過檔開傳單視頻")
    assert not set(full) & set("网录浏览装号码请这张从个来对机无关连风险过档开传单视频")
