"""Connections through a client's tor (SOCKS5, names resolved by Tor)."""

from __future__ import annotations

import re
import socket

from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType
from python_socks.sync import Proxy

from .errors import OnionError

# Proposal 304; the library knows no names for these codes and gives them in its text only.
_FINAL = {
    "F1": "what is published under it is broken; tell the organisation",
    "F4": "it wants a member's key; give tor that key first",
    "F5": "it does not know this member's key; ask the office",
    "F6": "its address is mistyped; compare it letter by letter",
}
_PASSING = {
    "F0": "it is not published now; check the address, or try again later",
    "F2": "it does not answer now; try again later",
    "F3": "it does not answer now; try again later",
    "F7": "it does not answer now; try again later",
}
_FIRST = 30.0  # seconds for the first way: one circuit that hangs shall not fail a whole sync


class _Passing(OnionError):
    """Another circuit may do better."""


def connect(
    socks_port: int, host: str, port: int = 80, isolation: str | None = None, timeout: float = 60.0
) -> socket.socket:
    """A stream to an onion; another `isolation` text is another circuit, never shared with the first.

    When the first way fails for a reason that may pass, a second is tried, on a circuit that is not shared either.
    `timeout` in seconds is for one way, and stays on the socket. Raises OnionError.
    """
    try:
        stream = _connect(socks_port, host, port, isolation, min(_FIRST, timeout))
    except _Passing:
        stream = _connect(socks_port, host, port, isolation and f"{isolation}-again", timeout)
    stream.settimeout(timeout)
    return stream


def _connect(socks_port: int, host: str, port: int, isolation: str | None, timeout: float) -> socket.socket:
    # IsolateSOCKSAuth compares user name and password; tor checks neither.
    proxy = Proxy(ProxyType.SOCKS5, "127.0.0.1", socks_port, isolation, isolation, rdns=True)
    try:
        return proxy.connect(host, port, timeout=timeout)
    except ProxyConnectionError:
        raise OnionError("Tor is not there: start it, or check the SOCKS port.") from None
    except ProxyTimeoutError:
        raise _Passing("The onion can't be reached over Tor: it did not answer in time; try again later.") from None
    except (ProxyError, OSError) as error:
        raise _failed(str(error)) from None


def fresh_isolation(random: bytes) -> str:
    """A text for `connect` made of random bytes; 16 of them never meet again."""
    return random.hex()


def _failed(text: str) -> OnionError:
    found = re.search(r"0X(F[0-7])", text, re.IGNORECASE)
    code = found[1].upper() if found else ""
    if code in _FINAL:
        return OnionError(f"The onion can't be reached over Tor: {_FINAL[code]}.")
    reason = _PASSING.get(code, "tor found no way to it; try again later")
    return _Passing(f"The onion can't be reached over Tor: {reason}.")
