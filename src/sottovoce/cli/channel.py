"""What the starter and a worker say to each other, over one inherited socket pair: framed, any number at a time.

A frame is length(4) ‖ word(1) ‖ number(4) ‖ content. An *ask* has a number and gets an answer with the same one; a
*word* has number 0 and gets none. Envelopes, form tokens and visits' ids pass here, and at the start the keys; never
a text or a passphrase.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import cast

import cbor2

from sottovoce.pool.errors import PutResult, Reply, RoadError

_HEAD = struct.Struct(">IBI")
_PUT = struct.Struct(">I16s8192s")
_REPLY = struct.Struct(">BIB")
_RESULTS = tuple(PutResult)
_MOST = 16 << 20  # bytes of a frame: the list of ended visits of half an hour


class Word(IntEnum):
    """What a frame is."""

    ANSWER = 0
    FAILED = 1
    # the worker asks
    PUT = 2
    END = 3
    CLAIM = 4
    SETTLE = 5
    # the worker says
    READY = 10
    DUE = 11
    # the starter says
    SETUP = 20
    ENDED = 21
    DRAIN = 22
    # the starter asks
    PING = 30


class Channel(asyncio.Protocol):
    """One end. `answer` gets asks, `hear` gets words; `lost` is set when the other end is gone."""

    def __init__(
        self,
        answer: Callable[[Word, bytes], Awaitable[bytes]],
        hear: Callable[[Word, bytes], None],
    ) -> None:
        self._answer, self._hear = answer, hear
        self.lost = asyncio.Event()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._buffer = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    @classmethod
    async def open(
        cls,
        end: socket.socket,
        answer: Callable[[Word, bytes], Awaitable[bytes]],
        hear: Callable[[Word, bytes], None],
    ) -> Channel:
        """Begins to listen at one end of a socket pair."""
        loop = asyncio.get_running_loop()
        _, channel = await loop.create_unix_connection(lambda: cls(answer, hear), sock=end)
        return channel

    def say(self, word: Word, content: bytes = b"") -> None:
        """Says a word; nothing happens when nobody is there any more."""
        self._send(word, 0, content)

    async def ask(self, word: Word, content: bytes) -> bytes:
        """Asks; RoadError when the other end can't do it, or is gone."""
        if self.lost.is_set():
            raise RoadError("The server is ending: try again in a minute.")
        number = next(self._numbers) & 0xFFFFFFFF or next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._send(word, number, content)
        try:
            answered: bytes = await answer
            return answered
        finally:
            self._waiting.pop(number, None)

    def close(self) -> None:
        """Ends the connection."""
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one by its methods only

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= _HEAD.size:
            size, word, number = _HEAD.unpack_from(self._buffer, at)
            if size > _MOST:
                self.close()
                return
            start, at_end = at + _HEAD.size, at + _HEAD.size + size
            if at_end > len(self._buffer):
                break
            content = bytes(self._buffer[start:at_end])
            at = at_end
            self._take(Word(word), number, content)
        del self._buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(RoadError("The server is ending: try again in a minute."))

    def _take(self, word: Word, number: int, content: bytes) -> None:
        if word in (Word.ANSWER, Word.FAILED):
            answer = self._waiting.pop(number, None)
            if answer is None or answer.done():  # who asked has gone
                return
            if word is Word.ANSWER:
                answer.set_result(content)
            else:
                answer.set_exception(RoadError("The pool can't be written: look at the disk's room and rights."))
        elif number:
            task = asyncio.get_running_loop().create_task(self._do(word, number, content))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._hear(word, content)

    async def _do(self, word: Word, number: int, content: bytes) -> None:
        try:
            answer = await self._answer(word, content)
        except Exception:  # noqa: BLE001  whatever it was: the other end waits, and is told no more than this
            self._send(Word.FAILED, number, b"")
        else:
            self._send(Word.ANSWER, number, answer)

    def _send(self, word: Word, number: int, content: bytes) -> None:
        if self._transport and not self.lost.is_set():
            self._transport.write(_HEAD.pack(len(content), word, number) + content)


def put_ask(epoch: int, tag: bytes, envelope: bytes) -> bytes:
    """A put's content; `read_put` is the other way."""
    return _PUT.pack(epoch, tag, envelope)


def read_put(content: bytes) -> tuple[int, bytes, bytes]:
    """Epoch, tag and envelope."""
    epoch, tag, envelope = _PUT.unpack(content)
    return epoch, tag, envelope


def put_answer(reply: Reply) -> bytes:
    """A reply's content; `read_reply` is the other way."""
    return _REPLY.pack(_RESULTS.index(reply.result), reply.epoch, reply.hour)


def read_reply(content: bytes) -> Reply:
    """How a put ended."""
    result, epoch, hour = _REPLY.unpack(content)
    return Reply(_RESULTS[result], epoch, hour)


def pack(values: dict[str, object]) -> bytes:
    """What a worker is told at its start."""
    return bytes(cbor2.dumps(values))


def unpack(content: bytes) -> dict[str, object]:
    """The other way."""
    return cast(dict[str, object], cbor2.loads(content))
