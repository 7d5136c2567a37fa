"""A source's browser as the demo's check needs it: pages, one cookie, forms, over a Tor circuit of its own."""

from __future__ import annotations

import http.client
import re
from html import unescape
from urllib.parse import urlencode, urljoin

from sottovoce.onion.socks import connect

from .common import UserError

_HOPS = 5


class Visitor:
    """One visit to an onion through a client's SOCKS port; `isolation` is its circuit's name."""

    def __init__(self, socks_port: int, onion: str, isolation: str) -> None:
        self._onion = onion
        self._connection = http.client.HTTPConnection(onion)
        self._connection.sock = connect(socks_port, onion, isolation=isolation)
        self._cookie = ""
        self.page = ""

    def get(self, path: str) -> str:
        """The page at a path, after redirects."""
        return self._go("GET", path, None)

    def post(self, path: str, **fields: str) -> str:
        """The page that comes of a form; the token of the page before goes along."""
        token = re.search(r'name="token" value="([^"]+)"', self.page)
        return self._go("POST", path, urlencode({**fields, **({"token": token[1]} if token else {})}))

    def words(self) -> list[str]:
        """The twelve words on the page."""
        return re.findall(r'class="big">(\w+)<', self.page)[:12]

    def places(self) -> list[int]:
        """The places of the two words that the page asks for."""
        return [int(place) for place in re.findall(r"Word (\d+)", self.page)][:2]

    def _go(self, method: str, path: str, body: str | None) -> str:
        for _ in range(_HOPS):
            headers = {"Cookie": self._cookie} if self._cookie else {}
            if body is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            self._connection.request(method, path, body, headers)
            reply = self._connection.getresponse()
            self.page = unescape(reply.read().decode())
            if cookie := reply.getheader("Set-Cookie"):
                self._cookie = cookie.partition(";")[0]
            if reply.status != 303:
                return self.page
            method, path, body = "GET", urljoin(path, reply.getheader("Location") or "/"), None
        raise UserError("The door sends in circles: tell the developers.")

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()
