"""A private Tor network on loopback, for tests and the demo: three authorities and four relays of the real tor.

Nothing leaves 127.0.0.1, and no public relay is ever asked. The nodes end with our process.
"""

from __future__ import annotations

import contextlib
import random
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from .errors import OnionError
from .keys import private_folder
from .tor import Tor
from .torrc import CONTROL_SOCKET, plain, socket_path

_HOST = "127.0.0.1"
_AUTHORITIES, _RELAYS = 3, 4
_SECONDS = 60.0  # for one attempt; 15 to 39 were measured
# Below Linux' ephemeral range (32768-60999): no outgoing connection of one node takes another's port.
_PORTS = range(20_000, 32_000)
_NOBODY = f"DirAuthority none {_HOST}:1 {'F' * 40}"  # stands in while the real authorities have no keys yet


@dataclass
class _Node:
    name: str
    folder: Path
    or_port: int
    dir_port: int  # 0: a relay
    fingerprint: str = ""
    authority_line: str = ""

    @property
    def lines(self) -> list[str]:
        return [
            "TestingTorNetwork 1",
            f"DataDirectory {plain(self.folder)}",
            f"Nickname {self.name}",
            f"Address {_HOST}",
            f"ORPort {_HOST}:{self.or_port}",
        ]


class PrivateNetwork:
    """A network in one folder; a context manager that starts it, and ends it and deletes its files."""

    def __init__(self, folder: Path, on_progress: Callable[[str], None] | None = None, tor: str = "tor") -> None:
        """Describe it; `folder` is emptied at the start and `on_progress` gets sentences."""
        self._folder = folder
        self._say = on_progress or (lambda _: None)
        self._program = tor
        self._nodes: list[_Node] = []
        self._processes: list[Tor] = []

    def client_lines(self) -> list[str]:
        """The torrc lines of every further tor of this network, services and visitors alike."""
        authorities = [node.authority_line for node in self._nodes if node.dir_port]
        return [
            "TestingTorNetwork 1",
            *authorities,
            # Few relays: tor must not insist on most of their bandwidth.
            "PathsNeededToBuildCircuits 0.25",
            # After a hundred circuits on loopback tor would give up each that takes longer than some 50 ms: on a busy
            # machine, nearly all, for half a minute and more.
            "LearnCircuitBuildTimeout 0",
            "CircuitBuildTimeout 10",
        ]

    def start(self) -> None:
        """Bring it up, trying twice; raises OnionError."""
        try:
            self._attempt()
        except OnionError as error:
            self._say(f"The private Tor network did not come up, once more: {error}")
            self._attempt()

    def stop(self) -> None:
        """End every node and delete the files."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(Tor.stop, self._processes))
        self._processes = []
        for node in self._nodes:
            shutil.rmtree(node.folder, ignore_errors=True)
        self._bandwidths.unlink(missing_ok=True)

    def _attempt(self) -> None:
        try:
            self._say("Making the keys of the private Tor network.")
            self._lay_out()
            with ThreadPoolExecutor() as pool:
                list(pool.map(self._make_keys, self._nodes))
            self._write_bandwidths()
            self._say("Starting three authorities and four relays.")
            self._processes = [Tor(node.folder, self._torrc(node), self._program) for node in self._nodes]
            with ThreadPoolExecutor() as pool:
                list(pool.map(Tor.launch, self._processes))
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _lay_out(self) -> None:
        private_folder(self._folder)
        ports = iter(_free_ports(_AUTHORITIES * 2 + _RELAYS))
        names = [f"authority{i}" for i in range(_AUTHORITIES)] + [f"relay{i}" for i in range(_RELAYS)]
        self._nodes = [
            _Node(name, self._folder / name, next(ports), next(ports) if name.startswith("authority") else 0)
            for name in names
        ]
        for node in self._nodes:
            shutil.rmtree(node.folder, ignore_errors=True)
            private_folder(node.folder)

    def _make_keys(self, node: _Node) -> None:
        """Have a node's long-term keys made, before any node starts."""
        ident = _authority_keys(node) if node.dir_port else ""
        torrc = node.folder / "torrc"
        torrc.write_text("\n".join([*node.lines, _NOBODY]) + "\n")
        defaults = node.folder / "torrc-defaults"
        defaults.touch()
        _run([self._program, "-f", str(torrc), "--defaults-torrc", str(defaults), "--quiet", "--list-fingerprint"])
        node.fingerprint = _find(node.folder / "fingerprint", r"\b([0-9A-F]{40})\b")
        node.authority_line = (
            f"DirAuthority {node.name} orport={node.or_port} v3ident={ident} {_HOST}:{node.dir_port} {node.fingerprint}"
        )

    @property
    def _bandwidths(self) -> Path:
        return self._folder / "bandwidths"

    def _write_bandwidths(self) -> None:
        """Pretend that all were measured and found alike.

        Unmeasured, one relay above 0 by chance would be chosen for every hop, and no circuit built. Tor heeds
        measurements only when three authorities vote them, and none of authorities: circuits run over the four
        relays, which is what an onion needs.
        """
        measured = [f"node_id=${node.fingerprint} bw=10000" for node in self._nodes]
        self._bandwidths.write_text("\n".join([str(int(time.time())), *measured]) + "\n")

    def _torrc(self, node: _Node) -> str:
        control = socket_path(node.folder / CONTROL_SOCKET)
        lines = [
            *node.lines,
            *self.client_lines(),
            "Log warn stdout",
            f"ControlSocket {control}",
            "CookieAuthentication 1",
            "ShutdownWaitLength 0",
            "SocksPort 0",
            "AssumeReachable 1",
            "ExitRelay 0",
        ]
        if node.dir_port:
            lines += self._authority_lines(node)
        return "\n".join(dict.fromkeys(lines)) + "\n"

    def _authority_lines(self, node: _Node) -> list[str]:
        relays = ",".join(f"${relay.fingerprint}" for relay in self._nodes if not relay.dir_port)
        return [
            f"DirPort {_HOST}:{node.dir_port}",
            "AuthoritativeDirectory 1",
            "V3AuthoritativeDirectory 1",
            f"ContactInfo {node.name}@test.invalid",
            # The first consensuses come every 5 s, the shortest that tor allows, then every 20.
            "TestingV3AuthInitialVotingInterval 5",
            "TestingV3AuthInitialVoteDelay 2",
            "TestingV3AuthInitialDistDelay 2",
            "V3AuthVotingInterval 20",
            "V3AuthVoteDelay 2",
            "V3AuthDistDelay 2",
            "V3AuthNIntervalsValid 10",
            f"V3BandwidthsFile {plain(self._bandwidths)}",
            # There is no uptime with which to earn flags. Not for authorities: their descriptors reach one
            # another early or late by chance, which would move the onions' directories.
            f"TestingDirAuthVoteGuard {relays}",
            "TestingDirAuthVoteGuardIsStrict 1",
            f"TestingDirAuthVoteHSDir {relays}",
            "TestingDirAuthVoteHSDirIsStrict 1",
            "TestingMinFastFlagThreshold 0",
            # Else a chance few are Stable, and each is wanted for every hop.
            "AuthDirVoteStableGuaranteeMinUptime 0",
            "AuthDirVoteStableGuaranteeMTBF 0",
        ]

    def _wait(self) -> None:
        """Wait until every node knows every relay: who joins earlier picks guards from too few, and gets stuck."""
        deadline = time.monotonic() + _SECONDS
        waiting = list(self._processes)
        while waiting:
            waiting = [tor for tor in waiting if _relays_known(tor) < _RELAYS]
            if time.monotonic() > deadline:
                raise OnionError("The private Tor network found no consensus in time: try again with less load.")
            time.sleep(0.1)

    def __enter__(self) -> PrivateNetwork:
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()


