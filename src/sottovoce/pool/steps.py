"""The moments at which a pool can be interrupted; each is safe, and a test ends the process at each."""

from __future__ import annotations

from collections.abc import Callable

Step = Callable[[str], None]
STEPS = (  # where `step` is called, in their order; a test can end the process at each
    "group.begun",  # judged, and nothing is written
    "group.inserted",  # written, and not committed
    "group.committed",  # durable, and nobody was told
    "group.answered",
    "turn.opened",  # the next edition's database is there; from here on puts go into it
    "close.padded",  # the dummies are durable
    "close.written",  # a new file was written, not synced: the edition, then its hash
    "close.synced",  # and synced, under another name
    "close.named",  # both have their names; the folder isn't synced
    "close.durable",
    "wipe.zeroed",  # the database is overwritten
    "wipe.removed",
    "expire.begun",  # an epoch's files are going
    "expire.removed",  # one is gone
    "expire.durable",
)
