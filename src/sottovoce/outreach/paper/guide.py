"""The guides that a page holds, as plain parts: where they come from is another room's matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Part:
    """A paragraph (one text), a list, or steps whose order matters."""

    kind: Literal["paragraph", "list", "steps"]
    texts: Sequence[str]


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it; `sections` are one level down, and have none of their own."""

    heading: str
    parts: Sequence[Part]
    sections: Sequence[Section] = ()
