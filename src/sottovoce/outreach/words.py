"""The program's own sentences for calls, by language: words/LANGUAGE.toml. Complete, or not offered."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from .form import Form, read
from .policy import Policy


class Words(Form):
    """One language's sentences. `{day}` and the like are filled in; `clauses` has one for each answer of a policy.

    type_it: above the QR code and the address       check_words: before the card's six words
    note: one line on staying safe, on each end card note_parts: the same as two short lines
    """

    type_it: str
    check_words: str
    note: str
    note_parts: list[str]
    dramatised: str
    synthetic_voice: str
    synthetic_picture: str
    draft: str
    valid_until: str
    danger: str
    clauses: dict[str, dict[str, str]]

    def advice(self, policy: Policy) -> list[tuple[str, str]]:
        """Each clause of the policy with its sentence."""
        return [(clause, self.clauses[clause][getattr(policy, clause)]) for clause in policy.__struct_fields__]

    def label(self, *, dramatised: bool, synthetic: Sequence[str]) -> str:
        """What is said in the picture of a film that is acted or made by a machine; "" where neither is true."""
        said = [self.dramatised] * dramatised
        said += [getattr(self, f"synthetic_{kind}") for kind in synthetic]
        return " · ".join(said)


@cache
def words(language: str) -> Words:
    """The sentences in a language; CallError where the program has none."""
    return read(Path(str(resources.files(__package__) / "words" / f"{language}.toml")), Words)
