"""Bodies: a film's pictures without its card, in all the encodings that platforms and languages need of a shape.

They come from one drawing or decoding, so one step makes them all. When one caption changes, only its own encodings are
made again: each is kept as long as what it was made from is the same.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ..call import Shape
from ..steps import Step
from .captions import Burnt
from .encode import Cut, encode
from .fonts import files
from .run import versions
from .sizes import frames
from .sources import Source


@dataclass(frozen=True)
class Body:
    """One encoding of a body: `cut` without what is burnt in, which is only written out when it is made."""

    source: Source
    cut: Cut
    burnt: Burnt


def body_step(shape: Shape, bodies: Sequence[Body], folder: Path) -> Step:
    """The step that makes bodies of one source, drawn or decoded once in a shape."""
    source, keys = bodies[0].source, folder / f"{bodies[0].source.name}-{shape}.json"
    recipe = "\0".join(["body", versions(), source.recipe, shape, *(repr((each.cut, each.burnt)) for each in bodies)])
    outputs = (*(folder / each.cut.name for each in bodies), keys)
    inputs = tuple(dict.fromkeys((*source.inputs, *files())))
    return Step("pictures", outputs, inputs, recipe, partial(_make, shape, bodies, keys, inputs))


def _make(shape: Shape, bodies: Sequence[Body], keys: Path, inputs: Sequence[Path], fresh: Path) -> None:
    """Makes the encodings that are not there already; `keys` says from what each was made, and its hash."""
    source, old = bodies[0].source, _read(keys)
    common = "\0".join([versions(), source.recipe, shape, *map(_hash, inputs)])
    cuts = [replace(each.cut, ass=each.burnt.ass()) for each in bodies]
    made_from = {cut.name: hashlib.sha256(f"{common}\0{cut}\0{cut.ass}".encode()).hexdigest() for cut in cuts}
    missing = [cut for cut in cuts if not _keep(keys.parent / cut.name, made_from[cut.name], old, fresh)]
    if missing:
        encode(source.feed(shape), missing, frames(source.seconds, source.rate), fresh)
    new = {name: [key, _hash(fresh / name)] for name, key in made_from.items()}
    (fresh / keys.name).write_text(json.dumps(new, sort_keys=True), "utf-8")


def _keep(held: Path, key: str, old: Mapping[str, Sequence[str]], fresh: Path) -> bool:
    """Whether an encoding that was made before is taken as it is."""
    if not held.exists() or old.get(held.name) != [key, _hash(held)]:
        return False
    os.link(held, fresh / held.name)
    return True


def _read(keys: Path) -> dict[str, list[str]]:
    try:
        read = json.loads(keys.read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # all are made anew
    return read if isinstance(read, dict) else {}


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
