"""A tablet's system ends the browser amid a visit: it comes back to the words, and the disk holds nothing."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.organisation import Organisation
from journeys.browser import Firefox, Page, Pref

from sottovoce.protocol.sizes import epoch_of

TABLET = (820, 1180)
TYPED = "Quittenbaum7391 beside the Zugvogel5528"  # in no other file of the world
STORE_SECONDS = 2.0  # ten times what it waits before it stores
EAGER: dict[str, Pref] = {
    "remote.prefs.recommended": False,  # they let a driven browser keep less than one that a person uses
    "browser.sessionstore.interval": 200,  # milliseconds, not 15 seconds
    "browser.sessionstore.resume_from_crash": True,
}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address and port of a door on loopback that takes messages."""
    org = Organisation(tmp_path_factory.mktemp("o"), epoch_of(time.time()))
    org.go_on_duty()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "sottovoce.cli", "serve", str(org.server), "--clearnet-loopback", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout
            assert b"Open for development" in server.stdout.readline()
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()


def test_a_killed_browser_comes_back_to_the_words_and_shows_nothing(door: str, tmp_path: Path) -> None:
    with Firefox(prefs=EAGER, profile=tmp_path) as browser:
        words = _visit(browser.page(*TABLET), door)
        time.sleep(STORE_SECONDS)
        browser.kill()
        assert browser.cookies
        assert _kept(tmp_path, {door, TYPED, " ".join(words), *browser.cookies}) == []
    with Firefox(prefs=EAGER, profile=tmp_path) as browser:
        page = browser.page(*TABLET)
        page.goto(f"http://{door}/en/write")
        page.wait_for_heading("Your visit has ended")
        page.click("a[href$='enter']")
        page.wait_for_heading("Coming back")
        assert page.value("#words") == ""
        page.type("#words", " ".join(words))
        page.click("form[action$='enter'] button")
        page.wait_for_heading("No answer yet")
        assert TYPED not in page.text()


def test_a_browser_that_keeps_visits_is_found_out_and_keeps_nothing_typed(door: str, tmp_path: Path) -> None:
    """So that the search above can fail; and what is typed isn't in fields that a browser would keep."""
    with Firefox(prefs={**EAGER, "browser.privatebrowsing.autostart": False}, profile=tmp_path) as browser:
        _visit(browser.page(*TABLET), door)
        time.sleep(STORE_SECONDS)
        browser.kill()
    assert any(name.startswith("recovery.jsonlz4") for name in _kept(tmp_path, {door}))
    assert _kept(tmp_path, {TYPED}) == []


def _visit(page: Page, door: str) -> list[str]:
    """Up to a message that is typed and not sent; the words."""
    page.goto(f"http://{door}/")
    page.click("form[action$='begin'] button")
    page.wait_for_heading("Your twelve words")
    words = [word for word in page.text(".words").split() if word.isalpha()]
    page.click("a[href$='check']")
    page.wait_for_heading("Two of your words")
    for name in ("a", "b"):
        page.type(f"#{name}", words[int(page.text(f"label[for='{name}']").split()[-1]) - 1])
    page.click("form[action$='check'] button")
    page.wait_for_heading("Write to us")
    page.type("#text", TYPED)
    return words


def _kept(profile: Path, secrets: set[str]) -> list[str]:
    """The files of the profile in which something secret stands."""
    found = []
    for path in (path for path in profile.rglob("*") if path.is_file()):
        raw = path.read_bytes()
        found += [path.name for secret in secrets if secret.encode() in raw or secret.encode("utf-16-le") in raw]
    return found
