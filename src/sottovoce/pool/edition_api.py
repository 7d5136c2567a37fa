"""The public routes of editions: their list, and each as a file that never changes (spec 9.7, 9.8)."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from .edition import Listed, size_of
from .editions import Editions

CHUNK = 1 << 15  # read and sent at once; two of them are held for who reads nothing
SEND_SECONDS = 60.0  # who takes no chunk for so long is gone
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)
_TYPE = "application/octet-stream"


def edition_routes(editions: Editions, allow: Callable[[Request], bool]) -> list[Route]:
    """`GET /v1/editions` and `GET /v1/editions/{number}`; `allow` is asked before an edition is sent."""

    async def listing(_: Request) -> Response:
        records = await asyncio.to_thread(editions.listed)
        body = b"".join(each.number.to_bytes(4, "big") + each.count.to_bytes(4, "big") + each.hash for each in records)
        return _answer(200, body, {"Cache-Control": "no-store"})

    async def edition(request: Request) -> Response:
        if not allow(request):
            return _answer(503, b"", {"Cache-Control": "no-store"})
        found = await asyncio.to_thread(editions.open, request.path_params["number"])
        if found is None:
            return _answer(404, b"", {"Cache-Control": "no-store"})
        listed, file = found
        answer = _edition(request, listed, file)
        if not isinstance(answer, Slice):
            file.close()
        return answer

    return [
        Route("/v1/editions", listing, methods=["GET"]),
        Route("/v1/editions/{number:int}", edition, methods=["GET"]),
    ]


def _edition(request: Request, listed: Listed, file: BinaryIO) -> Response:
    size, etag = size_of(listed.count), f'"{listed.hash.hex()}"'
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": etag,
        "Accept-Ranges": "bytes",
    }
    if request.headers.get("if-none-match") in (etag, "*"):
        return _answer(304, b"", headers)
    wanted = request.headers.get("range") if request.headers.get("if-range", etag) == etag else None
    part = _part(wanted, size)
    if part is None:
        return _answer(416, b"", {**headers, "Cache-Control": "no-store", "Content-Range": f"bytes */{size}"})
    start, stop = part
    whole = stop - start == size
    if not whole:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["Content-Length"] = str(stop - start)
    if request.method == "HEAD":
        return _answer(200 if whole else 206, b"", headers)
    return Slice(file, start, stop, 200 if whole else 206, headers)


def _part(wanted: str | None, size: int) -> tuple[int, int] | None:
    """The bytes from start up to stop that a Range header asks for; None: there are none.

    What is no single range of bytes is no Range header for us, as RFC 9110 (14.2) allows: the whole is sent.
    """
    found = _RANGE.fullmatch(wanted.strip()) if wanted else None
    if found is None or not (found[1] or found[2]):
        return 0, size
    if not found[1]:
        start, stop = max(0, size - int(found[2])), size
    else:
        start, stop = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < int(found[1]):
            return 0, size
    return (start, stop) if start < stop else None


class Slice(StreamingResponse):
    """A part of an open file, read as it is sent; closes the file."""

    def __init__(self, file: BinaryIO, start: int, stop: int, status: int, headers: dict[str, str]) -> None:
        super().__init__((), status, {"X-Content-Type-Options": "nosniff", **headers}, _TYPE)
        self._file, self._start, self._stop = file, start, stop

    async def stream_response(self, send: Send) -> None:
        """Sends it; who takes nothing for a minute is left, with the answer unfinished."""
        with self._file, contextlib.suppress(TimeoutError):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            self._file.seek(self._start)
            left = self._stop - self._start
            while left:
                chunk = await asyncio.to_thread(self._file.read, min(left, CHUNK))
                left -= len(chunk)
                if not chunk:  # shorter than when it was opened: not our doing
                    return
                async with asyncio.timeout(SEND_SECONDS):
                    await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})


def _answer(status: int, body: bytes, headers: dict[str, str]) -> Response:
    return Response(body, status, {"X-Content-Type-Options": "nosniff", **headers}, _TYPE)
