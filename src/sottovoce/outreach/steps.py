"""Builds what changed, and only that: steps with their inputs and outputs, in parallel, each done whole or not at all.

A step's key is the hash of its recipe and of the content of all its inputs; where an output was made from the same key,
and is still as it was written, the step is not run. So it also is when an input was made anew with the same content.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from .errors import CallError

_STATE = ".made.json"


class Made(NamedTuple):
    """What is known of a file: the key it was made from ("" for an input), its time in ns, its size, its SHA-256."""

    key: str
    time: int
    size: int
    hash: str


@dataclass(frozen=True)
class Step:
    """One thing to make. `make(outputs)` writes all outputs, in a folder of its own, under their last names.

    `recipe` is all that decides the outputs besides the inputs' content, the version of its own code included; `stage`
    is where its time is counted.
    """

    stage: str
    outputs: tuple[Path, ...]
    inputs: tuple[Path, ...]
    recipe: str
    make: Callable[[Path], None] = field(repr=False)


@dataclass(frozen=True)
class Done:
    """What became of a step: whether it was run, and its seconds."""

    step: Step
    ran: bool
    seconds: float


class Builder:
    """Builds steps below one folder, `at` the same time as many as there are cores.

    What it remembers of outputs has names below the folder, what it remembers of inputs whole paths.
    """

    def __init__(self, folder: Path, at: int | None = None) -> None:
        self.folder, self._at = folder, at or os.cpu_count() or 1
        self._state, self._lock = self._read_state(), threading.Lock()

    def build(self, steps: Sequence[Step], tell: Callable[[Done], None]) -> None:
        """Makes all outputs; the first failure stops what has not begun. CallError, or what a step raised."""
        makers = {output: step for step in steps for output in step.outputs}
        waiting = {id(step): {id(makers[i]) for i in step.inputs if i in makers} for step in steps}
        by_id = {id(step): step for step in steps}
        running: dict[Future[Done], int] = {}
        with ThreadPoolExecutor(self._at) as pool:
            try:
                while waiting or running:
                    for name in [name for name, needs in waiting.items() if not needs][: self._at - len(running)]:
                        del waiting[name]
                        running[pool.submit(self._one, by_id[name])] = name
                    if not running:
                        raise CallError("Steps wait for one another: this is a fault of the program, report it.")
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        name = running.pop(future)
                        tell(future.result())
                        for needs in waiting.values():
                            needs.discard(name)
            finally:
                for future in running:
                    future.cancel()
        self._forget(makers)

    def stale(self, steps: Sequence[Step]) -> list[Step]:
        """The steps that a build would run first: what stands there was made from other things. Nothing is changed."""
        return [step for step in steps if not self._is_made(step)]

    def _is_made(self, step: Step) -> bool:
        try:
            key = self._key(step)
        except KeyError:  # an input that was never built
            return False
        return all(self._held(output, key) for output in step.outputs)

    def _one(self, step: Step) -> Done:
        begun = time.monotonic()
        key = self._key(step)
        if all(self._held(output, key) for output in step.outputs):
            return Done(step, ran=False, seconds=time.monotonic() - begun)
        fresh = self.folder / ".fresh" / key
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        step.make(fresh)
        for output in step.outputs:
            output.parent.mkdir(parents=True, exist_ok=True)
            (fresh / output.name).replace(output)
            self._state[str(output.relative_to(self.folder))] = Made(key, *_stamp(output), _hash_file(output))
        shutil.rmtree(fresh, ignore_errors=True)
        self._write_state()
        return Done(step, ran=True, seconds=time.monotonic() - begun)

    def _key(self, step: Step) -> str:
        parts = [step.recipe, *(self._hash(path) for path in step.inputs), *(path.name for path in step.outputs)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _held(self, output: Path, key: str) -> bool:
        made = self._state.get(str(output.relative_to(self.folder)))
        if made is None or made.key != key or not output.exists():
            return False
        stamp = _stamp(output)  # in a copy of the folder the times are others, and the content is the same
        return made[1:3] == stamp or (made.size == stamp[1] and made.hash == _hash_file(output))

    def _hash(self, path: Path) -> str:
        """The hash of an input: known for what was built here, remembered by time and size for others."""
        if path.is_relative_to(self.folder):
            return self._state[str(path.relative_to(self.folder))].hash
        stamp, name = _stamp(path), str(path.absolute())
        made = self._state.get(name)
        if made is None or made[1:3] != stamp:
            made = self._state[name] = Made("", *stamp, _hash_file(path))
        return made.hash

    def _forget(self, makers: Mapping[Path, Step]) -> None:
        """Removes what is no longer built: an old address must not lie beside the new ones."""
        kept = {str(output.relative_to(self.folder)) for output in makers}
        for name, made in [(name, made) for name, made in self._state.items() if name not in kept]:
            if made.key:  # an input is never removed: it is somebody's own file
                if (self.folder / name).resolve().is_relative_to(self.folder.resolve()):  # else somebody planted it
                    (self.folder / name).unlink(missing_ok=True)
                del self._state[name]
        for folder, _, files in os.walk(self.folder, topdown=False):
            if not files and not any(Path(folder).iterdir()) and Path(folder) != self.folder:
                Path(folder).rmdir()
        self._write_state()

    def _read_state(self) -> dict[str, Made]:
        try:
            return msgspec.json.decode((self.folder / _STATE).read_bytes(), type=dict[str, Made])
        except (OSError, msgspec.DecodeError):
            return {}  # all is built anew

    def _write_state(self) -> None:
        with self._lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            fresh = self.folder / (_STATE + ".new")
            fresh.write_bytes(msgspec.json.encode(dict(self._state)))
            fresh.replace(self.folder / _STATE)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise CallError(f"{path} is missing: put it there, or take its name out of the call.") from None
    return status.st_mtime_ns, status.st_size


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
