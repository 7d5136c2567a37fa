"""One real `tor` process: started, watched, ended with us.

Tor belongs to its control connection (TAKEOWNERSHIP): when our process ends, however it ends, so does tor. It is
also ended over that connection: with Sandbox 1, tor may start with SIGTERM blocked (seen with 0.4.9).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from .control import Control
from .errors import OnionError
from .keys import ClientKey, authorized_client, private_folder, write_private
from .torrc import CONTROL_SOCKET

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds between two restarts of a tor that keeps dying
_CONTROL_TIMEOUT = 20.0  # tor waits 5 s itself when an earlier one still holds the folder


class Tor:
    """A tor process with its own folder; a context manager that starts and stops it."""

    def __init__(self, folder: Path, torrc: str, tor: str = "tor") -> None:
        """Describe it; nothing starts yet. `folder` is the torrc's DataDirectory."""
        self.folder = folder
        self._torrc = torrc
        self._program = tor
        self._process: subprocess.Popen[bytes] | None = None
        self._control: Control | None = None
        self._client_keys: dict[str, ClientKey] = {}
        self._pause = _FIRST_PAUSE
        self._not_before = 0.0

    def start(self, on_progress: Callable[[int], None] | None = None, timeout: float = 180.0) -> None:
        """Start and wait until tor can use its network; `on_progress` gets percents.

        Raises OnionError when the program is missing, ends at once, or needs more than `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        self.launch()
        shown = -1
        while (percent := self.control.bootstrap()) < 100:
            if on_progress and percent != shown:
                on_progress(percent)
            shown = percent
            if time.monotonic() > deadline:
                self.stop()
                raise OnionError(f"Tor came no further than {percent} %: check this machine's network and clock.")
            time.sleep(0.05)
        if on_progress:
            on_progress(100)

    def launch(self) -> None:
        """Start and wait only for the control connection; `start` without the network."""
        if self.alive():
            raise OnionError("This tor runs already: stop it first.")
        self._discard()
        self._process = self._spawn()
        try:
            self._control = self._connect(self._process)
            self._take_over(self._control)
        except BaseException:
            self._discard()
            raise

    def _spawn(self) -> subprocess.Popen[bytes]:
        if shutil.which(self._program) is None:
            raise OnionError(f"The program {self._program} is missing: install tor 0.4.8 or later.")
        private_folder(self.folder)
        torrc, defaults = self.folder / "torrc", self.folder / "torrc-defaults"
        write_private(torrc, self._torrc.encode())
        write_private(defaults, b"")  # keeps the machine's own configuration out
        (self.folder / CONTROL_SOCKET).unlink(missing_ok=True)
        files = ["-f", str(torrc), "--defaults-torrc", str(defaults)]
        return subprocess.Popen(  # noqa: S603  # our own words only
            [self._program, "--hush", *files, "--__OwningControllerProcess", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a terminal's Ctrl-C is for us; we then stop tor
        )

    def _connect(self, process: subprocess.Popen[bytes]) -> Control:
        deadline = time.monotonic() + _CONTROL_TIMEOUT
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, OnionError):
                return Control(self.folder, self.folder / CONTROL_SOCKET)
            if process.poll() is not None:
                raise OnionError(_why_ended(process.communicate()[0].decode("utf-8", "replace"), self.folder))
            time.sleep(0.02)
        raise OnionError("Tor started but did not answer: try again, and look at the load of this machine.")

    def _take_over(self, control: Control) -> None:
        if self._process and self._process.stdout:
            self._process.stdout.close()  # what tor says from now on goes nowhere
        control.command("TAKEOWNERSHIP")
        if "HiddenServiceDir" in self._torrc:
            # Before tor knows any relay, so no upload can be missed.
            control.command("SETEVENTS HS_DESC")
        for address, key in self._client_keys.items():
            control.add_client_key(address, key.private_base64)

    @property
    def control(self) -> Control:
        """The control connection; raises OnionError when tor doesn't run."""
        if self._control is None:
            raise OnionError("Tor doesn't run: start it first.")
        return self._control

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        return self._process.pid if self._process and self.alive() else None

    @property
    def socks_port(self) -> int:
        """The loopback port on which a client's tor takes SOCKS connections."""
        listener = self.control.getinfo("net/listeners/socks").split()
        if not listener:
            raise OnionError("This tor has no SOCKS port: use a client's torrc.")
        return int(listener[0].strip('"').rpartition(":")[2])

    def add_client_key(self, onion_address: str, private: ClientKey) -> None:
        """Open an onion with client authorisation; the key stays in memory and survives a restart."""
        self._client_keys[onion_address] = private
        self.control.add_client_key(onion_address, private.private_base64)

    def wait_published(self, timeout: float = 120.0) -> None:
        """Wait until visitors can find the onion; raises OnionError after `timeout` seconds."""
        self.control.wait_published(timeout)

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def check(self) -> bool:
        """Bring a tor that ended back, with growing pauses; whether it runs now.

        Call it every few seconds while tor is wanted, from one thread. It may block for some seconds, so an
        event loop calls it in a thread. It doesn't wait for the network.
        """
        now = time.monotonic()
        if self.alive():
            if now > self._not_before:
                self._pause = _FIRST_PAUSE
            with contextlib.suppress(OnionError):
                self.control.bootstrap()  # takes the events that wait on the connection
            return True
        if now < self._not_before:
            return False
        self._not_before = now + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        with contextlib.suppress(OnionError):
            self.launch()
        return self.alive()

    def restart(self, timeout: float = 180.0) -> None:
        """Stop and start: how a change of members takes effect."""
        self.stop()
        self.start(timeout=timeout)

    def stop(self) -> None:
        """End tor, at the latest after 5 seconds; nothing happens when it doesn't run."""
        if self._control and self.alive():
            with contextlib.suppress(OnionError):
                self._control.command("SIGNAL HALT")
        self._discard(patience=5.0)

    def _discard(self, patience: float = 0.0) -> None:
        control, process = self._control, self._process
        self._control = self._process = None
        if control:
            control.close()
        if process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()

    def __enter__(self) -> Tor:
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()


def set_authorized_clients(hs_folder: Path, publics: Mapping[str, bytes]) -> None:
    """Say whose 32-byte X25519 keys open an onion; restart its tor, and no other, for it to take effect.

    Without any file tor would let everybody in, so an empty mapping raises OnionError, and new files are written
    before old ones go.
    """
    if not publics:
        raise OnionError("The members' onion would be open to all: name at least one member's key, or stop it.")
    if not all(name.isascii() and name.replace("-", "").isalnum() for name in publics):
        raise OnionError("A client's name may have letters, digits and hyphens only: choose another.")
    private_folder(hs_folder)
    folder = hs_folder / "authorized_clients"
    private_folder(folder)
    for name, public in publics.items():
        write_private(folder / f"{name}.auth", f"{authorized_client(public)}\n".encode())
    for path in folder.iterdir():
        if path.name.removesuffix(".auth") not in publics:
            path.unlink()


def _why_ended(output: str, folder: Path) -> str:
    if "Address already in use" in output:
        return "A port that tor should take is in use: end the other program or choose another port."
    if "same data directory" in output or "another Tor process" in output:
        return f"Another tor uses {folder}: end it first."
    complaints = [line.partition("] ")[2] for line in output.splitlines() if "[warn]" in line or "[err]" in line]
    detail = next((line for line in reversed(complaints) if not line.startswith("Reading config failed")), "no reason")
    return f"Tor ended at once and said: {detail.rstrip('.')}; correct this and start it again."
