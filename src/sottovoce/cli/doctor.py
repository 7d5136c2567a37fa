"""`doctor`: looks at this machine and installation and says what to mend; it asks nobody outside."""

from __future__ import annotations

import importlib.metadata
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from sottovoce.onion.errors import OnionError
from sottovoce.onion.torrc import socket_path
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.sealing import seal, unseal
from sottovoce.protocol.sizes import EDITION_SECONDS, edition_of
from sottovoce.trust.mark import need_today
from sottovoce.trust.published import SignedFolder

from .common import PATH, UserError, now, out, today
from .offered import offered

_TOR_LEAST = (0, 4, 8)  # the first with proof of work for onions
_FREE_MIB = 1_024


def _python() -> str:
    version = sys.version_info
    return "" if (3, 11) <= version < (3, 14) else "Install Python 3.11, 3.12 or 3.13."


def _tor() -> str:
    program = shutil.which("tor")
    if program is None:
        return "Install Debian's package tor."
    run = [program, "--version"]
    text = subprocess.run(run, capture_output=True, text=True, timeout=20, check=False).stdout  # noqa: S603 found on PATH
    found = re.search(r"version (\d+)\.(\d+)\.(\d+)", text)
    if found is None or tuple(map(int, found.groups())) < _TOR_LEAST:
        return "Install tor 0.4.8 or newer: older ones can't defend an onion by proof of work."
    return ""


def _sealing() -> str:
    key = KemKey(secrets.token_bytes(32))
    whole = seal(bytes(7_056), key.public, b"doctor")
    return "" if unseal(whole, key, b"doctor") == bytes(7_056) else "Install the package again: sealing does not work."


def _packages() -> str:
    wanted = importlib.metadata.requires("sottovoce") or []
    names = [re.split(r"[<>=!~ ;\[]", line)[0] for line in wanted]
    missing = [name for name in names if not _installed(name)]
    return f"Install again: {', '.join(missing)} is missing." if missing else ""


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _memory() -> str:
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    return "" if free >= 512 else "Close other programs: 512 MiB of free memory are needed."


def _swap() -> str:
    lines = Path("/proc/swaps").read_text().splitlines() if Path("/proc/swaps").exists() else []
    return "" if len(lines) < 2 else "Switch swap off on a server (swapoff -a): it can hold what visitors typed."


def _disk(folder: Path) -> str:
    where = folder if folder.exists() else Path.cwd()
    return (
        "" if shutil.disk_usage(where).free >> 20 >= _FREE_MIB else "Make room: less than 1 GiB is free on this disk."
    )


def _rights(folder: Path) -> str:
    loose = [path for path in [folder, *folder.rglob("*")] if not path.is_symlink() and path.stat().st_mode & 0o077]
    loose = [path for path in loose if not path.is_socket()]
    return f"Take away others' rights: chmod -R go= {folder}" if loose else ""


def _paths(folder: Path) -> str:
    try:
        socket_path(folder.absolute() / "onion" / "members" / "control")
    except OnionError as error:
        return str(error)
    return ""


def _form(folder: Path) -> str:
    try:
        need_today(folder)
    except Refused as error:
        return str(error)
    return ""


def _signed(folder: Path) -> str:
    try:
        published = SignedFolder(folder / "signed").published(today())
    except Refused as error:
        return str(error)
    if published.duty is None:
        return "No duty key is valid, so the door takes no message: a member must sync."
    return ""


def _languages(folder: Path) -> str:
    return " ".join(f"{line.language}: {line.fault}" for line in offered(SignedFolder(folder / "signed")) if line.fault)


def _clock(folder: Path) -> str:
    """A pool whose open edition is still to come takes nothing until then (docs/decisions/bounded-expiry.md)."""
    opened, edition = max(_numbers(folder / "pool" / "pending"), default=0), edition_of(now())
    if opened <= edition:
        return ""
    right = max([edition, *(closed + 1 for closed in _numbers(folder / "pool" / "editions"))])
    hour = datetime.fromtimestamp(opened * EDITION_SECONDS, UTC).strftime("%Y-%m-%d %H:%M")
    waits = f"The clock went ahead once, so the store takes nothing before {hour} UTC"
    if right >= opened:
        return f"{waits}; editions were closed there too, so it has to wait: ask the developers."
    return (
        f"{waits}. When the clock is right: stop the server, rename {opened}.sqlite3 in {folder / 'pool' / 'pending'} "
        f"(and {opened}.sqlite3-wal) to {right}.sqlite3 (and {right}.sqlite3-wal), start it."
    )


def _numbers(folder: Path) -> list[int]:
    return [int(path.stem) for path in folder.glob("*.*") if path.stem.isascii() and path.stem.isdigit()]


def _checks(folder: Path | None) -> dict[str, Callable[[], str]]:
    checks: dict[str, Callable[[], str]] = {
        "Python": _python,
        "Packages": _packages,
        "Tor": _tor,
        "Sealing": _sealing,
        "Memory": _memory,
        "Swap": _swap,
    }
    if folder is not None:
        checks["Disk"] = lambda: _disk(folder)
        checks["Rights of files"] = lambda: _rights(folder)
        checks["Length of paths"] = lambda: _paths(folder)
        checks["Form of files"] = lambda: _form(folder)
        if (folder / "pool").is_dir():
            checks["Clock"] = lambda: _clock(folder)
        if (folder / "onion").is_dir():
            checks["Signed files"] = lambda: _signed(folder)
            checks["Languages"] = lambda: _languages(folder)
    return checks


@click.command()
@click.argument("folder", type=PATH, required=False)
def doctor(folder: Path | None) -> int:
    """Check this machine, and the server's, desk's or office's FOLDER; say what to mend."""
    if folder is not None and not folder.is_dir():
        raise UserError(f"{folder} is no folder: check the path.")
    findings = {name: check() for name, check in _checks(folder).items()}
    width = max(map(len, findings)) + 2
    for name, finding in findings.items():  # unbroken, however long: a command shall survive being copied
        line = f"{name:{width}}{finding or 'good'}"
        out.print(line, style="" if finding else "green", markup=False, soft_wrap=True)
    if "Languages" in findings and folder is not None:
        out.print("\nLanguages that visitors are offered:")
        for each in offered(SignedFolder(folder / "signed")):
            out.print(f"{each.language:{width}}{each.text}", markup=False, soft_wrap=True)
    return 1 if any(findings.values()) else 0
