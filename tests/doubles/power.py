"""A disk whose power is cut: from strace's record of what a program wrote, the states that a disk could be left in.

The model is harsher than file systems are. Until a file is synced, each of its writes may be there, missing, or there
in pieces of 512 bytes, in any combination. Until a folder is synced, each new, changed or removed name in it may be
there or not, only that what happened to one name later is not there without what happened to it before; syncing a file
doesn't keep its name. SQLite's shared memory (-shm) is left out: it is made anew from the log.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath

CALLS = (
    "openat,close,write,pwrite64,pwritev,writev,lseek,ftruncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,"
    "mkdir,mkdirat,fsync,fdatasync,link,linkat,sendfile,copy_file_range,sync_file_range,dup,dup2,dup3"
)
NEVER = ("pwritev", "writev", "fallocate", "sendfile", "copy_file_range", "dup", "dup2", "dup3", "linkat", "link")
SECTOR = 512
_LINE = re.compile(rb"(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)$", re.DOTALL)
_STRING = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"')


@dataclass
class Op:
    """One thing that happened: `kind` is write, truncate, sync, create, rename, remove, folder, syncfolder or told."""

    kind: str
    file: int = 0
    at: int = 0
    data: bytes = b""
    names: tuple[str, ...] = ()


def record(command: Sequence[str], trace: Path, root: Path) -> list[Op]:
    """Runs a program under strace; what it did to the files under `root`, and what it wrote to its output, in order."""
    strace = [
        "strace",
        "-f",
        "-qq",
        "-xx",
        "-s",
        "3000000",
        "-e",
        "signal=none",
        "-e",
        f"trace={CALLS}",
        "-o",
        str(trace),
    ]
    subprocess.run([*strace, *command], check=True, stdout=subprocess.DEVNULL, timeout=90)
    with trace.open("rb") as lines:
        return list(_Reader(str(root)).read(lines))


class _Reader:
    """strace's lines as ops: a call counts when it has ended, but what was told counts when it was begun."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.begun: dict[bytes, bytes] = {}
        self.files: dict[str, int] = {}
        self.open: dict[int, list[int]] = {}  # file and offset, by handle
        self.folders: dict[int, str] = {}
        self.made = {root}
        self.count = 0

    def read(self, lines: Iterator[bytes]) -> Iterator[Op]:
        for line in lines:
            found = _LINE.match(line.rstrip(b"\n"))
            if not found:
                continue
            process, resumed, call, rest = found.groups()
            if resumed:
                call, rest = resumed, self.begun.pop(process) + rest
            elif rest.endswith(b"<unfinished ...>"):
                self.begun[process] = rest.removesuffix(b"<unfinished ...>")
                if call == b"write" and rest.startswith(b"1,"):
                    yield Op("told", data=_strings(rest)[0])
                    self.begun[process] = b"told"
                continue
            if rest.startswith(b"told"):
                continue
            yield from self._call(call.decode(), rest)

    def _call(self, call: str, rest: bytes) -> Iterator[Op]:
        arguments, _, result = rest.rpartition(b" = ")
        if result.startswith(b"-1 ") or not result.split():
            return
        value = int(result.split()[0], 0) if result.split()[0].isdigit() else 0
        first = arguments.split(b",")[0].strip(b") ")
        handle = int(first) if first.isdigit() else -1
        if call in NEVER:
            assert handle not in self.open, f"{call} on a file of the pool: teach the replay about it"
            return
        yield from getattr(self, f"_{call}")(handle, arguments, value)

    def _openat(self, _: int, arguments: bytes, value: int) -> Iterator[Op]:
        name = _strings(arguments)[0].decode()
        self.open.pop(value, None)
        self.folders.pop(value, None)
        if not name.startswith(self.root) or name.endswith("-shm"):
            return
        if name in self.made:
            self.folders[value] = name
            return
        if name not in self.files:
            self.count += 1
            self.files[name] = self.count
            yield Op("create", self.count, names=(name,))
        self.open[value] = [self.files[name], 0]
        if b"O_TRUNC" in arguments:
            yield Op("truncate", self.files[name])

    def _close(self, handle: int, arguments: bytes, value: int) -> Iterator[Op]:
        self.open.pop(handle, None)
        self.folders.pop(handle, None)
        yield from ()

    def _write(self, handle: int, arguments: bytes, value: int) -> Iterator[Op]:
        if handle == 1:
            yield Op("told", data=_strings(arguments)[0])
        elif handle in self.open:
            file = self.open[handle]
            yield Op("write", file[0], file[1], _strings(arguments)[0][:value])
            file[1] += value

    def _pwrite64(self, handle: int, arguments: bytes, value: int) -> Iterator[Op]:
        if handle in self.open:
            yield Op("write", self.open[handle][0], _last(arguments), _strings(arguments)[0][:value])

    def _lseek(self, handle: int, arguments: bytes, value: int) -> Iterator[Op]:
        if handle in self.open:
            self.open[handle][1] = value
        yield from ()

    def _ftruncate(self, handle: int, arguments: bytes, value: int) -> Iterator[Op]:
        if handle in self.open:
            yield Op("truncate", self.open[handle][0], _last(arguments))

    def _fsync(self, handle: int, arguments: bytes, value: int) -> Iterator[Op]:
        if handle in self.open:
            yield Op("sync", self.open[handle][0])
        elif handle in self.folders:
            yield Op("syncfolder", names=(self.folders[handle],))

    _fdatasync = _fsync

    def _sync_file_range(self, handle: int, arguments: bytes, value: int) -> Iterator[Op]:
        yield from ()  # promises nothing

    def _rename(self, _: int, arguments: bytes, value: int) -> Iterator[Op]:
        old, new = (each.decode() for each in _strings(arguments))
        if old in self.files:
            self.files[new] = self.files.pop(old)
            yield Op("rename", self.files[new], names=(old, new))

    _renameat = _renameat2 = _rename

    def _unlink(self, _: int, arguments: bytes, value: int) -> Iterator[Op]:
        name = _strings(arguments)[0].decode()
        if name in self.files:
            yield Op("remove", self.files.pop(name), names=(name,))

    _unlinkat = _unlink

    def _mkdir(self, _: int, arguments: bytes, value: int) -> Iterator[Op]:
        name = _strings(arguments)[0].decode()
        if name.startswith(self.root):
            self.made.add(name)
            yield Op("folder", names=(name,))

    _mkdirat = _mkdir


