"""What one circuit may ask for (spec 9.11): token buckets in memory only, for a bounded number of circuits.

A circuit is named by Tor's circuit line (circuit.py). Names live here and nowhere else, and go when newer circuits push
them out: who comes back then has a full budget again. It holds off who uses one circuit; Tor's proof of work makes
many circuits dear.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

CIRCUITS_MOST = 8_192  # about two megabytes


@dataclass(frozen=True)
class Rate:
    """A bucket's size, with which a circuit begins, and how much comes back in a second."""

    burst: float
    per_second: float


ENVELOPES = Rate(burst=48, per_second=0.1)  # three long messages at once, then one in about three minutes
WORK = Rate(burst=40, per_second=0.5)  # pages that reckon with the words: some milliseconds of the server each
PAGES = Rate(burst=240, per_second=4)  # requests of any kind, and ten kilobytes of what is sent: who reads asks less


class Budgets:
    """One bucket for each circuit and kind of thing; `clock` gives seconds that only go on, as time.monotonic."""

    def __init__(self, clock: Callable[[], float], rates: Mapping[str, Rate], most: int = CIRCUITS_MOST) -> None:
        self._clock, self._rates, self._most = clock, dict(rates), most
        self._buckets: OrderedDict[str, dict[str, tuple[float, float]]] = OrderedDict()  # kind: left, at what time

    def take(self, circuit: str, kind: str, amount: float = 1.0) -> bool:
        """Takes from a circuit's budget; False, and nothing is taken, when less than `amount` is left."""
        left = self._left(circuit, kind)
        granted = amount <= left
        self._set(circuit, kind, left - amount if granted else left)
        return granted

    def spend(self, circuit: str, kind: str, amount: float = 1.0) -> float:
        """Takes in any case; what is left then, less than nothing where there was not so much."""
        left = self._left(circuit, kind) - amount
        self._set(circuit, kind, left)
        return left

    def _left(self, circuit: str, kind: str) -> float:
        rate, now = self._rates[kind], self._clock()
        left, since = self._buckets.get(circuit, {}).get(kind, (rate.burst, now))
        return min(rate.burst, left + max(0.0, now - since) * rate.per_second)

    def _set(self, circuit: str, kind: str, left: float) -> None:
        self._buckets.setdefault(circuit, {})[kind] = (left, self._clock())
        self._buckets.move_to_end(circuit)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)

    def __len__(self) -> int:
        """How many circuits are remembered."""
        return len(self._buckets)
