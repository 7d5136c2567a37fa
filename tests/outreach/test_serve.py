"""What was built is shown on this machine only: films that can be wound, texts to copy, and what is left to do."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from doubles.calls import ADDRESS, NAME, make_call

from sottovoce.outreach.call import Call
from sottovoce.outreach.check import Finding
from sottovoce.outreach.errors import CallError
from sottovoce.outreach.outcome import found, next_steps
from sottovoce.outreach.serve import Gallery

FILM = bytes(range(256)) * 40
FAULT = Finding("vpn", "texts/en.toml", "This sentence <contradicts> the policy: mend it.")


@pytest.fixture
def call(tmp_path: Path) -> Call:
    return make_call(tmp_path, ("en", "fa"))


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()


@dataclass(frozen=True)
class Client:
    """A browser on this machine, which sends paths as they are."""

    port: int

    def get(self, path: str, **headers: str) -> Answer:
        """One page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest("GET", path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        reply = connection.getresponse()
        answer = Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        connection.close()
        return answer


@pytest.fixture
def client(call: Call) -> Iterator[Client]:
    files = {"upload/youtube/en/1-1 youtube-en.mp4": FILM, "upload/youtube/en/1-2 youtube-en.png": b"\x89PNG",
             "leaflets/fa-a4.pdf": b"%PDF", "press/press.json": b"{}", ".made.json": b"{}"}  # fmt: skip
    for name, raw in files.items():
        path = call.built / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    with listening(Gallery(lambda: (call, [FAULT])), call) as client:
        yield client


@contextlib.contextmanager
def listening(gallery: Gallery, call: Call) -> Iterator[Client]:
    """A server of its pages."""
    app = gallery.app(call.built)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 20
    while not server.started and time.monotonic() < end:
        time.sleep(0.01)
    yield Client(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    thread.join(10)


def test_the_first_page_says_whose_call_it_is_what_is_wrong_and_what_comes_next(client: Client) -> None:
    page = client.get("/").text
    assert NAME in page
    assert ADDRESS in page
    assert "This sentence &lt;contradicts&gt; the policy: mend it." in page
    assert "call review en" in page
    assert "/built/press/press.json" in page
    assert ".made.json" not in page


def test_a_languages_page_plays_its_films_and_holds_its_texts(client: Client) -> None:
    page = client.get("/in/en").text
    assert 'src="/built/upload/youtube/en/1-1%20youtube-en.mp4"' in page
    assert 'poster="/built/upload/youtube/en/1-2%20youtube-en.png"' in page
    assert f"{ADDRESS}\n" in page
    assert "Not built yet." in page  # the other platforms
    assert "/built/leaflets/fa-a4.pdf" in client.get("/in/fa").text
    assert client.get("/in/xx").status == 404


def test_what_is_wrong_with_the_call_is_told_in_a_sentence(call: Call) -> None:
    def broken() -> tuple[Call, list[Finding]]:
        raise CallError("Nothing is right with texts/en.toml.")

    with listening(Gallery(broken), call) as client:
        answer = client.get("/")
        assert answer.status == 200
        assert "Nothing is right with texts/en.toml." in answer.text


def test_a_platform_that_nobody_knows_hides_no_other_film(call: Call) -> None:
    call.file.platforms.append("telegraph")
    with listening(Gallery(lambda: (call, [])), call) as client:
        assert "YouTube" in client.get("/in/en").text


def test_a_film_can_be_wound(client: Client) -> None:
    part = client.get("/built/upload/youtube/en/1-1%20youtube-en.mp4", Range="bytes=100-199")
    assert (part.status, part.content) == (206, FILM[100:200])


def test_nothing_but_what_was_built_is_shown_and_only_under_this_machines_name(client: Client, call: Call) -> None:
    assert (call.folder / "call.toml").exists()
    for path in ("/built/../call.toml", "/built/%2e%2e/call.toml", "/built//etc/passwd"):
        assert client.get(path).status == 404
    assert client.get("/", Host="rebound.example").status == 400


def test_the_pages_hold_no_script_and_ask_nothing_from_elsewhere(client: Client) -> None:
    for path in ("/", "/in/en", "/in/fa", "/built/press/press.json"):
        answer = client.get(path)
        assert "<script" not in answer.text
        assert "http://" not in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.usefixtures("client")  # something is built
def test_what_comes_next_begins_with_what_hinders_the_rest(call: Call) -> None:
    steps = list(next_steps(call))
    assert "call review en" in steps[0]
    assert "call review fa" in steps[1]
    assert steps[2].startswith("The card names no account")
    looked_at, signed = [next(at for at, step in enumerate(steps) if said in step) for said in ("--built", "call sign")]
    assert looked_at < signed
    unbuilt = make_call(call.folder / "other", ("en",))
    assert list(next_steps(unbuilt))[-1].startswith("Build it:")


def test_what_was_built_holds_no_hidden_file_and_no_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    for name in ("pages/en.html", ".made.json"):
        (tmp_path / name).write_text("x", "utf-8")
    (tmp_path / "gone.pdf").symlink_to(tmp_path / "nothing")
    assert [(each.path, each.size) for each in found(tmp_path)] == [("pages/en.html", 1)]
