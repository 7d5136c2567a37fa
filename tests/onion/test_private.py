"""The whole road over a private Tor network: real processes, real circuits, loopback only."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from sottovoce.onion.errors import OnionError
from sottovoce.onion.keys import ClientKey, OnionKey
from sottovoce.onion.socks import connect, fresh_isolation
from sottovoce.onion.tor import Tor, set_authorized_clients
from sottovoce.onion.torrc import OnionSettings, client_torrc, onion_torrc

DOOR, MEMBERS = OnionKey.from_seed(b"d" * 32), OnionKey.from_seed(b"m" * 32)
FIRST, SECOND = ClientKey(b"1" * 32), ClientKey(b"2" * 32)


@dataclass
class Road:
    folder: Path
    door: Tor
    members: Tor
    visitor: Tor

    def get(self, address: str, isolation: str, within: float = 20.0) -> str:
        """The circuit that the server saw; tries again until `within` seconds are over."""
        deadline = time.monotonic() + within
        while True:
            try:
                return get(self.visitor, address, isolation)
            except OnionError:
                if time.monotonic() > deadline:
                    raise


def get(visitor: Tor, address: str, isolation: str) -> str:
    with connect(visitor.socks_port, address, isolation=isolation, timeout=15) as stream:
        stream.sendall(f"GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        data = b""
        while piece := stream.recv(65536):
            data += piece
    body = data.partition(b"\r\n\r\n")[2].decode()
    found = re.fullmatch(r"(fc00:dead:beef:4dad::[0-9a-f]+:[0-9a-f]+) / 0", body)
    assert found, body
    return found[1]


def service(folder: Path, key: OnionKey, network: list[str], *, proof_of_work: bool) -> tuple[Tor, OnionSettings]:
    settings = OnionSettings(folder, folder.with_suffix(".sock"), proof_of_work, network)
    key.install(settings.onion_folder)
    return Tor(folder, onion_torrc(settings)), settings


@pytest.fixture(scope="module")
def road(
    private_network: list[str],
    serve: Callable[..., AbstractContextManager[Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Road]:
    folder = tmp_path_factory.mktemp("road")
    door, door_settings = service(folder / "door", DOOR, private_network, proof_of_work=True)
    members, settings = service(folder / "members", MEMBERS, private_network, proof_of_work=False)
    set_authorized_clients(settings.onion_folder, {"slot-0": FIRST.public})
    visitor = Tor(folder / "visitor", client_torrc(folder / "visitor", extra=private_network))
    with ExitStack() as stack:
        for each in (door_settings, settings):
            stack.enter_context(serve(each.socket))
        for tor in (door, members, visitor):
            stack.enter_context(tor)
        door.wait_published(30)
        members.wait_published(30)
        yield Road(folder, door, members, visitor)


def test_same_isolation_is_the_same_circuit_and_another_is_another(road: Road) -> None:
    one, other = fresh_isolation(b"1" * 16), fresh_isolation(b"2" * 16)
    circuit = road.get(DOOR.address, one)
    assert get(road.visitor, DOOR.address, one) == circuit
    assert get(road.visitor, DOOR.address, other) != circuit


def test_proof_of_work_is_on_and_the_sandbox_too(road: Road) -> None:
    assert "HiddenServicePoWDefensesEnabled=1" in "\n".join(road.door.control.command("GETCONF HiddenServiceOptions"))
    for tor in (road.door, road.members, road.visitor):
        status = Path(f"/proc/{tor.pid}/status").read_text()
        assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)


def test_members_onion_opens_with_a_key_only_and_a_change_restarts_only_its_tor(road: Road) -> None:
    with pytest.raises(OnionError, match="wants a member's key"):
        get(road.visitor, MEMBERS.address, "member")
    road.visitor.add_client_key(MEMBERS.address, FIRST)
    assert road.get(MEMBERS.address, "member")

    door, before = road.door.pid, road.members.pid
    set_authorized_clients(road.members.folder / "onion", {"slot-0": SECOND.public})
    road.members.restart()
    road.members.wait_published(30)
    assert road.door.pid == door
    assert road.members.pid != before

    road.visitor.restart()  # forgets the descriptor, and brings the old key along
    with pytest.raises(OnionError, match="does not know this member's key"):
        get(road.visitor, MEMBERS.address, "member")
    road.visitor.add_client_key(MEMBERS.address, SECOND)
    assert road.get(MEMBERS.address, "member")


def test_mistyped_address_is_one_sentence(road: Road) -> None:
    with pytest.raises(OnionError, match="compare it letter by letter"):
        get(road.visitor, "a" * 56 + ".onion", "typo")


def test_killed_door_is_brought_back(road: Road) -> None:
    killed = road.door.pid
    assert killed
    os.kill(killed, signal.SIGKILL)
    while road.door.alive():
        time.sleep(0.01)
    assert road.door.check()
    assert road.door.pid != killed
    road.door.wait_published(30)
    assert road.get(DOOR.address, "after", within=40)


def test_no_circuit_reaches_the_services_folders(road: Road) -> None:
    circuit = road.get(DOOR.address, "trace").encode()
    road.door.restart()  # tor writes its state when it ends
    for folder in (road.door.folder, road.members.folder):
        for path in folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert circuit not in content, path
                assert b"dead:beef" not in content, path
                assert path.stat().st_mode & 0o077 == 0, path
