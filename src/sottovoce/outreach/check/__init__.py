"""`call check`: what is wrong with a call, as much of it as can be found at once, one sentence each.

    finding.py    what was found                      parts.py      what could be read of the call
    passages.py   all that is said, as sentences      plain.py      texts as they are compared
    meaning.py    policy and promises                 clauses.py, promises.py: with patterns/ and promises.toml
    names.py      own name, others' names             addresses.py  what leads elsewhere
    letters.py    wrong scripts                       captions.py   what can't be read in time
    films.py      scenes, masters                     pictures.py   what a drawing or picture hides
    sounds.py     voices, recordings                  limits.py     call.toml, platforms, the card's time
    allow.py      what a person excepted              lengths.py    how long films are

Meaning can't be linted: this finds words and forms. Every sentence has to be read by people who know its language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..errors import CallError
from .addresses import addresses
from .allow import without_allowed
from .captions import captions
from .films import films, logo, masters
from .finding import Finding
from .letters import letters
from .limits import asked, left_over, limits, stale, unsigned
from .meaning import contradictions, kept_promises
from .names import impersonation, own_name
from .parts import Parts, read_parts
from .sounds import sounds

__all__ = ["Finding", "check"]

_RULES: Sequence[Callable[[Parts], Iterator[Finding]]] = (
    asked, own_name, impersonation, contradictions, kept_promises, addresses, letters, captions,
    films, masters, sounds, logo, left_over, limits, stale, unsigned,
)  # fmt: skip


def check(folder: Path, today: int) -> list[Finding]:
    """All that was found in a call's folder; `today` is an epoch. Errors first, then by file. CallError: no folder."""
    call = read_parts(folder, today)
    found = [*call.unread, *(finding for rule in _RULES for finding in _run(rule, call))]
    left = dict.fromkeys(without_allowed(folder, found, whole=call.whole is not None))
    return sorted(left, key=lambda each: (each.severity != "error", each.file, each.rule))


def _run(rule: Callable[[Parts], Iterator[Finding]], call: Parts) -> Iterator[Finding]:
    try:
        yield from rule(call)
    except CallError as error:  # a program that the rule needs is missing
        yield Finding("missing", "call.toml", str(error))
