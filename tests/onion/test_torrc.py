"""What tor is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sottovoce.onion.errors import OnionError
from sottovoce.onion.torrc import OnionSettings, client_torrc, onion_torrc, operator_lines

FOLDER, SOCKET = Path("/srv/sv/door"), Path("/srv/sv/run/door.sock")


def test_service_torrc_says_all_that_protects_visitors() -> None:
    lines = onion_torrc(OnionSettings(FOLDER, SOCKET, extra=["TestingTorNetwork 1"])).splitlines()
    for line in (
        "DataDirectory /srv/sv/door",
        "HiddenServiceDir /srv/sv/door/onion",
        "HiddenServicePort 80 unix:/srv/sv/run/door.sock",
        "HiddenServiceExportCircuitID haproxy",
        "HiddenServicePoWDefensesEnabled 1",
        "Sandbox 1",
        "SocksPort 0",
        "SafeLogging 1",
        "AvoidDiskWrites 1",
        "DisableDebuggerAttachment 1",
        "ControlSocket /srv/sv/door/control",
        "CookieAuthentication 1",
        "TestingTorNetwork 1",
    ):
        assert line in lines
    assert not any("file" in line for line in lines if line.startswith("Log "))


def test_members_torrc_needs_no_proof_of_work() -> None:
    assert "HiddenServicePoWDefensesEnabled 0" in onion_torrc(OnionSettings(FOLDER, SOCKET, proof_of_work=False))


@pytest.mark.parametrize(("port", "said"), [(None, "auto"), (9150, "9150")])
def test_client_torrc_listens_on_loopback_only(port: int | None, said: str) -> None:
    lines = client_torrc(FOLDER, port, ["PathsNeededToBuildCircuits 0.25"]).splitlines()
    assert f"SocksPort 127.0.0.1:{said} IsolateSOCKSAuth ExtendedErrors" in lines
    assert "PathsNeededToBuildCircuits 0.25" in lines
    assert not any(line.startswith("HiddenService") for line in lines)


def test_operator_s_lines_carry_the_service_and_what_to_do() -> None:
    text = operator_lines(FOLDER / "onion", SOCKET)
    settings = [line for line in text.splitlines() if not line.startswith("#")]
    assert settings == [
        "HiddenServiceDir /srv/sv/door/onion",
        "HiddenServicePort 80 unix:/srv/sv/run/door.sock",
        "HiddenServiceExportCircuitID haproxy",
        "HiddenServicePoWDefensesEnabled 1",
    ]
    assert "restart tor" in text


@pytest.mark.parametrize("name", ["a b", "a#b", 'a"b', "a\\b", "a\nHiddenServiceDir x"])
def test_path_that_would_mean_something_else_is_refused(name: str) -> None:
    with pytest.raises(OnionError, match="choose an absolute one"):
        onion_torrc(OnionSettings(Path("/srv") / name, SOCKET))


def test_relative_path_is_refused() -> None:
    with pytest.raises(OnionError, match="choose an absolute one"):
        client_torrc(Path("tor"))


def test_path_too_long_for_a_socket_is_refused() -> None:
    with pytest.raises(OnionError, match="choose a folder with a shorter one"):
        client_torrc(Path("/" + "x" * 100))
    assert client_torrc(Path("/" + "x" * 98))
