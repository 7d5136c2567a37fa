"""A call in six languages: what the organisation says is invented, its card was signed by the real office."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from doubles.organisation import Organisation
from doubles.signed_call import CAPTIONS, write_call

from sottovoce.cli.guides import guides
from sottovoce.outreach.call import Call, read_call
from sottovoce.outreach.paper.guide import Section
from sottovoce.outreach.proof.said import said
from sottovoce.outreach.tongues import TONGUES
from sottovoce.trust.accounts import sign_accounts
from sottovoce.trust.signed import Claim

TODAY = 20_780  # 2026-11-23
TEXTS = Path(__file__).with_name("texts")
ACCOUNTS = ("https://www.youtube.com/@harbourcity", "https://www.instagram.com/harbourcity.ombudsman")
CALL = """\
name = "harbour"
languages = ["en", "fa", "ko", "ru", "zh-Hans", "zh-Hant"]
videos = ["ledger"]
platforms = ["youtube", "forward"]
until = 2027-03-31
site = "https://harbour.example/"
mirrors = ["guide.cdn.example/harbour", "harbour.mirror.example"]
not_ours = ["https://www.youtube.com/@harbourcity-official", "An e-mail from ombudsman@harbour-city.example"]
"""


@pytest.fixture(scope="session")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """The organisation, with its accounts on its card."""
    made = Organisation(tmp_path_factory.mktemp("organisation"), TODAY)
    sign_accounts(made.office, ACCOUNTS, TODAY)
    return made


@pytest.fixture(scope="session")
def folder(organisation: Organisation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The call's folder, all six languages signed off."""
    made = write_call(tmp_path_factory.mktemp("call") / "harbour", organisation)
    (made / "call.toml").write_text(CALL, "utf-8")
    for language in TONGUES:
        shutil.copy(TEXTS / f"{language}.toml", made / "texts")
        (made / "videos/ledger/captions" / f"{language}.srt").write_text(CAPTIONS, "utf-8")
    sign_off(read_call(made, TODAY), organisation, list(TONGUES))
    return made


def sign_off(call: Call, organisation: Organisation, languages: Sequence[str]) -> None:
    """The root signs what the call says in these languages; the others are drafts."""
    body = {language: [hashlib.sha256(said(call, language)).digest(), TODAY] for language in languages}
    claim = Claim("texts", call.root.org, 1, TODAY, call.root.claim.expires, body)
    (call.folder / "signed/texts.signed").write_bytes(claim.sign([organisation.office.root_key()]))


@pytest.fixture(scope="session")
def call(folder: Path) -> Call:
    """The call, read."""
    return read_call(folder, TODAY)


@pytest.fixture(scope="session")
def guide(call: Call) -> Mapping[str, Sequence[Section]]:
    """The door's guides, as the program makes them of its own texts."""
    return guides(call, TODAY)


@pytest.fixture(scope="session")
def drafted(call: Call, organisation: Organisation, tmp_path_factory: pytest.TempPathFactory) -> Call:
    """The same call where Persian and Chinese wait for a native reader."""
    made = tmp_path_factory.mktemp("drafted") / "harbour"
    shutil.copytree(call.folder, made, ignore=shutil.ignore_patterns("build"))
    found = replace(call, folder=made)
    sign_off(found, organisation, ["en", "ko", "ru"])
    return found
