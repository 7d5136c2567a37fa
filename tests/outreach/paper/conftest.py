"""A call in six languages: what the organisation says is invented, its card was signed by the real office."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from doubles.organisation import Organisation
from doubles.signed_call import CAPTIONS, sign_off, write_call

from sottovoce.cli.guides import guides
from sottovoce.outreach.call import Call, read_call
from sottovoce.outreach.paper.guide import Section
from sottovoce.outreach.paper.steps import paper_steps
from sottovoce.outreach.steps import Builder
from sottovoce.outreach.tongues import TONGUES
from sottovoce.trust.accounts import sign_accounts

TODAY = 20_780  # 2026-11-23
DRAFTS = ("fa", "zh-Hans")
TEXTS = Path(__file__).with_name("texts")
ACCOUNTS = ("https://www.youtube.com/@harbourcity", "https://www.instagram.com/harbourcity.ombudsman")
FILM = "https://www.youtube.com/watch?v=AAAAAAAAAAA"
FALSE = "https://www.youtube.com/@harbourcity-official"
CALL = """\
name = "harbour"
languages = ["en", "fa", "ko", "ru", "zh-Hans", "zh-Hant"]
videos = ["ledger"]
platforms = ["youtube", "forward"]
until = 2027-03-31
site = "https://harbour.example/"
mirrors = ["guide.cdn.example/harbour", "harbour.mirror.example"]
"""
PUBLISHED = f"""\
not_ours = ["{FALSE}"]
[[ours]]
address = "{FILM}"
account = "https://www.youtube.com/@harbourcity"
video = "ledger"
language = "zh-Hans"
on = 2026-11-20
"""
SOON = ("en", "fa")  # what is printed where time is short: each direction


@pytest.fixture(scope="session")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """The organisation, with its accounts on its card."""
    made = Organisation(tmp_path_factory.mktemp("organisation"), TODAY)
    sign_accounts(made.office, ACCOUNTS, TODAY)
    return made


def write_harbour(folder: Path, office: Path) -> Call:
    """The call's folder, nothing signed off."""
    write_call(folder, office)
    (folder / "call.toml").write_text(CALL, "utf-8")
    (folder / "published.toml").write_text(PUBLISHED, "utf-8")
    shutil.copy(TEXTS.with_name("logo.svg"), folder)
    for language in TONGUES:
        shutil.copy(TEXTS / f"{language}.toml", folder / "texts")
        (folder / "videos/ledger/captions" / f"{language}.srt").write_text(CAPTIONS, "utf-8")
    return read_call(folder, TODAY)


@pytest.fixture(scope="session")
def call(organisation: Organisation, tmp_path_factory: pytest.TempPathFactory) -> Call:
    """The call, all six languages signed off."""
    made = write_harbour(tmp_path_factory.mktemp("call") / "harbour", organisation.office.folder)
    sign_off(made, organisation)
    return made


@pytest.fixture(scope="session")
def guide(call: Call) -> Mapping[str, Sequence[Section]]:
    """The door's guides, as the program makes them of its own texts."""
    return guides(call, TODAY)


@pytest.fixture(scope="session")
def drafted(call: Call, organisation: Organisation, tmp_path_factory: pytest.TempPathFactory) -> Call:
    """The same call where two languages wait for a native reader."""
    folder = tmp_path_factory.mktemp("drafted") / "harbour"
    shutil.copytree(call.folder, folder, ignore=shutil.ignore_patterns("build"))
    made = replace(call, folder=folder)
    sign_off(made, organisation, **dict.fromkeys(DRAFTS, bytes(32)))
    return made


@pytest.fixture(scope="session", params=["some languages", pytest.param("all languages", marks=pytest.mark.long)])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Call:
    """The call with all its papers built, a film among what is passed on: made by one process, each has its copy."""
    languages = SOON if request.param == "some languages" else tuple(TONGUES)
    own = tmp_path_factory.getbasetemp()
    made = (own if worker_id == "master" else own.parent) / "papers" / request.param.replace(" ", "-")
    try:
        made.mkdir(parents=True)
    except FileExistsError:
        wait_for(made / "done")
    else:
        build(request.getfixturevalue("call"), request.getfixturevalue("guide"), languages, made / "harbour")
        (made / "done").touch()
    folder = tmp_path_factory.mktemp("built") / "harbour"
    shutil.copytree(made / "harbour", folder)
    return with_languages(read_call(folder, TODAY), languages)


def build(call: Call, guide: Mapping[str, Sequence[Section]], languages: Sequence[str], folder: Path) -> None:
    """Builds all papers in some languages in a copy of a call."""
    shutil.copytree(call.folder, folder, ignore=shutil.ignore_patterns("build"))
    copy = with_languages(replace(call, folder=folder), languages)
    film = folder / "small.mp4"
    film.write_bytes(b"a film")
    Builder(copy.built).build(paper_steps(copy, guide, films={"fa": [film]}), lambda _: None)


def with_languages(call: Call, languages: Sequence[str]) -> Call:
    """A call that is made in these languages only."""
    return replace(call, file=msgspec.structs.replace(call.file, languages=list(languages)))


def wait_for(path: Path, seconds: float = 600) -> None:
    """Until another process of the tests has made it."""
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, "the papers that another process builds"
        time.sleep(0.1)
