"""Templates that are compiled once a test process, and not once a test: a server does so once in its life."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from types import CodeType

import pytest
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from sottovoce.door.texts import Texts


class Remembered(BytecodeCache):
    """What was compiled in one language, by name and content: constants are in it as that language writes them."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key, bucket.checksum] = bucket.code


def remember_templates(patched: pytest.MonkeyPatch) -> None:
    """From now on each language remembers what it compiled."""
    kept: dict[str, Remembered] = defaultdict(Remembered)
    new = Texts._environment

    def remembering(texts: Texts, templates: Mapping[str, str]) -> Environment:
        environment = new(texts, templates)
        environment.bytecode_cache = kept[texts.tongue.tag]
        return environment

    patched.setattr(Texts, "_environment", remembering)
