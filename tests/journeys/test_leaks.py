"""The test of the search for secrets: whatever is planted is found, in every form, and nothing else."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from doubles.leaks import Secrets, family, in_files, in_processes

TEXT = "The <ledger> names\n第七码头的账本"
WORDS = ["abandon", "ability", "able", "about", "above", "absent", "absorb", "abstract", "absurd", "abuse", "access"]
KEY = bytes(range(7, 23))
PLANTS = {
    "plain": ("text", b"x" + "第七码头的账本".encode() + b"x"),
    "UTF-16": ("text", "The <ledger> names".encode("utf-16-le")),
    "a form's field": ("text", quote_plus(TEXT).encode()),
    "HTML": ("text", b"<p>The &lt;ledger&gt; names</p>"),
    "JSON": ("text", json.dumps(TEXT).encode()),
    "repr": ("text", repr(TEXT.encode()).encode()),
    "base64": ("text", base64.b64encode(TEXT.encode())),
    "base64, shifted": ("text", base64.b64encode(b"p" + TEXT.encode() + b"qr")),
    "the first three words": ("words", b"abandon ability able"),
    "three words in the middle": ("words", b"able\nabout\nabove"),
    "words in a form": ("words", "+".join(WORDS).encode()),
    "words in a list": ("words", ", ".join(WORDS).encode()),
    "a key": ("key", b"\0" + KEY + b"\0"),
    "a key in hex": ("key", KEY.hex().encode()),
    "a key in a cookie": ("key", base64.urlsafe_b64encode(b"12 bytes of." + KEY + b"more")),
    "the end of a long key": ("long", bytes(60) + bytes(range(132, 164))),
}


@pytest.fixture
def secrets() -> Secrets:
    """One secret of each kind."""
    made = Secrets()
    made.text("text", TEXT)
    made.words("words", WORDS)
    made.key("key", KEY)
    made.key("long", b"\xee" * 40 + bytes(range(132, 164)))
    return made


@pytest.mark.parametrize("kind", PLANTS)
def test_a_planted_form_is_found_in_a_file(secrets: Secrets, tmp_path: Path, kind: str) -> None:
    name, content = PLANTS[kind]
    file = tmp_path / "deep" / "file"
    file.parent.mkdir()
    file.write_bytes(b"before" + content + b"after")
    assert secrets.found(in_files(tmp_path)) == {(name, str(file))}


def test_what_is_no_secret_is_not_found(secrets: Secrets, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abandon ability and able about; the ledger" + KEY[:-1])
    assert secrets.found(in_files(tmp_path)) == set()


def test_a_file_named_by_a_secret_is_found(secrets: Secrets, tmp_path: Path) -> None:
    (tmp_path / KEY.hex()).touch()
    assert {name for name, _ in secrets.found(in_files(tmp_path))} == {"key"}


def test_a_secret_is_found_in_a_childs_arguments_and_environment(secrets: Secrets) -> None:
    inner = "import time; print(flush=True); time.sleep(30)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}, sys.argv[1]])"
    command = [sys.executable, "-c", outer, KEY.hex()]
    environment = {"W": " ".join(WORDS)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout
    process.stdout.readline()
    pids = family(process.pid)
    found = secrets.found(in_processes(pids))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(pids) == 2
    assert found == {
        each for pid in pids for each in (("key", f"/proc/{pid}/cmdline"), ("words", f"/proc/{pid}/environ"))
    }
