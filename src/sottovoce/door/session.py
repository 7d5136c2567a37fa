"""A visit: what its sealed cookie holds, and one-use form tokens.

The server keeps no session. The cookie is sealed with a key that lives in the memory of the server's processes only:
who takes the disk or the cookie alone learns nothing, and a restart of the server ends all visits.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import struct
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sottovoce.pool.errors import PutResult, RoadError
from sottovoce.protocol.words import Passphrase
from sottovoce.source.conversation import Written

from .ledger import IDLE_SECONDS, Claim, Ledger

COOKIE = "s"
_LAYOUT = struct.Struct(">16s8s?BB16sHHQ")
_NO_SIGN = (0xFFFF, 0xFFFF)
_NOTHING = bytes(16)
_NONCE = 12


@dataclass(frozen=True)
class Session:
    """One visit: the passphrase, an id, whether its words were new in this visit, and the two places asked back.

    `sign`: two places in the word lists, once they were reckoned: that costs a page's time.
    """

    phrase: Passphrase
    id: bytes = field(repr=False)
    fresh: bool
    places: tuple[int, int] = (0, 0)  # (0, 0): nothing is asked any more
    after: bytes | None = field(default=None, repr=False)  # the id of the message written last in this visit
    sign: tuple[int, int] | None = field(default=None, repr=False)
    touched: int = 0  # Unix seconds, only inside the sealed cookie

    @property
    def confirmed(self) -> bool:
        """Whether the two words were given, so that writing may begin."""
        return self.places == (0, 0)

    def confirm(self) -> Session:
        """The same visit after the two words were right."""
        return replace(self, places=(0, 0))

    def wrote(self, message_id: bytes | None) -> Session:
        """The same visit after a message; None: which one is not known any more."""
        return replace(self, after=message_id) if message_id else self


class VisitKeys(NamedTuple):
    """The two keys of 32 bytes that all workers of one server share: of cookies, and of forms."""

    cookie: bytes
    token: bytes


class Outcome(NamedTuple):
    """How a form ended: `hour` (UTC) begins the next edition; `message_id` is None where it was stored before."""

    result: PutResult
    hour: int = 0
    message_id: bytes | None = None

    @property
    def safe(self) -> bool:
        """Whether the message is stored."""
        return self.result in (PutResult.STORED, PutResult.KNOWN)


class Visits:
    """Seals and opens cookies and tokens; the ledger remembers which tokens and visits are used up."""

    def __init__(
        self, keys: VisitKeys, ledger: Ledger, now: Callable[[], float], random: Callable[[int], bytes]
    ) -> None:
        """`now` is the real time in Unix seconds: half an hour is half an hour, however fast the protocol's clock."""
        self._aead, self._token_key = ChaCha20Poly1305(keys.cookie), keys.token
        self._ledger, self._now, self._random = ledger, now, random

    def begin(self, phrase: Passphrase, *, fresh: bool) -> Session:
        """A new visit; with fresh words, two different places of 1 to 12 are asked back."""
        first, step = self._random(1)[0] % 12, 1 + self._random(1)[0] % 11
        places = (first + 1, (first + step) % 12 + 1) if fresh else (0, 0)
        return Session(phrase, self._random(8), fresh, (min(places), max(places)))

    def seal(self, session: Session) -> str:
        """The cookie's value, good for half an hour from now; always of the same length."""
        rest = (session.after or _NOTHING, *(session.sign or _NO_SIGN), int(self._now()))
        fields = (session.phrase.secret, session.id, session.fresh, *session.places, *rest)
        nonce = self._random(_NONCE)
        return _text(nonce + self._aead.encrypt(nonce, _LAYOUT.pack(*fields), None))

    def open(self, cookie: str | None) -> Session | None:
        """The visit of a cookie; None without one, or when it is too old, ended, or not ours."""
        raw = _bytes(cookie or "")
        try:
            fields = _LAYOUT.unpack(self._aead.decrypt(raw[:_NONCE], raw[_NONCE:], None))
        except (InvalidTag, ValueError, struct.error):
            return None
        secret, visit, fresh, first, second, after, *sign, touched = fields
        if self._now() - touched > IDLE_SECONDS or self._ledger.ended(visit):
            return None
        reckoned = None if (*sign,) == _NO_SIGN else (sign[0], sign[1])
        known = None if after == _NOTHING else after
        return Session(Passphrase(secret), visit, fresh, (first, second), known, reckoned, touched)

    async def end(self, session: Session) -> None:
        """The visit is over: its cookie opens nothing any more."""
        await self._ledger.end(session.id)

    def token(self, session: Session, form: str) -> str:
        """A token for one use of one form in one visit."""
        nonce = self._random(_NONCE)
        return _text(nonce + self._mac(session, form, nonce))

    def token_is_ours(self, token: str, session: Session, form: str) -> bool:
        """Whether the token was made for this visit's form."""
        raw = _bytes(token)
        return hmac.compare_digest(raw[_NONCE:], self._mac(session, form, raw[:_NONCE]))

    def _mac(self, session: Session, form: str, nonce: bytes) -> bytes:
        return hmac.digest(self._token_key, session.id + form.encode() + nonce, "sha256")[:16]

    async def send_once(
        self, token: str, text: str, write: Callable[[bytes], Coroutine[None, None, Written]]
    ) -> Outcome | None:
        """Sends a form; the same form again with the same text is stored once, with another text it is None.

        `write` gets a seed of 32 bytes that hangs on the token alone: whoever repeats the form, also after the end of
        the worker that had begun with it, makes the same tags. A form that failed may be sent again with any text.
        """
        form = _bytes(token)
        digest = hashlib.blake2b(text.encode(), key=self._token_key, digest_size=32).digest()
        claim = await self._ledger.claim(form, digest)
        if claim is not Claim.FREE:
            return Outcome(PutResult.KNOWN) if claim is Claim.DONE else None
        outcome: Outcome | None = None
        try:
            written = await write(hmac.digest(self._token_key, b"seed" + form, "sha256"))
            outcome = Outcome(written.result, written.hour, written.message_id)
        finally:
            with contextlib.suppress(RoadError):  # then this process is at its end, and the form is free anyway
                await self._ledger.settle(form, done=outcome is not None and outcome.safe)
        return outcome


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
