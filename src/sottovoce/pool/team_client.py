"""The members' onion from the other end: drafts, notices, keys, the mailbox (spec 9.5, 9.13, 9.15 to 9.21)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from .client import PoolClient
from .errors import RoadError
from .team import ITEM, Notice, PostResult

_RESULTS = {201: PostResult.STORED, 200: PostResult.KNOWN, 409: PostResult.STALE, 503: PostResult.FULL}


class Conflict(RoadError):
    """The server holds something newer: sync first, and decide anew."""


class TeamClient(PoolClient):
    """Calls of the members' onion: the pool's, and these. All raise RoadError when the answer is none."""

    def put_duty(self, raw: bytes) -> None:
        """Hands in a new duty list (spec 9.5); Conflict when the server holds a newer one or refuses this one."""
        self._put("/v1/signed/duty", raw, "duty list")

    def put_notice(self, kind: Notice, raw: bytes) -> None:
        """Hands in a notice of absence or compromise (spec 9.13); Conflict when it is not newer or refused."""
        self._put(f"/v1/signed/{kind}", raw, "notice")

    def draft(self) -> bytes | None:
        """The draft of the next duty list, None if there is none (spec 9.15)."""
        status, raw = self._whole("GET", "/v1/drafts/duty")
        if status not in (200, 404):
            raise RoadError(f"The server answered with {status}: try again, or ask who runs it.")
        return raw if status == 200 else None

    def put_draft(self, raw: bytes) -> bool:
        """Hands in a draft, or a signature more (spec 9.16); True when it is the published duty list now.

        Conflict when another draft was first or the server refuses this one.
        """
        return self._put("/v1/drafts/duty", raw, "draft") == 201

    def transports(self) -> bytes:
        """All transport keys as one answer (spec 9.17), for `trust.transport.read_transports`."""
        return self._get("/v1/transport")

    def put_transport(self, raw: bytes) -> None:
        """Hands in this device's new transport key (spec 9.18); Conflict when it is not newer or refused."""
        self._put("/v1/transport", raw, "transport key")

    def post_item(self, slot: int, transport_hash: bytes, receipt_hash: bytes, item: bytes) -> PostResult:
        """Posts an item for a slot, sealed to the transport key of that hash (spec 9.19)."""
        status, _ = self._whole("POST", "/v1/mailbox", bytes([slot]) + transport_hash + receipt_hash + item)
        if status not in _RESULTS:
            raise RoadError(f"The server answered a post with {status}: try again, or ask who runs it.")
        return _RESULTS[status]

    def items(self, slot: int) -> list[bytes]:
        """At most 64 items of a slot, in an order that says nothing (spec 9.20); acknowledge them, and ask again."""
        raw = self._get(f"/v1/mailbox/{slot}")
        if len(raw) % ITEM:
            raise RoadError("What the server sent of the mailbox is cut: try again.")
        return [raw[at : at + ITEM] for at in range(0, len(raw), ITEM)]

    def acknowledge(self, receipts: Sequence[bytes]) -> None:
        """Deletes the items whose receipts these are, 1 to 64 (spec 9.21)."""
        status, _ = self._whole("DELETE", "/v1/mailbox", b"".join(receipts))
        if status != 200:
            raise RoadError(f"The server answered an acknowledgement with {status}: try again, or ask who runs it.")

    def _put(self, path: str, raw: bytes, what: str) -> int:
        status, reason = self._whole("PUT", path, raw)
        if status == 409:
            raise Conflict(f"The server refused the {what}: {reason[:200].decode(errors='replace')}")
        if status not in (201, 202):
            raise RoadError(f"The server answered with {status}: try again, or ask who runs it.")
        return status


def receipt_hash(receipt: bytes) -> bytes:
    """What a post names in the receipt's place: who can show the receipt may delete the item (spec 9.19)."""
    return sha256(receipt).digest()
