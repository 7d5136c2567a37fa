"""A control connection to one tor of ours, over its UNIX socket (control-spec)."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path
from types import TracebackType

from .errors import OnionError

_LINE_LIMIT = 1 << 20  # the longest line that tor sends here is far below


class Uploads:
    """Which of the onion's descriptors reached which directory, told by HS_DESC events."""

    def __init__(self) -> None:
        self._descriptors: set[str] = set()
        self._pending: dict[str, set[str]] = {}  # by directory: tor says who stored, but not which descriptor
        self._stored = False

    def take(self, event: str) -> None:
        """Count one event: "HS_DESC ACTION ADDRESS AUTH DIRECTORY DESCRIPTOR …", UPLOADED without the last."""
        words = event.split()
        if len(words) < 5 or words[0] != "HS_DESC":
            return
        pending = self._pending.setdefault(words[4], set())
        if words[1] == "UPLOAD":
            self._descriptors.add(words[5])
            pending.add(words[5])
        elif words[1] in ("UPLOADED", "FAILED") and pending:
            pending.pop()
            self._stored |= words[1] == "UPLOADED"

    @property
    def done(self) -> bool:
        """An onion has two descriptors, of this and the next period; a visitor may ask for either."""
        return len(self._descriptors) >= 2 and self._stored and not any(self._pending.values())


class Control:
    """One connection, authenticated with the cookie; not for use by two threads at once."""

    def __init__(self, folder: Path, path: Path, timeout: float = 10.0) -> None:
        """Connect; raises OSError while tor isn't ready, OnionError when it refuses the cookie."""
        self.uploads = Uploads()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        self._file = self._socket.makefile("rb")
        try:
            self._socket.connect(str(path))
            self.command(f"AUTHENTICATE {(folder / 'control_auth_cookie').read_bytes().hex()}")
        except BaseException:
            self.close()
            raise

    def command(self, line: str) -> list[str]:
        """Send one command; return the reply's lines without their codes.

        Raises OnionError for a refusal; its text never repeats the command's arguments.
        """
        try:
            self._socket.sendall(line.encode() + b"\r\n")
            return self._reply(line.split(maxsplit=1)[0])
        except OSError:
            raise OnionError("Tor no longer answers: start it again.") from None

    def _reply(self, command: str) -> list[str]:
        reply: list[str] = []
        while True:
            code, separator, text = self._line()
            if code == "650":
                self.uploads.take(text)
                continue
            reply.append(text)
            if separator == "+":
                reply += self._data()
            elif separator == " ":
                if not code.startswith("2"):
                    raise OnionError(f"Tor refused {command} ({code}): check that tor is version 0.4.8 or later.")
                return reply

    def _line(self) -> tuple[str, str, str]:
        raw = self._file.readline(_LINE_LIMIT).decode("utf-8", "replace").rstrip("\r\n")
        if len(raw) < 4:
            raise OSError("closed")
        return raw[:3], raw[3], raw[4:]

    def _data(self) -> list[str]:
        lines = []
        while (line := self._file.readline(_LINE_LIMIT).decode("utf-8", "replace").rstrip("\r\n")) != ".":
            lines.append(line)
        return lines

    def getinfo(self, key: str) -> str:
        """The value of one GETINFO key, several lines joined by newlines."""
        return "\n".join(self.command(f"GETINFO {key}")[:-1]).partition("=")[2].lstrip("\n")

    def bootstrap(self) -> int:
        """How far tor has come in joining the network, in percent."""
        found = re.search(r"PROGRESS=(\d+)", self.getinfo("status/bootstrap-phase"))
        return int(found[1]) if found else 0

    def add_client_key(self, address: str, private_base64: str) -> None:
        """Let this tor open an onion, until it ends: without the Permanent flag nothing is written."""
        self.command(f"ONION_CLIENT_AUTH_ADD {address.removesuffix('.onion')} x25519:{private_base64}")

    def wait_published(self, timeout: float) -> None:
        """Wait until directories hold all descriptors; raises OnionError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not self.uploads.done:
            if time.monotonic() > deadline:
                raise OnionError("The onion was not published in time: check this machine's network and clock.")
            time.sleep(0.05)
            self.bootstrap()  # any reply brings the waiting events along

    def close(self) -> None:
        """Close; a tor that this connection owns then ends."""
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()
