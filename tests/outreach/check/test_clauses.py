"""Statements on the policy's questions are found in six languages, and nothing is found where nothing is said."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from babel.messages.pofile import read_po

from sottovoce.outreach.check.clauses import CONTRARY, SAYS, patterns, statements
from sottovoce.outreach.check.plain import sentences
from sottovoce.outreach.policy import Policy
from sottovoce.outreach.tongues import TONGUES
from sottovoce.outreach.words import words

LOCALE = Path(__file__).parents[3] / "src/sottovoce/door/locale"
SAID: dict[str, Any] = tomllib.loads(Path(__file__).with_name("statements.toml").read_text("utf-8"))
FINE: dict[str, list[str]] = SAID.pop("fine")
EACH = [
    (language, clause, statement, text)
    for language, clauses in SAID.items()
    for clause, statements in clauses.items()
    for statement, texts in statements.items()
    for text in texts
]
ANSWERS = {clause: get_args(hint) for clause, hint in get_type_hints(Policy).items() if clause != "promises"}
FAKES_SAY = "They ask for your name, your telephone number or your twelve words, by email or in a chat."


def said(language: str, text: str) -> set[tuple[str, str]]:
    """Clause and statement of all that a text says."""
    return {each[:2] for sentence in sentences(text) for each in statements(language, sentence)}


def contradicted(language: str, text: str) -> set[tuple[str, str]]:
    """Clause and answer of all policies that a text contradicts."""
    found = said(language, text)
    return {
        (clause, answer)
        for clause, answers in CONTRARY.items()
        for answer, kinds in answers.items()
        if any((clause, kind) in found for kind in kinds)
    }


@pytest.mark.parametrize(("language", "clause", "statement", "text"), EACH)
def test_a_statement_is_found(language: str, clause: str, statement: str, text: str) -> None:
    found = said(language, text)
    assert (clause, statement) in found
    assert {each for each, _ in found} == {clause}


@pytest.mark.parametrize("language", sorted(TONGUES))
def test_every_statement_has_its_sentences_in_every_language(language: str) -> None:
    known = {(clause, kind) for clause, kinds in patterns(language).clauses.items() for kind in kinds}
    assert known == set(SAYS) == {(clause, kind) for clause, kinds in SAID[language].items() for kind in kinds}


def test_every_answer_of_a_policy_has_statements_that_contradict_it() -> None:
    assert {clause: set(answers) for clause, answers in CONTRARY.items()} == {
        clause: set(answers) for clause, answers in ANSWERS.items()
    }


@pytest.mark.parametrize("language", sorted(TONGUES))
def test_sentences_that_say_nothing_on_it_are_left_alone(language: str) -> None:
    assert {text: found for text in FINE[language] if (found := said(language, text))} == {}


@pytest.mark.parametrize("language", sorted(TONGUES))
def test_the_programs_own_sentence_contradicts_the_other_answer_and_nothing_else(language: str) -> None:
    own = words(language)
    for clause, answers in ANSWERS.items():
        for answer in answers:
            others = {(clause, other) for other in answers if other != answer}
            assert contradicted(language, own.clauses[clause][answer]) == others
    for text in (own.note, own.danger, own.type_it, own.clauses["promises"]["none"]):
        assert not contradicted(language, text)


@pytest.mark.parametrize("language", sorted(TONGUES))
def test_what_the_door_says_contradicts_no_policy(language: str) -> None:
    with (LOCALE / f"{language}.po").open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    texts = {
        str(each.id): "\n".join([each.string] if isinstance(each.string, str) else each.string or [])
        for each in messages
    }
    found = {msgid for msgid, text in texts.items() if contradicted(language, text or msgid)}
    assert found <= {FAKES_SAY}  # what others do is no advice, but that can't be linted
    assert len(texts) > 200