def _strings(arguments: bytes) -> list[bytes]:
    return [bytes.fromhex(each.replace(b"\\x", b"").decode()) for each in _STRING.findall(arguments)]


def _last(arguments: bytes) -> int:
    return int(arguments.rpartition(b",")[2].strip(b") "))


@dataclass
class Disk:
    """What is durable after some ops, and what is on its way."""

    names: dict[str, int | None] = field(default_factory=dict)  # None: a folder
    contents: dict[int, bytearray] = field(default_factory=dict)
    writes: dict[int, list[Op]] = field(default_factory=dict)
    moves: list[Op] = field(default_factory=list)
    told: list[bytes] = field(default_factory=list)

    def do(self, op: Op) -> None:
        """Takes in one op."""
        if op.kind in ("write", "truncate"):
            self.writes.setdefault(op.file, []).append(op)
        elif op.kind == "sync":
            for write in self.writes.pop(op.file, []):
                apply(self.contents.setdefault(op.file, bytearray()), write)
        elif op.kind == "syncfolder":
            durable = [move for move in self.moves if str(PurePosixPath(move.names[0]).parent) == op.names[0]]
            self.moves = [move for move in self.moves if move not in durable]
            for move in durable:
                rename(self.names, move)
        elif op.kind == "told":
            self.told.append(op.data)
        else:
            self.moves.append(op)

    def left(
        self, dice: random.Random, *, data: float, moves: float
    ) -> tuple[dict[str, int | None], dict[int, bytearray]]:
        """Names and contents after a cut: each thing on its way is there with these chances."""
        names, spoilt = dict(self.names), set[str]()
        for move in self.moves:
            if spoilt.isdisjoint(move.names) and dice.random() < moves:
                rename(names, move)
            else:
                spoilt.update(move.names)
        contents = {file: bytearray(self.contents.get(file, b"")) for file in names.values() if file is not None}
        for file, content in contents.items():
            for write in self.writes.get(file, []):
                for piece in pieces(write, dice) if 0 < data < 1 and dice.random() < 0.3 else [write]:
                    if dice.random() < data:
                        apply(content, piece)
        return names, contents


def apply(content: bytearray, op: Op) -> None:
    """Does a write or a truncation."""
    if op.kind == "truncate":
        content[op.at :] = bytes(max(0, op.at - len(content)))
    else:
        content.extend(bytes(max(0, op.at - len(content))))
        content[op.at : op.at + len(op.data)] = op.data


def rename(names: dict[str, int | None], op: Op) -> None:
    """Does a change of names."""
    if op.kind in ("rename", "remove"):
        names.pop(op.names[0], None)
    if op.kind != "remove":
        names[op.names[-1]] = None if op.kind == "folder" else op.file


def pieces(op: Op, dice: random.Random) -> Iterator[Op]:
    """A write torn at two or so places."""
    if op.kind != "write" or len(op.data) <= SECTOR:
        yield op
        return
    cuts = sorted({0, len(op.data), *(dice.randrange(0, len(op.data), SECTOR) for _ in range(2))})
    for start, stop in pairwise(cuts):
        yield Op("write", op.file, op.at + start, op.data[start:stop])


def lay_out(state: tuple[dict[str, int | None], dict[int, bytearray]], root: str, target: Path) -> None:
    """Writes a state of what was under `root` into a folder."""
    names, contents = state
    for name, file in sorted(names.items()):
        path = target / PurePosixPath(name).relative_to(root)
        if file is None:
            path.mkdir(parents=True, exist_ok=True)
        elif path.parent.is_dir():  # a name in a folder that was lost is lost
            path.write_bytes(contents[file])
