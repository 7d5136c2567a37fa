"""docs/operators.md does what it says: its commands are run, all of them, in their order, over a private Tor network.

A folder stands for /. What would change this machine or needs another one (STAND_INS) is noted instead; starting and
stopping the service runs and ends what the installed unit says. A command that is of neither kind fails the test.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

from sottovoce.cli import _tree

TREE = Path(__file__).parents[2]
PAGE = (TREE / "docs/operators.md").read_text("utf-8")
REAL = {"make", "tar", "cp", "rm", "sed", "sottovoce"}
STAND_INS = {"apt-get", "git", "swapoff", "chown", "journalctl"}
PASSPHRASE = "six plain words for these tests"  # noqa: S105  # opens what this test makes
SECONDS = 90
GUARD = """#!/bin/sh
# The only tor that is found here: it joins no network but a private one.
for word; do [ ! -f "$word" ] || grep -q TestingTorNetwork "$word" || case $word in *torrc) exit 9 ;; esac; done
exec {tor} "$@"
"""
QUICK = """from sottovoce.desk.vault import Work
from sottovoce.trust import locked
locked.MEMORY, locked.PASSES = 64, 1
Work.__init__.__defaults__ = (65_536, 3, 1)
"""  # passphrases cost little here: that they cost much is tried in tests of office and vault


def commands(page: str) -> list[str]:
    """The lines of a page's fences of commands."""
    return [
        line
        for fence in re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        for line in fence.splitlines()
    ]


