"""What each platform takes: sizes, lengths, captions, labels; read from one dated file."""

from __future__ import annotations

import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from .call import Shape
from .form import Form, read

FRESH = datetime.timedelta(days=180)


class Platform(Form):
    """One platform as it was on its `checked` day. Sizes in pixels, seconds, bytes, characters; 0: none.

    `text_bytes` is a text's most in UTF-8, `tags_most` all tags' characters; `never` are signs that no text may have.
    """

    name: str
    checked: datetime.date
    source: str
    shape: Shape
    width: int
    height: int
    seconds_least: float
    seconds_most: float
    bytes_most: int
    title_most: int
    text_most: int
    captions: Literal["burnt", "sidecar"]
    synthetic: str
    caption: str = ""
    text_bytes: int = 0
    tags_most: int = 0
    never: str = ""


@cache
def platforms() -> dict[str, Platform]:
    """All known platforms by their short names."""
    return read(Path(str(resources.files(__package__) / "platforms.toml")), dict[str, Platform])
