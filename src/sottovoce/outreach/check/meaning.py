"""Rules about what is said: the policy's clauses, and promises. Sentences of allow.toml are excepted by hand."""

from __future__ import annotations

from collections.abc import Iterator

from ..policy import Policy
from ..tongues import TONGUES
from .clauses import CONTRARY, SAYS, statements
from .finding import Finding
from .parts import Parts
from .passages import Passage, passages
from .promises import is_slogan, promises

_PROMISE = {
    "money": "money",
    "visa": "a visa or asylum",
    "protection": "protection",
    "answer": "an answer",
    "safety": "full safety",
}


def contradictions(call: Parts) -> Iterator[Finding]:
    """Sentences that contradict the policy, by its clauses."""
    if call.policy is None:
        return
    for passage in known(call):
        for sentence in passage.sentences:
            yield from _contradictions(call, passage, sentence)


def known(call: Parts) -> Iterator[Passage]:
    """All passages in languages of which the program knows something."""
    return (passage for passage in passages(call) if passage.language in TONGUES)


def _contradictions(call: Parts, passage: Passage, sentence: str) -> Iterator[Finding]:
    assert call.policy is not None  # noqa: S101  asked for by the caller
    for clause, what in contrary(call.policy, passage.language, sentence):
        yield about(clause, passage, sentence, what)


def contrary(policy: Policy, language: str, sentence: str) -> Iterator[tuple[str, str]]:
    """Each clause of a policy that a sentence contradicts, once, and how, as "says …, but …: do …"."""
    clauses = set()
    for said in statements(language, sentence):
        answer = getattr(policy, said.clause)
        if said.clause not in clauses and said.statement in CONTRARY[said.clause].get(answer, ()):
            clauses.add(said.clause)
            says = SAYS[said.clause, said.statement]
            what = f"says {says}, but the policy has {said.clause} = “{answer}”: say it otherwise, or change the policy"
            yield said.clause, what


def kept_promises(call: Parts) -> Iterator[Finding]:
    """Sentences that may promise what nobody can promise. A warning where the word may be the call's own subject."""
    if call.policy is None or call.policy.promises != "none":
        return
    for passage in known(call):
        if passage.kind == "organisation":
            continue  # a protection office may be called so
        for sentence in passage.sentences:
            for promise in promises(passage.language, sentence):
                if promise.certain:
                    yield _promise(passage, sentence, promise.word, promise.kind)
                elif passage.kind == "text" and is_slogan(sentence):  # longer ones tell of such things
                    yield _subject(passage, sentence, promise.word, promise.kind)


def _promise(passage: Passage, sentence: str, word: str, kind: str) -> Finding:
    what = f"may promise {_PROMISE[kind]} by “{word}”: say it otherwise, or except it in allow.toml with a reason"
    return about("promises", passage, sentence, what)


def _subject(passage: Passage, sentence: str, word: str, kind: str) -> Finding:
    what = f"has “{word}”, a word by which one promises {_PROMISE[kind]}: read it again, then except it in allow.toml"
    return about("promises", passage, sentence, what, warning=True)


def about(rule: str, passage: Passage, sentence: str, what: str, *, warning: bool = False) -> Finding:
    """A finding on a sentence, which allow.toml may except."""
    said = f"“{sentence}” ({passage.place}) {what}."
    return Finding(rule, passage.file, said, "warning" if warning else "error", passage.language, sentence)