@dataclass
class Machine:
    """A folder that stands for the server, the office's computer and the desk's at once; root's home is `home`."""

    root: Path
    lines: list[str]
    noted: list[str] = field(default_factory=list)
    service: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        self.home, self.here = self.root / "home", self.root / "home"
        for name in ("home", "bin", "media/stick", "etc", "usr/local/src"):
            (self.root / name).mkdir(parents=True)
        (self.root / "etc/fstab").write_text("/dev/sda2 none swap sw 0 0\n/dev/sda1 / ext4 defaults 0 1\n")
        (self.root / "usr/local/src/sottovoce").symlink_to(TREE)
        (self.root / "passphrase").write_text(PASSPHRASE + "\n")
        (self.root / "torrc").write_text("\n".join(self.lines) + "\n")
        guard = self.root / "bin/tor"
        guard.write_text(GUARD.format(tor=shutil.which("tor")))
        guard.chmod(0o700)
        (self.root / "bin/sitecustomize.py").write_text(QUICK)
        path = f"{self.root}/bin:{self.root}/usr/local/bin:{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "ROOT": str(self.root), "COLUMNS": "200"}

    def run(self, line: str) -> str:
        """One command of the page; what it said."""
        words = [self._placed(word) for word in shlex.split(line)]
        match words:
            case ["make", "install"] if (self.root / "opt/sottovoce").exists():
                return ""  # the same command on the same tree did it before
            case ["cd", folder]:
                self.here = Path(folder)
                return ""
            case ["runuser", "-u", "sottovoce", "--", *rest]:
                return self._really(rest)
            case ["systemctl", verb, *rest] if rest[-1] == "sottovoce":
                return self._systemctl(verb)
            case [name, *_] if name in STAND_INS:
                self.noted.append(name)
                return ""
        return self._really(words)

    def _placed(self, word: str) -> str:
        return re.sub(r"^/(?=var/|etc/|usr/local/|media/)", f"{self.root}/", word)

    def _really(self, words: list[str]) -> str:
        assert words[0] in REAL, f"the test doesn't know this command: {shlex.join(words)}"
        ours = words[0] == "sottovoce"
        environment = self.environment | ({"PYTHONPATH": str(self.root / "bin")} if ours else {})
        done = subprocess.run(
            [*words, *(self.options(words[1:]) if ours else [])],
            cwd=self.here if words[0] == "make" else self.home,
            env=environment, capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip
        allowed = {0, 1} if words[1:2] == ["doctor"] else {0}  # it may find too little room on this machine
        assert done.returncode in allowed, shlex.join(words) + done.stdout + done.stderr
        return done.stdout

    def options(self, words: list[str]) -> list[str]:
        """What a person types when a verb asks, and where this test's network is."""
        command: click.Command = _tree
        while isinstance(command, click.Group):
            found = command.get_command(click.Context(command), words[0])
            assert found, words
            command, words = found, words[1:]
        given = {"passphrase": "passphrase", "own": "passphrase", "torrc_extra": "torrc"}
        named = {each.name: each.opts[0] for each in command.params}
        return [word for name, file in given.items() if name in named for word in (named[name], str(self.root / file))]

    # -- the service ------------------------------------------------------------------

    def _systemctl(self, verb: str) -> str:
        assert verb in {"enable", "disable", "start", "stop", "restart", "status"}
        if verb in {"stop", "disable", "restart"}:
            self.stop()
        if verb in {"enable", "start", "restart"}:
            self.start()
        return ""

    def start(self) -> None:
        """What the unit says, until the door is open."""
        unit = (self.root / "etc/systemd/system/sottovoce.service").read_text()
        (line,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
        words = [self._placed(word) for word in line.split()]
        command = [*words, *self.options(words[1:])]
        self.service = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.service.stdout
        said, end = "", time.monotonic() + SECONDS
        while "The door is open" not in said:
            line = self.service.stdout.readline()
            said += line
            assert line, said
            assert time.monotonic() < end, said

    def stop(self) -> None:
        """SIGTERM, as systemd sends it: it ends by itself, and ends well."""
        assert self.service
        self.service.terminate()
        self.service.communicate(timeout=30)
        assert self.service.returncode == 0
        self.service = None

    def kill(self) -> None:
        """Ends what a test that failed left running; its tors and workers end with it."""
        if self.service:
            self.service.kill()
            self.service.communicate(timeout=30)


@pytest.fixture
def machine(private_network: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("m"), private_network)
    yield made
    made.kill()


@pytest.mark.timeout(400)  # half a minute by itself, beside the network's start; much more on a busy machine
def test_every_command_of_the_page_does_what_it_says(machine: Machine) -> None:
    said = [(line, machine.run(line)) for line in commands(PAGE)]
    text = dict(said)
    assert set(machine.noted) == STAND_INS
    assert "Signed files     good" in text["sottovoce doctor /var/lib/sottovoce"]
    assert "Form of files    good" in text["sottovoce doctor /var/lib/sottovoce"]
    assert "nothing was changed" in text["runuser -u sottovoce -- sottovoce upgrade /var/lib/sottovoce"]
    assert any(line == "sottovoce desk sync desk" and "duty keys of the coming days" in out for line, out in said)
    assert "No conversation yet" in text["sottovoce desk list desk"]
    assert machine.service is None
    left = [
        path for folder in ("opt", "usr/local/bin", "etc/systemd", "var") for path in (machine.root / folder).rglob("*")
    ]
    assert [path for path in left if not path.is_dir()] == [], "nothing of the program, and of what it kept, is left"


def test_swap_stays_off_and_the_rest_of_fstab_stays(tmp_path: Path) -> None:
    machine = Machine(tmp_path, [])
    (line,) = [line for line in commands(PAGE) if line.startswith("sed")]
    machine.run(line)
    assert (machine.root / "etc/fstab").read_text() == "#/dev/sda2 none swap sw 0 0\n/dev/sda1 / ext4 defaults 0 1\n"


@pytest.mark.parametrize("line", ["reboot", "systemctl mask sottovoce", "systemctl start ssh", "sottovoce unheard of"])
def test_a_command_that_the_test_does_not_know_fails_it(tmp_path: Path, line: str) -> None:
    assert commands(f"Text\n\n```sh\n{line}\n```\n") == [line]
    with pytest.raises(AssertionError):
        Machine(tmp_path, []).run(line)


def test_no_tor_of_this_test_joins_another_network(tmp_path: Path) -> None:
    machine = Machine(tmp_path, [])
    torrc = tmp_path / "torrc"
    torrc.write_text("SocksPort 0\n")
    run = [str(tmp_path / "bin/tor"), "-f", str(torrc)]
    assert subprocess.run(run, env=machine.environment, check=False, timeout=10).returncode == 9
