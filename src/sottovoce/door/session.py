"""A visit: what its sealed cookie holds, one-use form tokens, and what was already sent.

The server keeps no session. The cookie is sealed with a key that lives in this process's
memory only: who takes the disk or the cookie alone learns nothing, and a restart ends all visits.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sottovoce.pool.errors import PutResult
from sottovoce.protocol.words import Passphrase

IDLE_SECONDS = 1_800  # long enough to write by hand what one has to say; short enough for a tablet left behind
COOKIE = "s"
_LAYOUT = struct.Struct(">16s8s?BBQ")
_NONCE = 12


@dataclass(frozen=True)
class Session:
    """One visit: the passphrase, an id, whether its words were new in this visit, and the two places asked back."""

    phrase: Passphrase
    id: bytes = field(repr=False)
    fresh: bool
    places: tuple[int, int] = (0, 0)  # (0, 0): nothing is asked any more
    touched: int = 0  # Unix seconds, only inside the sealed cookie

    @property
    def confirmed(self) -> bool:
        """Whether the two words were given, so that writing may begin."""
        return self.places == (0, 0)

    def confirm(self) -> Session:
        """The same visit after the two words were right."""
        return replace(self, places=(0, 0))


@dataclass
class _Sent:
    digest: bytes
    result: asyncio.Task[PutResult]
    until: float


class Visits:
    """Seals and opens cookies and tokens; remembers for half an hour which tokens and visits are used up."""

    def __init__(self, now: Callable[[], float], random: Callable[[int], bytes]) -> None:
        self._now, self._random = now, random
        self._aead = ChaCha20Poly1305(random(32))
        self._token_key = random(32)
        self._ended: dict[bytes, float] = {}
        self._sent: dict[bytes, _Sent] = {}
        self._next_forgetting = 0.0

    def begin(self, phrase: Passphrase, *, fresh: bool) -> Session:
        """A new visit; with fresh words, two different places of 1 to 12 are asked back."""
        first, step = self._random(1)[0] % 12, 1 + self._random(1)[0] % 11
        places = (first + 1, (first + step) % 12 + 1) if fresh else (0, 0)
        return Session(phrase, self._random(8), fresh, (min(places), max(places)))

    def seal(self, session: Session) -> str:
        """The cookie's value, good for half an hour from now."""
        fields = (session.phrase.secret, session.id, session.fresh, *session.places, int(self._now()))
        nonce = self._random(_NONCE)
        return _text(nonce + self._aead.encrypt(nonce, _LAYOUT.pack(*fields), None))

    def open(self, cookie: str | None) -> Session | None:
        """The visit of a cookie; None without one, or when it is too old, ended, or not ours."""
        raw = _bytes(cookie or "")
        try:
            fields = _LAYOUT.unpack(self._aead.decrypt(raw[:_NONCE], raw[_NONCE:], None))
        except (InvalidTag, ValueError, struct.error):
            return None
        secret, visit, fresh, first, second, touched = fields
        if self._now() - touched > IDLE_SECONDS or visit in self._ended:
            return None
        return Session(Passphrase(secret), visit, fresh, (first, second), touched)

    def end(self, session: Session) -> None:
        """The visit is over: its cookie opens nothing any more."""
        self._forget()
        self._ended[session.id] = self._now() + IDLE_SECONDS + 1

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
        self, token: str, text: str, put: Callable[[], Coroutine[None, None, PutResult]]
    ) -> PutResult | None:
        """Runs `put` at most once a token; the same form again gets the same result, another text None.

        A put that failed frees its token, so that trying again is possible.
        """
        digest = hashlib.blake2b(text.encode(), key=self._token_key).digest()
        key = _bytes(token)
        self._forget()
        if (sent := self._sent.get(key)) is None:
            sent = self._sent[key] = _Sent(digest, asyncio.create_task(put()), self._now() + IDLE_SECONDS + 1)
        elif sent.digest != digest:
            return None
        try:
            result = await asyncio.shield(sent.result)
        except Exception:
            self._sent.pop(key, None)
            raise
        if result not in (PutResult.STORED, PutResult.KNOWN):
            self._sent.pop(key, None)
        return result

    def _forget(self) -> None:
        now = self._now()
        if now < self._next_forgetting:
            return
        self._next_forgetting = now + 60  # a walk over all a minute, not at every post
        self._ended = {visit: until for visit, until in self._ended.items() if until > now}
        self._sent = {key: sent for key, sent in self._sent.items() if sent.until > now}


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
