"""Private halves of duty keys: kept while they wait for a list that names them, used, destroyed (spec 10.4, 10.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from sottovoce.protocol.keys import KemKey
from sottovoce.protocol.sizes import KEY

from .vault import Vault

WAITING_MOST = 256  # received ones that no list names yet: nine lists of four weeks
_FLOOR = "destroyed"


def key_hash(public: bytes) -> bytes:
    """SHA-256 of a public key: what names it in the vault."""
    return sha256(public).digest()


class Seeds:
    """The private halves in one vault. One of a destroyed epoch is never taken again."""

    def __init__(self, vault: Vault) -> None:
        self._vault, self._rows = vault, vault.rows

    @property
    def floor(self) -> int:
        """The newest epoch whose keys were destroyed here; -1 before the first."""
        found = self._vault.note(_FLOOR)
        return -1 if found is None else int(found)

    def keep(self, epoch: int, seed: bytes, *, own: bool) -> bytes | None:
        """Keeps one, durably, until a list names it; its public key, None when it is too old or no seed."""
        if epoch <= self.floor or len(seed) != KEY:
            return None
        public = KemKey(seed).public
        name = key_hash(public)
        with self._vault.transaction():
            if not self._rows("SELECT 1 FROM duty WHERE (epoch, public) = (?, ?)", epoch, name):
                self._rows("INSERT OR IGNORE INTO waiting_seed VALUES (?, ?, ?, ?)", epoch, name, seed, own)
            oldest = "SELECT epoch, public FROM waiting_seed WHERE NOT own ORDER BY epoch DESC LIMIT -1 OFFSET ?"
            self._rows(f"DELETE FROM waiting_seed WHERE (epoch, public) IN ({oldest})", WAITING_MOST)  # noqa: S608
        return public

    def name(self, keys: Mapping[int, bytes]) -> None:
        """A verified duty list names these public keys: what waits for one of them is used from now on."""
        for epoch, public in keys.items():
            place = (epoch, key_hash(public))
            with self._vault.transaction():
                waiting = self._rows("SELECT epoch, seed FROM waiting_seed WHERE (epoch, public) = (?, ?)", *place)
                self._vault.keep_duty_seeds(waiting)
                self._rows("DELETE FROM waiting_seed WHERE (epoch, public) = (?, ?)", *place)

    def seed(self, epoch: int, public: bytes) -> bytes | None:
        """The private half of a public key, whether a list names it yet or not."""
        for table in ("duty", "waiting_seed"):
            query = f"SELECT seed FROM {table} WHERE (epoch, public) = (?, ?)"  # noqa: S608  # ours
            for (seed,) in self._rows(query, epoch, key_hash(public)):
                return bytes(seed)
        return None

    def lacking(self, keys: Mapping[int, bytes]) -> list[int]:
        """The epochs of these public keys whose private half is not here."""
        return [epoch for epoch, public in keys.items() if self.seed(epoch, public) is None]

    def epochs(self) -> set[int]:
        """The epochs that have a key in use."""
        return {epoch for (epoch,) in self._rows("SELECT DISTINCT epoch FROM duty")}

    def since(self, epoch: int) -> dict[int, list[bytes]]:
        """All that are in use for `epoch` and later."""
        found: dict[int, list[bytes]] = {}
        for day, seed in self._rows("SELECT epoch, seed FROM duty WHERE epoch >= ? ORDER BY epoch, public", epoch):
            found.setdefault(day, []).append(seed)
        return found

    def oldest(self) -> int | None:
        """The least epoch of which anything is held."""
        query = "SELECT min(epoch) FROM (SELECT epoch FROM duty UNION SELECT epoch FROM waiting_seed)"
        found = self._rows(query)[0][0]
        return None if found is None else int(found)

    def destroy(self, epochs: Iterable[int]) -> None:
        """Destroys all of these epochs and of earlier ones; the vault overwrites what it deletes."""
        last = max(epochs)
        with self._vault.transaction():
            for table in ("duty", "waiting_seed"):
                self._rows(f"DELETE FROM {table} WHERE epoch <= ?", last)  # noqa: S608  # ours
            self._vault.keep_note(_FLOOR, max(last, self.floor))
