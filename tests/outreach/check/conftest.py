"""A good small call, signed by a real office, and copies of it to be spoilt."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from sottovoce.onion.keys import OnionKey
from sottovoce.outreach.call import read_call
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.proof.said import said
from sottovoce.trust import locked
from sottovoce.trust.office import Office
from sottovoce.trust.office_secrets import Secrets
from sottovoce.trust.signed import Claim

TODAY = 20_783  # 2026-11-26
GOOD = Path(__file__).with_name("good")
NAME = "The Ombudsman of Harbour City"
SECRETS = Secrets(*(bytes([number]) * 32 for number in (1, 2, 3)))  # fixed, so that check words are always the same


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    folder = tmp_path_factory.mktemp("office") / "office"
    with patch.object(locked, "MEMORY", 64), patch.object(locked, "PASSES", 1):  # its strength is tried elsewhere
        office = Office.create(folder, "an invented office's", SECRETS, bytes, TODAY)
    office.sign_card(NAME, OnionKey.from_seed(SECRETS.door).address, TODAY)
    return office


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory, office: Office) -> Path:
    """The good call, with a master film of two seconds and the card."""
    folder = tmp_path_factory.mktemp("good") / "call"
    shutil.copytree(GOOD, folder)
    make_film(folder / "videos/quay/master.mp4")
    (folder / "signed").mkdir()
    for kind in ("root", "card"):
        shutil.copy(office.signed.path(kind), folder / "signed")
    return folder


@pytest.fixture
def call(good: Path) -> Path:
    """A copy of the good call, always in the same place and as old: its film is probed once for all tests."""
    copy = good.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    return Path(shutil.copytree(good, copy))


@pytest.fixture
def sign_off(office: Office) -> Callable[[Path], None]:
    """Signs off all that a call says, where it can be read."""

    def sign(folder: Path) -> None:
        try:
            call = read_call(folder, TODAY)
            body = {tag: [hashlib.sha256(said(call, tag)).digest(), TODAY] for tag in call.file.languages}
        except CallError:
            return
        claim = Claim("texts", call.root.org, 1, TODAY, call.root.claim.expires, body)
        (folder / "signed/texts.signed").write_bytes(claim.sign([office.root_key()]))

    return sign


def make_film(path: Path, seconds: float = 2) -> None:
    """A small moving picture without sound, as a camera's file."""
    picture = f"testsrc2=size=320x180:rate=30:duration={seconds}"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "ultrafast"]
    subprocess.run([*command, "-pix_fmt", "yuv420p", str(path)], check=True, timeout=60)
