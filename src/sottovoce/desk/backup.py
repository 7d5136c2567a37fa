"""A vault's backup: what was read, without any key that opens or signs something new (spec 10.7).

One file: a line that says how the passphrase becomes the key, then the encrypted database. It is copied table by table
inside the database engine, so that a vault of any size needs no more memory than a small one.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO

from sottovoce.onion.keys import private_folder, write_private
from sottovoce.trust.mark import MARK

from .errors import DeskError
from .join import REQUEST, Joining, new_device
from .outgoing import Outgoing
from .vault import NAME, Vault, Work, kdf_file
from .vault_team import LOCAL, SECRET

MAGIC = b"sottovoce vault backup 1\n"
_HEAD_MOST = 512
_CHUNK = 1 << 20
_PLACE = ("used", "posted", "taken")  # of the slot that this device had, and of what is pending


def backup(
    vault: Vault,
    file: Path,
    passphrase: str,
    work: Work | None = None,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> None:
    """Writes an encrypted copy of the vault to `file` (0600), whole or not at all; DeskError.

    It holds conversations, messages, editions and signed things, but no duty, transport or device keys.
    """
    if file.exists():
        raise DeskError(f"{file} exists already: choose another name.")
    fresh, folder = file.with_name(file.name + ".new"), file.with_name(file.name + ".parts")
    shutil.rmtree(folder, ignore_errors=True)
    copy = folder / NAME
    try:
        Vault.create(copy, passphrase, work, random).close()
        vault.copy_to(copy, passphrase, leave=(*SECRET, *LOCAL, *_PLACE))
        with Vault.open(copy, passphrase) as opened:
            opened.rows("DELETE FROM note WHERE name NOT IN ('org', 'destroyed', 'last sync')")
            opened.rows("DELETE FROM signed WHERE kind IN ('access', 'duty')")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out, copy.open("rb") as database:
            out.write(MAGIC + kdf_file(copy).read_bytes() + b"\n")
            shutil.copyfileobj(database, out, _CHUNK)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        fresh.unlink(missing_ok=True)


def restore(file: Path, folder: Path, passphrase: str, random: Callable[[int], bytes] = secrets.token_bytes) -> Joining:
    """A new vault in `folder` from a backup, with new device keys: it joins anew. The passphrase is the backup's.

    What it held can be read at once; answers go out when the office has admitted the device. DeskError.
    """
    if folder.exists() and any(folder.iterdir()):
        raise DeskError(f"{folder} is not empty: choose a new folder for the desk.")
    private_folder(folder)
    half = folder / f"{NAME}.half"  # without the right name nobody takes it for a vault
    journal = half.with_name(half.name + "-journal")
    try:
        with file.open("rb") as source:
            write_private(kdf_file(half), _head(source))
            descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                shutil.copyfileobj(source, out, _CHUNK)
                out.flush()
                os.fsync(out.fileno())
        joining = _join_anew(half, folder, passphrase, random)
        journal.unlink(missing_ok=True)  # empty since the vault was closed
        kdf_file(half).replace(kdf_file(folder / NAME))
        half.replace(folder / NAME)
    except BaseException:
        for path in (half, journal, kdf_file(half), folder / REQUEST, folder / MARK):
            path.unlink(missing_ok=True)
        raise
    return joining


def _head(source: IO[bytes]) -> bytes:
    """The line about the passphrase; the reader stands at the database then."""
    if source.readline(len(MAGIC)) != MAGIC:
        raise DeskError("This file is no backup of a vault: name the one that `desk backup` wrote.")
    line = source.readline(_HEAD_MOST)
    try:
        values = json.loads(line)
        salt, work = bytes.fromhex(values.pop("salt")), Work(**values)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DeskError("This backup is damaged: use another copy.") from None
    return json.dumps({**asdict(work), "salt": salt.hex()}).encode()


def _join_anew(path: Path, folder: Path, passphrase: str, random: Callable[[int], bytes]) -> Joining:
    with Vault.open(path, passphrase) as vault:
        outgoing = Outgoing(vault)
        for sealed in outgoing.sealed():  # for a slot that is not this device's: its texts wait for the new one
            if sealed.is_dummy:
                outgoing.drop(sealed)
            elif sealed.part == 0:
                outgoing.queue_again(sealed)
        return new_device(vault, folder, random)