def _relays_known(tor: Tor) -> int:
    seen = re.findall(r"^r relay\d+ .*\ns (.*)$", tor.control.getinfo("ns/all"), re.MULTILINE)
    return sum("Running" in flags and "HSDir" in flags for flags in seen)


def _authority_keys(node: _Node) -> str:
    """Make an authority's certificate; its fingerprint."""
    keys = node.folder / "keys"
    private_folder(keys)
    files = {"-i": "authority_identity_key", "-s": "authority_signing_key", "-c": "authority_certificate"}
    named = [word for flag, name in files.items() for word in (flag, str(keys / name))]
    making = ["tor-gencert", "--create-identity-key", "--passphrase-fd", "0", "-m", "12"]
    _run([*making, "-a", f"{_HOST}:{node.dir_port}", *named], stdin=b"private-test-network\n")
    return _find(keys / "authority_certificate", "^fingerprint (.*)$")


def _run(command: list[str], stdin: bytes = b"") -> None:
    if shutil.which(command[0]) is None:
        raise OnionError(f"The program {command[0]} is missing: install tor 0.4.8 or later.")
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)  # noqa: S603  # our own words only
    if done.returncode:
        raise OnionError(f"{command[0]} could not make the private network's keys: try again in an empty folder.")


def _find(path: Path, pattern: str) -> str:
    found = re.search(pattern, path.read_text(), re.MULTILINE)
    if not found:
        raise OnionError(f"{path} holds no fingerprint: try again in an empty folder.")
    return found[1]


def _free_ports(count: int) -> list[int]:
    """Distinct TCP ports that are free on loopback right now."""
    chosen: list[int] = []
    with contextlib.ExitStack() as held:
        for port in random.sample(_PORTS, len(_PORTS)):
            if len(chosen) == count:
                return chosen
            with contextlib.suppress(OSError):
                held.enter_context(socket.socket()).bind((_HOST, port))
                chosen.append(port)
    raise OnionError("There are not enough free ports on this machine: end what listens on ports 20000 to 31999.")
