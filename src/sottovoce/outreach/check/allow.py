"""allow.toml: sentences that a person excepted by hand from the rules about meaning, each with a reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import field

from ..errors import CallError
from ..form import Form, read
from .clauses import CONTRARY
from .finding import Finding
from .plain import plain

FILE = "allow.toml"
RULES = (*CONTRARY, "promises", "impersonation", "untranslated")  # the others leave nothing to be excepted


class Entry(Form):
    """One sentence in one language, the rule from which it is excepted, and why."""

    rule: str
    language: str
    sentence: str
    why: str

    def fits(self, finding: Finding) -> bool:
        """Whether it is this sentence's finding."""
        return bool(finding.said) and self.key == (finding.rule, finding.language, plain(finding.said))

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is about."""
        return self.rule, self.language, plain(self.sentence)


class Allowed(Form):
    """The file: `[[allow]]` for each sentence."""

    allow: list[Entry] = field(default_factory=list)


def without_allowed(folder: Path, findings: Sequence[Finding], *, whole: bool) -> Iterator[Finding]:
    """The findings that nobody excepted, and what is wrong with allow.toml; `whole`: all of the call was read."""
    try:
        entries = read(folder / FILE, Allowed).allow if (folder / FILE).exists() else []
    except CallError as error:
        yield Finding("form", FILE, str(error).replace(f"{folder}/", ""))
        entries = []
    valid = [entry for entry in entries if entry.rule in RULES and entry.why.strip()]
    yield from (finding for finding in findings if not any(entry.fits(finding) for entry in valid))
    yield from (_fault(entry) for entry in entries if entry not in valid)
    for entry in valid if whole else ():
        if not any(entry.fits(finding) for finding in findings):
            said = f"“{entry.sentence}” needs no exception from “{entry.rule}” any more: take it out of {FILE}."
            yield Finding("allow", FILE, said, "warning")


def _fault(entry: Entry) -> Finding:
    if entry.rule not in RULES:
        return Finding("allow", FILE, f"Nothing can be excepted from “{entry.rule}”: mend what it found.")
    return Finding("allow", FILE, f"“{entry.sentence}” is excepted without a reason: say why, or take it out.")
