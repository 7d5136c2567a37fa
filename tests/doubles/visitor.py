"""A source's browser without script, over any connection: keeps the one cookie, and knows the door's pages."""

from __future__ import annotations

import contextlib
import html
import http.client
import re
import socket
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Protocol
from urllib.parse import urlencode


class Door(Protocol):
    """Where a visitor can go."""

    def connect(self) -> socket.socket:
        """A new connection."""


@dataclass
class Page:
    """An answer of the door."""

    status: int
    headers: list[tuple[str, str]]
    raw: bytes

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1
        return values[0] if values else None

    @property
    def text(self) -> str:
        return self.raw.decode()

    @property
    def typed(self) -> str:
        """What stands in the page's field for a text."""
        found = re.search(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', self.text, re.DOTALL)
        assert found
        return html.unescape(found[1])

    @property
    def token(self) -> str:
        found = re.search(r'name="token" value="([\w-]+)"', self.text)
        assert found
        return found[1]


@dataclass
class Visitor:
    """A browser without script: keeps the one cookie."""

    world: Door
    cookie: str | None = None
    words: list[str] = field(default_factory=list)
    language: str = "en"

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Page:
        """An answer; a path without a slash at its beginning is that of a page in the visitor's language."""
        path = path if path.startswith("/") else f"/{self.language}/{path}"
        connection = http.client.HTTPConnection("o.onion")
        connection.sock = self.world.connect()
        with contextlib.closing(connection):
            own = {"Cookie": f"s={self.cookie}"} if self.cookie else {}
            connection.request(method, path, body, {**own, **(headers or {})})
            reply = connection.getresponse()
            page = Page(reply.status, [(k.lower(), v) for k, v in reply.getheaders()], reply.read())
        if (set_cookie := page.header("set-cookie")) is not None:
            self.cookie = SimpleCookie(set_cookie)["s"].value or None
        return page

    def get(self, path: str) -> Page:
        return self.ask("GET", path)

    def post(self, path: str, **fields: str) -> Page:
        return self.ask("POST", path, urlencode(fields).encode())

    def begin(self) -> Page:
        """The first two steps, up to the page with the words."""
        assert self.post("begin").header("location") == "words"
        page = self.get("words")
        self.words = re.findall(r'<li><b class="big">(\w+)</b>', page.text)
        return page

    def begin_writing(self) -> Page:
        """All steps up to the page for writing."""
        self.begin()
        page = self.get("check")
        a, b = (self.words[int(place) - 1] for place in re.findall(r'<label for="[ab]">\D*(\d+)', page.text))
        assert self.post("check", token=page.token, a=a, b=b).header("location") == "write"
        return self.get("write")
