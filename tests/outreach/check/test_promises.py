"""Promises in calls: certain where a sentence speaks to or of a source, a subject where it doesn't."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sottovoce.outreach.check.promises import KINDS, is_slogan, lists, promises
from sottovoce.outreach.tongues import TONGUES
from sottovoce.outreach.words import words

HOUSE = Path(__file__).parents[2] / "house/linted_promises.toml"
PLANTED: dict[str, Any] = tomllib.loads(HOUSE.read_text("utf-8"))
EACH = [
    (language, kind, re.sub("<[^>]*>", "", text))
    for language, kinds in PLANTED["promises"].items()
    for kind, texts in kinds.items()
    for text in texts
]
SENTENCES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text("utf-8"))
SUBJECTS, TO_SOURCES = SENTENCES["subjects"], SENTENCES["to_sources"]


@pytest.mark.parametrize(("language", "kind", "text"), EACH)
def test_a_planted_promise_is_certain_or_a_slogan(language: str, kind: str, text: str) -> None:
    found = [each for each in promises(language, text) if each.kind == kind]
    assert found
    assert found[0].certain or is_slogan(text)


@pytest.mark.parametrize("language", sorted(TONGUES))
def test_what_a_call_is_about_is_no_promise(language: str) -> None:
    found = list(promises(language, SUBJECTS[language]))
    assert found
    assert not any(each.certain for each in found)
    assert not is_slogan(SUBJECTS[language])


@pytest.mark.parametrize("language", sorted(TONGUES))
def test_the_same_words_to_sources_are_one(language: str) -> None:
    assert [each.kind for each in promises(language, TO_SOURCES[language]) if each.certain] == ["money"]


@pytest.mark.parametrize("language", sorted(TONGUES))
def test_the_lists_are_whole_and_topics_are_words_of_theirs(language: str) -> None:
    known = lists()
    assert sorted(known.words[language]) == sorted(known.topics[language]) == sorted(KINDS)
    assert all(known.words[language].values())
    assert language in known.you
    assert all(language in names for names in known.names)


@pytest.mark.parametrize("language", sorted(TONGUES))
def test_the_name_of_a_setting_is_no_promise(language: str) -> None:
    for names in lists().names:
        assert not list(promises(language, names[language][0]))
    assert list(promises(language, words(language).clauses["promises"]["none"]))  # it denies, but nobody can lint that
