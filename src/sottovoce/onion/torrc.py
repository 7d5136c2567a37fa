"""What tor is told: pure functions from settings to torrc text (see tor(1))."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import OnionError

CONTROL_SOCKET = "control"
SOCKET_PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path, without its closing zero

# Nothing of a visit may reach a disk: tor speaks only while it starts, into a
# pipe that is then closed, and writes its state as seldom as it can.
_COMMON = (
    "Log warn stdout",
    "SafeLogging 1",
    "AvoidDiskWrites 1",
    "DisableDebuggerAttachment 1",
    "ShutdownWaitLength 0",
    "CookieAuthentication 1",
)


@dataclass(frozen=True)
class OnionSettings:
    """One onion in a tor process of its own.

    folder: tor's data folder; it also holds the control socket and, under `onion`, the keys.
    socket: the UNIX socket of the server behind the onion.
    proof_of_work: tor's defence against floods; the members' onion, closed to others, needs none.
    extra: further torrc lines, as those of a private network.
    """

    folder: Path
    socket: Path
    proof_of_work: bool = True
    extra: Sequence[str] = ()

    @property
    def onion_folder(self) -> Path:
        """Where `OnionKey.install` and `set_authorized_clients` write."""
        return self.folder / "onion"


def onion_torrc(settings: OnionSettings) -> str:
    """The torrc of a process that serves one onion; raises OnionError for a path that tor can't take."""
    return _text(
        *_process(settings.folder),
        "SocksPort 0",
        *_service(settings.onion_folder, settings.socket, settings.proof_of_work),
        *settings.extra,
    )


def client_torrc(folder: Path, socks_port: int | None = None, extra: Sequence[str] = ()) -> str:
    """The torrc of a desk's or visitor's process; without a port, tor takes a free one on loopback."""
    port = "auto" if socks_port is None else str(socks_port)
    # ExtendedErrors tells a missing key from an onion that is not there (proposal 304).
    socks = f"SocksPort 127.0.0.1:{port} IsolateSOCKSAuth ExtendedErrors"
    return _text(*_process(folder), "ClientOnly 1", socks, *extra)


def operator_lines(onion_folder: Path, socket: Path, *, proof_of_work: bool = True) -> str:
    """The lines for a tor that the operator runs, with what to do as comments."""
    return _text(
        f"# Add these lines to your torrc. Tor's user must own {onion_folder} (mode 0700)",
        f"# and be allowed to write to {socket}. Then restart tor, also after each change of members:",
        "# with Sandbox 1 a reload would end it. Keep its log at notice or above, with SafeLogging 1.",
        *_service(onion_folder, socket, proof_of_work),
    )


def _process(folder: Path) -> tuple[str, ...]:
    control = socket_path(folder / CONTROL_SOCKET)
    return (f"DataDirectory {plain(folder)}", f"ControlSocket {control}", "Sandbox 1", *_COMMON)


def _service(onion_folder: Path, socket: Path, proof_of_work: bool) -> tuple[str, ...]:
    return (
        f"HiddenServiceDir {plain(onion_folder)}",
        f"HiddenServicePort 80 unix:{socket_path(socket)}",
        "HiddenServiceExportCircuitID haproxy",
        f"HiddenServicePoWDefensesEnabled {int(proof_of_work)}",
    )


def socket_path(path: Path) -> str:
    """A path that fits into a UNIX socket's address; raises OnionError for a longer one."""
    if len(bytes(path)) > SOCKET_PATH_LIMIT:
        raise OnionError(
            f"The path {path} is longer than a socket's {SOCKET_PATH_LIMIT} bytes: choose a folder with a shorter one."
        )
    return plain(path)


def plain(path: Path) -> str:
    """A path that means itself in a torrc; raises OnionError for any other."""
    text = str(path)
    if not path.is_absolute() or re.search(r"[\s\"'\\#]", text):
        raise OnionError(
            f"Tor can't take the path {text!r}: choose an absolute one without spaces, quotes, backslashes and #."
        )
    return text


def _text(*lines: str) -> str:
    return "\n".join(lines) + "\n"
