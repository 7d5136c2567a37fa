"""Files that people write, as typed values: TOML into structs, and one sentence with the place where it doesn't fit."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from .errors import CallError

T = TypeVar("T")


class Form(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of all that is read from TOML: a key that nobody knows is a mistake, never ignored."""


def read(path: Path, form: type[T]) -> T:
    """A TOML file as a value of the form; CallError with file and key when it is missing, broken or doesn't fit."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise CallError(f"{path} is missing: write it, or take it from `sottovoce call new`.") from None
    except UnicodeDecodeError:
        raise CallError(f"{path} is not text in UTF-8: save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise CallError(f"{path} is not valid TOML, mend it: {error}.") from None
    try:
        return msgspec.convert(raw, form)
    except msgspec.ValidationError as error:
        raise CallError(f"{path} doesn't fit, mend it: {error}.") from None
