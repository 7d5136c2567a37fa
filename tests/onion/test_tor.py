"""The tor process itself, without a network to join."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sottovoce.onion.control import Uploads
from sottovoce.onion.errors import OnionError
from sottovoce.onion.keys import ClientKey, OnionKey, authorized_client
from sottovoce.onion.socks import connect
from sottovoce.onion.tor import Tor, set_authorized_clients
from sottovoce.onion.torrc import OnionSettings, client_torrc, onion_torrc

# The only authority that this tor knows is nobody, on loopback.
NOWHERE = ["TestingTorNetwork 1", f"DirAuthority none 127.0.0.1:1 {'F' * 40}"]


def client(folder: Path, port: int | None = None) -> Tor:
    return Tor(folder, client_torrc(folder, port, NOWHERE))


def test_missing_program_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OnionError, match="no-such-tor is missing: install tor"):
        Tor(tmp_path, client_torrc(tmp_path), "no-such-tor").launch()


def test_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OnionError, match="in use: end the other program or choose another port"):
            client(tmp_path, taken.getsockname()[1]).launch()


def test_tor_that_ends_at_once_tells_why(tmp_path: Path) -> None:
    with pytest.raises(OnionError, match=r"Tor ended at once and said: .*Nonsense"):
        Tor(tmp_path, client_torrc(tmp_path, extra=[*NOWHERE, "Nonsense 1"])).launch()


def test_no_network_in_time_is_one_sentence_and_ends_tor(tmp_path: Path) -> None:
    tor = client(tmp_path)
    with pytest.raises(OnionError, match="check this machine's network and clock"):
        tor.start(timeout=0.3)
    assert not tor.alive()


def test_second_tor_in_the_same_folder_is_refused_and_the_first_lives(tmp_path: Path) -> None:
    first = client(tmp_path)
    first.launch()
    try:
        with pytest.raises(OnionError, match="Another tor uses"):
            client(tmp_path).launch()
        assert first.alive()
    finally:
        first.stop()


def test_stop_ends_a_sandboxed_tor_quickly(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    OnionKey.from_seed(bytes(32)).install(folder / "onion")
    tor = Tor(folder, onion_torrc(OnionSettings(folder, tmp_path / "s", extra=NOWHERE)))
    tor.launch()
    began = time.monotonic()
    tor.stop()
    assert not tor.alive()
    assert time.monotonic() - began < 4  # it ended by itself, not by force after 5
    with pytest.raises(OnionError, match="start it first"):
        tor.wait_published(1)


def test_tor_ends_when_our_process_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from sottovoce.onion.tor import Tor; "
        "tor = Tor(Path(sys.argv[1]), sys.argv[2]); tor.launch(); print(tor.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path), client_torrc(tmp_path, extra=NOWHERE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ours:
        assert ours.stdout
        pid = int(ours.stdout.readline())
        ours.kill()
    deadline = time.monotonic() + 10
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_check_brings_a_killed_tor_back_and_waits_longer_each_time(tmp_path: Path) -> None:
    tor = client(tmp_path)
    tor.launch()
    try:
        for expected in (True, False):  # the second death comes within the pause
            killed = tor.pid
            assert killed
            os.kill(killed, signal.SIGKILL)
            while tor.alive():
                time.sleep(0.01)
            assert tor.check() is expected
            assert tor.pid != killed
        time.sleep(1.1)
        assert tor.check()
    finally:
        tor.stop()


def test_clients_are_written_and_others_removed(tmp_path: Path) -> None:
    key = ClientKey(bytes(range(32))).public
    set_authorized_clients(tmp_path, {"a": key, "slot-2": key})
    set_authorized_clients(tmp_path, {"slot-2": key, "b": key})
    files = {path.name: path for path in (tmp_path / "authorized_clients").iterdir()}
    assert set(files) == {"slot-2.auth", "b.auth"}
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    assert files["b.auth"].read_text().strip() == authorized_client(key)


def test_members_onion_without_members_is_refused_not_opened(tmp_path: Path) -> None:
    set_authorized_clients(tmp_path, {"a": bytes(32)})
    with pytest.raises(OnionError, match="open to all"):
        set_authorized_clients(tmp_path, {})
    assert (tmp_path / "authorized_clients" / "a.auth").exists()


@pytest.mark.parametrize("name", ["", "../x", "a b", "ä"])
def test_client_names_stay_in_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(OnionError, match="choose another"):
        set_authorized_clients(tmp_path, {name: bytes(32)})


def test_published_means_both_descriptors_everywhere() -> None:
    uploads = Uploads()
    for descriptor in ("now", "next"):
        for directory in ("$A~a", "$B~b"):
            uploads.take(f"HS_DESC UPLOAD addr UNKNOWN {directory} {descriptor} HSDIR_INDEX=0")
    for directory in ("$A~a", "$B~b", "$A~a"):
        assert not uploads.done
        uploads.take(f"HS_DESC UPLOADED addr UNKNOWN {directory}")
    assert not uploads.done
    uploads.take("HS_DESC FAILED addr UNKNOWN $B~b next REASON=UPLOAD_REJECTED")
    assert uploads.done


def test_nothing_is_published_when_all_directories_refuse() -> None:
    uploads = Uploads()
    for action, more in (("UPLOAD", "HSDIR_INDEX=0"), ("FAILED", "REASON=UPLOAD_REJECTED")):
        for descriptor in ("now", "next"):
            uploads.take(f"HS_DESC {action} addr UNKNOWN $A~a {descriptor} {more}")
    assert not uploads.done


def test_socks_without_tor_is_one_sentence() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(OnionError, match="Tor is not there: start it"):
            connect(unused.getsockname()[1], "x.onion", timeout=2)


@contextmanager
def socks_server(*codes: int) -> Iterator[tuple[int, list[bytes]]]:
    """Answers one request after the other with these codes (RFC 1928, 1929, proposal 304); its port, and who asked."""
    asked: list[bytes] = []

    def serve(server: socket.socket) -> None:
        for code in codes:
            with server.accept()[0] as client, client.makefile("rb") as sent:
                _, methods = sent.read(2)
                sent.read(methods)
                client.sendall(b"\5\2")
                name = sent.read(sent.read(2)[1])
                sent.read(sent.read(1)[0])
                client.sendall(b"\1\0")
                sent.read(sent.read(5)[4] + 2)
                asked.append(name)
                client.sendall(bytes([5, code, 0, 1, 127, 0, 0, 1, 0, 80]))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()[1], asked
        thread.join(10)


@pytest.mark.parametrize("code", [0xF0, 0xF2, 0xF3, 0xF7, 1, 4, 6])
def test_where_one_way_fails_another_circuit_is_tried(code: int) -> None:
    with socks_server(code, 0) as (port, asked):
        connect(port, "x.onion", isolation="mine", timeout=5).close()
    assert asked == [b"mine", b"mine-again"]


def test_two_ways_that_fail_are_one_sentence() -> None:
    with socks_server(0xF0, 0xF2) as (port, asked), pytest.raises(OnionError, match="it does not answer now"):
        connect(port, "x.onion", isolation="mine", timeout=5)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("code", "text"), [(0xF1, "broken"), (0xF4, "wants a member's key"), (0xF5, "does not know"), (0xF6, "mistyped")]
)
def test_what_no_circuit_can_mend_is_told_at_once(code: int, text: str) -> None:
    with socks_server(code) as (port, asked), pytest.raises(OnionError, match=text):
        connect(port, "x.onion", isolation="mine", timeout=5)
    assert asked == [b"mine"]
