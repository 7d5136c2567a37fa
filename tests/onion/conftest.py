"""A real server on a UNIX socket that answers with what it knows of the visitor."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from sottovoce.onion.circuit import CircuitProtocol, LoopbackProtocol

Serve = Callable[..., Any]


async def tell_circuit(
    scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[dict[str, Any]], Any]
) -> None:
    """Read the body, then answer "CLIENT PATH LENGTH"."""
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    client = scope["client"][0] if scope["client"] else "none"
    body = f"{client} {scope['path']} {length}".encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def serving(path: Path, protocol: type[LoopbackProtocol] = CircuitProtocol, app: Any = tell_circuit) -> Iterator[Path]:
    """Serve on the UNIX socket `path` in a thread until the block ends."""
    config = uvicorn.Config(app, uds=str(path), http=protocol, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started
    try:
        yield path
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def serve() -> Serve:
    """The context manager `serving(path, protocol, app)`."""
    return serving
