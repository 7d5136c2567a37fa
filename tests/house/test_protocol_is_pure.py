"""The protocol takes bytes, `now` and random bytes, and returns values. What it imports, import-linter holds too.

`mnemonic` reads its own word lists when it is imported, and pyca draws its own randomness in key generation and
sealing; these two are the only exceptions.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROTOCOL = Path(__file__).parents[2] / "src/sottovoce/protocol"
BUILTINS = frozenset({"open", "print", "input", "breakpoint", "exec", "eval", "compile", "__import__"})
NEEDED = frozenset({"cbor2", "cryptography", "mnemonic"})
HARMLESS = frozenset(  # of the standard library: no clock, dice, file, socket, process or log
    {"__future__", "abc", "base64", "binascii", "bisect", "collections", "contextlib", "copy", "dataclasses"}
    | {"difflib", "enum", "functools", "hashlib", "heapq", "hmac", "itertools", "math", "operator", "re", "string"}
    | {"struct", "types", "typing", "unicodedata"}
)


def faults(tree: ast.AST) -> Iterator[str]:
    """Say each thing in this module that touches the world."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if name in BUILTINS:
                yield f"line {node.lineno}: {name}"
            case ast.Attribute(attr="urandom" | "SystemRandom" as name):
                yield f"line {node.lineno}: {name}"
            case ast.Import(names=names):
                yield from (f"line {node.lineno}: import {each.name}" for each in names if not _allowed(each.name))
            case ast.ImportFrom(module=str(module), level=0) if not _allowed(module):
                yield f"line {node.lineno}: from {module}"
            case ast.ImportFrom(level=level) if level > 1:
                yield f"line {node.lineno}: an import from another room"


def _allowed(module: str) -> bool:
    return module.partition(".")[0] in HARMLESS | NEEDED or module.startswith("sottovoce.protocol")


def test_the_protocol_touches_nothing() -> None:
    modules = sorted(PROTOCOL.rglob("*.py"))
    assert modules
    found = {path.name: list(faults(ast.parse(path.read_text("utf-8")))) for path in modules}
    assert not {name: what for name, what in found.items() if what}


@pytest.mark.parametrize(
    "planted",
    [
        "import time",
        "import os.path",
        "from datetime import UTC",
        "def f():\n    from secrets import token_bytes",
        "from sottovoce.pool import api",
        "from ..pool import api",
        "print('x')",
        "write = print",
        "with open('x') as file: pass",
        "__import__('time')",
        "hashlib.os.urandom(16)",
    ],
)
def test_a_planted_violation_is_found(planted: str) -> None:
    assert list(faults(ast.parse(planted)))


def test_the_allowed_lists_name_what_exists() -> None:
    assert HARMLESS - {"__future__"} <= sys.stdlib_module_names
    assert not NEEDED & sys.stdlib_module_names
