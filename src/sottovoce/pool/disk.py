"""Files of the pool: private, with times no finer than an edition, synced, and wiped when their time is over."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

from sottovoce.protocol.sizes import EDITION_SECONDS

_ZEROS = bytes(1 << 20)


def private_folder(path: Path) -> None:
    """Makes a folder that only its owner can read, with its parents, durably."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync_folder(path.parent)


def private_file(path: Path) -> BinaryIO:
    """Opens a new or emptied file for writing that only its owner can read."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "wb", buffering=1 << 20)


def open_quietly(path: Path) -> BinaryIO:
    """Opens a file for reading without a trace of when: access times would be times of visits."""
    return os.fdopen(_open_quietly(path, 0), "rb")


def names_in(path: Path) -> list[str]:
    """The names in a folder, read without a trace of when."""
    handle = _open_quietly(path, os.O_DIRECTORY)
    try:
        return os.listdir(handle)  # noqa: PTH208  # of a handle
    finally:
        os.close(handle)


def _open_quietly(path: Path, flags: int) -> int:
    quietly = getattr(os, "O_NOATIME", 0)  # Linux only; refused to who doesn't own the file
    try:
        return os.open(path, os.O_RDONLY | flags | quietly)
    except PermissionError:
        return os.open(path, os.O_RDONLY | flags)


def sync_folder(path: Path) -> None:
    """Brings a folder's names to the disk: new, renamed and removed ones."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def coarsen(edition: int, *paths: Path) -> None:
    """Sets the times of files to the begin of an edition; those that are not there are passed over."""
    for path in paths:
        with contextlib.suppress(OSError):
            os.utime(path, (edition * EDITION_SECONDS,) * 2)


def wipe(path: Path) -> None:
    """Overwrites a file with zeros, durably; its name stays. Nothing happens when it isn't there.

    The first kilobyte goes first: the log of a database without its header is no log at all, however far we come.
    """
    with contextlib.suppress(FileNotFoundError), path.open("r+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        file.write(_ZEROS[: min(size, 1_024)])
        os.fsync(file.fileno())
        while (left := size - file.tell()) > 0:
            file.write(_ZEROS[: min(left, len(_ZEROS))])
        os.fsync(file.fileno())


def free_bytes(path: Path) -> int:
    """What an ordinary user may still write to the disk that holds a folder."""
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize
