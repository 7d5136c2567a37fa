"""The vault: one encrypted SQLite file that holds all that a desk knows.

Beside `vault.db` lies `vault.db.kdf`, plain JSON: how the passphrase becomes the file's key. It holds no secret;
without it the vault is lost. Who changes it can only make the vault unreadable.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import apsw
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from sottovoce.onion.keys import private_folder, write_private
from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.sizes import KEY, QUARTERS
from sottovoce.trust.mark import newer, older

from .errors import DeskError
from .tables import TABLES
from .vault_team import TEAM_TABLES

NAME = "vault.db"
SCHEMA = 2
_MOST_MEMORY = 4 << 20  # KiB; a changed file must not make the machine stand still


@dataclass(frozen=True)
class Work:
    """How hard Argon2id (RFC 9106) works: `memory` in KiB."""

    memory: int = 262_144  # 256 MiB, half a second: what a laptop has to spare and a guesser has to pay
    passes: int = 3
    lanes: int = 4

    @property
    def fair(self) -> bool:
        """Whether it is neither weaker than 64 MiB and three passes nor more than a laptop can do."""
        return 65_536 <= self.memory <= _MOST_MEMORY and 3 <= self.passes <= 64 and 1 <= self.lanes <= 4


class Vault:
    """An open vault; `create` and `open` raise DeskError. One process at a time holds it."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path, self._key = path, key
        self.resume()

    def resume(self) -> None:
        """Opens the file again after `close`, without asking for the passphrase; DeskError while another has it."""
        self._db = apsw.Connection(str(self.path))
        try:
            self._unlock(self._key)
            self.schema = int(self._db.pragma("user_version"))
        except apsw.Error as error:
            self._db.close()
            raise DeskError(_reason(error)) from error

    @classmethod
    def create(
        cls, path: Path, passphrase: str, work: Work | None = None, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> Self:
        """A new vault at `path` (0600, its folder 0700)."""
        if not passphrase.strip():
            raise DeskError("A vault needs a passphrase: choose one of several words.")
        if path.exists() and path.stat().st_size:
            raise DeskError("There is a vault in this folder already: choose another folder.")
        work, salt = work or Work(), random(KEY)
        if not work.fair:
            raise DeskError("The passphrase must be made slow to guess: take at least 64 MiB and three passes.")
        private_folder(path.parent)
        write_private(kdf_file(path), json.dumps({**asdict(work), "salt": salt.hex()}).encode())
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        vault = cls(path, _key(passphrase, salt, work))
        with vault.transaction():
            vault.make_tables()
        return vault

    @classmethod
    def open(cls, path: Path, passphrase: str) -> Self:
        """The vault at `path`."""
        vault = cls.open_any(path, passphrase)
        if vault.schema != SCHEMA:
            vault.close()
            raise DeskError(older(path.parent, "0.1") if vault.schema < SCHEMA else newer(path.parent))
        return vault

    @classmethod
    def open_any(cls, path: Path, passphrase: str) -> Self:
        """The same for a vault of any version, to upgrade it."""
        if not path.exists():
            raise DeskError("There is no vault in this folder: join first, or name the right folder.")
        salt, work = _read_kdf(path)
        return cls(path, _key(passphrase, salt, work))

    def make_tables(self) -> None:
        """Makes today's tables in a vault that has none of their names; within the caller's transaction."""
        self._db.execute(TABLES + TEAM_TABLES)
        self._db.pragma("user_version", SCHEMA)
        self.schema = SCHEMA

    def _unlock(self, key: bytes) -> None:
        db = self._db
        db.pragma("cipher", "chacha20")
        db.pragma("key", f"raw:{key.hex()}")
        for name, value in (("locking_mode", "exclusive"), ("temp_store", 2), ("secure_delete", 1)):
            db.pragma(name, value)
        db.execute("BEGIN EXCLUSIVE; COMMIT")  # takes the lock, and keeps it
        db.pragma("journal_mode", "truncate")  # durable at once, and no old page stays behind
        db.pragma("synchronous", "full")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable at its end. It may be nested."""
        try:
            with self._db:
                yield
        except apsw.Error as error:
            raise DeskError(_reason(error)) from error

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows that one statement gives; by itself it is all or nothing, durable where no transaction is open."""
        try:
            return self._db.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise DeskError(_reason(error)) from error

    def many(self, sql: str, values: Iterable[tuple[Any, ...]]) -> None:
        """One statement for each tuple of values, all or none."""
        with self.transaction():
            self._db.executemany(sql, values)

    def copy_to(self, path: Path, passphrase: str, leave: Collection[str]) -> None:
        """Fills the new vault at `path`, which must be closed, with all rows of this one but those of some tables."""
        key = _key(passphrase, *_read_kdf(path))
        tables = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        names = [name for (name,) in self.rows(tables) if name not in leave]
        self._db.execute("ATTACH ? AS copy KEY ?", (str(path), f"raw:{key.hex()}"))
        try:
            with self.transaction():
                for name in names:
                    self._db.execute(f"INSERT INTO copy.{name} SELECT * FROM main.{name}")  # noqa: S608  # ours
        finally:
            self._db.execute("DETACH copy")

    def close(self) -> None:
        """Gives the file back; the vault can't be used until it is resumed."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def device_key(self, name: str) -> bytes:
        """One of the device's three 32-byte private keys: "dh", "signing" or "onion"."""
        rows = self.rows("SELECT key FROM device WHERE name = ?", name)
        if not rows:
            raise DeskError("The vault holds no device keys: join anew in another folder.")
        return bytes(rows[0][0])

    def keep_device_key(self, name: str, key: bytes) -> None:
        """Keeps a private key of the device."""
        self.rows("INSERT INTO device VALUES (?, ?)", name, key)

    def note(self, name: str) -> Any:
        """A small value by name, None if there is none."""
        rows = self.rows("SELECT value FROM note WHERE name = ?", name)
        return rows[0][0] if rows else None

    def keep_note(self, name: str, value: bytes | int) -> None:
        """Keeps a small value by name."""
        self.rows("INSERT OR REPLACE INTO note VALUES (?, ?)", name, value)

    def signed(self, kind: str) -> list[bytes]:
        """The signed things of a kind that were verified here, the newest first."""
        return [raw for (raw,) in self.rows("SELECT raw FROM signed WHERE kind = ? ORDER BY serial DESC", kind)]

    def keep_signed(self, kind: str, hash: bytes, serial: int, raw: bytes) -> None:
        """Keeps a verified thing; of rosters all stay, since messages name them, of the rest the newest."""
        with self.transaction():
            if kind != "roster":
                self.rows("DELETE FROM signed WHERE kind = ?", kind)
            self.rows("INSERT OR REPLACE INTO signed VALUES (?, ?, ?, ?)", kind, hash, serial, raw)

    def duty_seeds(self, epochs: Iterable[int]) -> list[tuple[int, bytes]]:
        """Epoch and private half (32-byte X-Wing seed) of these epochs' duty keys, as far as they are here.

        An epoch can have several: a removal makes new keys for days that had some.
        """
        query = "SELECT epoch, seed FROM duty WHERE epoch = ? ORDER BY public"
        return [(epoch, seed) for each in epochs for epoch, seed in self.rows(query, each)]

    def keep_duty_seeds(self, seeds: Iterable[tuple[int, bytes]]) -> None:
        """Keeps private halves durably; what was read of their days before is read anew, with all keys."""
        with self.transaction():
            for epoch, seed in seeds:
                name = hashlib.sha256(KemKey(seed).public).digest()
                query = "INSERT OR IGNORE INTO duty VALUES (?, ?, ?) RETURNING 1"
                if self.rows(query, epoch, name, seed):
                    self._read_anew(epoch)

    def _read_anew(self, epoch: int) -> None:
        """An envelope of this epoch lies in an edition of it, or of the day after (spec 9.1)."""
        days = (QUARTERS * epoch, QUARTERS * (epoch + 2))
        self.rows("UPDATE edition SET read = 0 WHERE number >= ? AND number < ?", *days)
        self.rows("UPDATE taken SET opened = 0 WHERE edition >= ? AND edition < ?", *days)

    def keep_alarm(self, sentence: str, epoch: int) -> None:
        """Keeps an alarm, so that it is seen also when nobody looked at the sync that found it."""
        self.rows("INSERT OR REPLACE INTO alarm VALUES (?, ?)", sentence, epoch)

    def alarms(self) -> list[tuple[str, int]]:
        """The alarms that are kept, and the epoch in which each was raised last; the newest first."""
        return self.rows("SELECT text, epoch FROM alarm ORDER BY epoch DESC, text")


def _reason(error: apsw.Error) -> str:
    match error:
        case apsw.BusyError():
            return "Another program holds this vault: wait until it is done, or end it, then try again."
        case apsw.NotADBError():
            return "The passphrase does not open this vault: type it again."
        case apsw.CorruptError():
            return "The vault's file is damaged: restore it from a backup."
    return "The vault can't be read or written: make room on the disk, and look whether the folder is yours."


def kdf_file(path: Path) -> Path:
    """The file beside a vault that says how the passphrase becomes its key."""
    return path.with_name(path.name + ".kdf")


def _read_kdf(path: Path) -> tuple[bytes, Work]:
    try:
        values = json.loads(kdf_file(path).read_bytes())
        salt, work = bytes.fromhex(values.pop("salt")), Work(**values)
        if len(salt) == KEY and all(type(value) is int for value in values.values()) and work.fair:
            return salt, work
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass
    raise DeskError(f"The file {kdf_file(path).name} beside the vault is missing or damaged: restore it.")


def _key(passphrase: str, salt: bytes, work: Work) -> bytes:
    plain = unicodedata.normalize("NFKC", passphrase.strip()).encode()
    kdf = Argon2id(salt=salt, length=KEY, iterations=work.passes, lanes=work.lanes, memory_cost=work.memory)
    return kdf.derive(plain)
