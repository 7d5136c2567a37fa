"""All connections of one process, within bounds: so many, so many of one circuit, and so many bytes held for them.

Rules: 1. Where there is one too many, that one goes which has been longest without a step: a step is its coming, a
whole header, an end of an answer, or bytes of one that were taken. 2. Of a circuit's connections the oldest goes.
3. Where more bytes are held than may be, of forms that are not whole and answers that are not taken, the connection
goes that holds most. A visitor who asks and reads is never that one; who was idle connects again, as browsers do.
"""

from __future__ import annotations

import resource
from collections import OrderedDict
from typing import Protocol

CONNECTIONS_MOST = 1_024  # about 30 MB
CIRCUIT_MOST = 12  # twice what Tor Browser opens
BYTES_MOST = 32 << 20
_FILES = 8 * CONNECTIONS_MOST  # each may have an edition open, and twice as many may come before one could be closed


class Connection(Protocol):
    """What can be thrown out."""

    def cut(self) -> None:
        """Ends at once."""


class Crowd:
    """The connections in the order of their last steps. Each comes by `enter`, and goes by `leave` or is cut."""

    def __init__(
        self, most: int = CONNECTIONS_MOST, circuit_most: int = CIRCUIT_MOST, bytes_most: int = BYTES_MOST
    ) -> None:
        self.most, self._circuit_most, self._bytes_most = most, circuit_most, bytes_most
        self._held: OrderedDict[Connection, int] = OrderedDict()  # bytes
        self._bytes = 0
        self._circuits: dict[str, list[Connection]] = {}
        self._names: dict[Connection, str] = {}

    def take_files(self) -> None:
        """Lets this process open as many files as a full crowd needs; where it may not, the crowd gets smaller."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
        self.most = min(self.most, files * CONNECTIONS_MOST // _FILES)

    def enter(self, who: Connection) -> None:
        """A connection was made."""
        self._held[who] = 0
        if len(self._held) > self.most:
            self._cut(next(iter(self._held)))

    def name(self, who: Connection, circuit: str) -> None:
        """It said of which circuit it is."""
        if who in self._held:
            self._names[who] = circuit
            same = self._circuits.setdefault(circuit, [])
            same.append(who)
            if len(same) > self._circuit_most:
                self._cut(same[0])

    def step(self, who: Connection) -> None:
        """It did what honest visitors do."""
        if who in self._held:
            self._held.move_to_end(who)

    def hold(self, who: Connection, size: int) -> None:
        """So many bytes are held for it now."""
        if who not in self._held:
            return
        self._bytes += size - self._held[who]
        self._held[who] = size
        while self._bytes > self._bytes_most:
            self._cut(max(self._held, key=self._held.__getitem__))

    def leave(self, who: Connection) -> None:
        """It is gone."""
        self._bytes -= self._held.pop(who, 0)
        circuit = self._names.pop(who, None)
        if circuit is not None:
            self._circuits[circuit].remove(who)
            if not self._circuits[circuit]:
                del self._circuits[circuit]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._held)

    def _cut(self, who: Connection) -> None:
        self.leave(who)
        who.cut()
