"""From the vault of 0.1 to today's, in one transaction: all of it, or nothing yet.

No copy is left beside it: it would keep duty keys that are to be destroyed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from sottovoce.protocol.keys import KemKey
from sottovoce.trust.mark import newer
from sottovoce.trust.upgrade import chain_of

from .errors import DeskError
from .join import REQUEST, write_request
from .vault import NAME, SCHEMA, Vault

_TABLES = (
    "device", "note", "signed", "duty", "taken", "conversation", "message", "queued", "sealed", "used",
)  # fmt: skip
# What is not here is copied as it is; `duty` and the root need keys and CBOR, and follow in Python. All that 0.1 was
# shown must be in an edition of the upgraded server, else the first sync raises an alarm. 0.1 kept no hashes, so it is
# opened there once more, as a replay.
_COPIES = {
    "duty": "SELECT epoch, x'', seed FROM old_duty",
    "taken": "SELECT tag, edition, NULL, 1, 0, 1 FROM old_taken",
    "message": "SELECT place, conversation, direction, id, epoch, edition, slot, roster, 1, text, NULL, NULL, sent,"
    " seen, 0, read, NULL FROM old_message",
    "sealed": "SELECT tag, conversation, message, epoch, 0, 1, envelope FROM old_sealed",
}


def upgrade_desk(folder: Path, passphrase: str, step: Callable[[str], None] = lambda name: None) -> int | None:
    """Brings the vault in a folder to today's form; how many messages it holds, None when it has that form already.

    The request to join changed its form too: it is written anew where there is one. DeskError.
    """
    with Vault.open_any(folder / NAME, passphrase) as vault:
        if vault.schema > SCHEMA:
            raise DeskError(newer(folder))
        fresh = vault.schema < SCHEMA
        if fresh:
            with vault.transaction():
                _convert(vault, step)
            step("desk.converted")
        if (folder / REQUEST).exists():
            write_request(vault, folder)
        return int(vault.rows("SELECT count(*) FROM message")[0][0]) if fresh else None


def _convert(vault: Vault, step: Callable[[str], None]) -> None:
    for table in _TABLES:
        vault.rows(f"ALTER TABLE {table} RENAME TO old_{table}")
    vault.make_tables()
    step("desk.tables")
    for table in _TABLES:
        vault.rows(f"INSERT INTO {table} {_COPIES.get(table, f'SELECT * FROM old_{table}')}")  # noqa: S608  # ours
        vault.rows(f"DROP TABLE old_{table}")
        step("desk.table")
    for epoch, seed in vault.rows("SELECT epoch, seed FROM duty"):
        public = hashlib.sha256(KemKey(seed).public).digest()
        vault.rows("UPDATE duty SET public = ? WHERE epoch = ?", public, epoch)
    for (raw,) in vault.rows("SELECT raw FROM signed WHERE kind = 'root'"):
        vault.rows("UPDATE signed SET raw = ? WHERE kind = 'root'", chain_of(raw))
