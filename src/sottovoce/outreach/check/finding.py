"""What the check found: one sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """`rule` is a clause of the policy or a rule's name, `file` a path in the call's folder, `sentence` what is wrong
    and what to do. `language` and `said` are of whom what was said, for allow.toml; "" where that can't be allowed."""

    rule: str
    file: str
    sentence: str
    severity: Severity = "error"
    language: str = ""
    said: str = ""
