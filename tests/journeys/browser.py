"""A real Firefox ESR with scripts off, as a visitor at Tor Browser's Safest level would use it.

It speaks WebDriver BiDi on Firefox's own remote port. What a page holds can be read although its scripts are
off, because BiDi's functions run in a sandbox. Every wait has an end, and leaving the context ends the process
and deletes the profile, also when the start failed.

    with Firefox(socks_port=9150) as browser:
        page = browser.page(390, 844)
        page.goto("http://….onion/")
        page.type("textarea", "你好")
        page.click("button")
        page.wait_for("h1")
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

Pref = bool | int | str

SAFEST: dict[str, Pref] = {  # what stands in for Tor Browser's Safest level
    "javascript.enabled": False,
    "svg.disabled": True,
    "mathml.disabled": True,
    "privacy.resistFingerprinting": True,
    "privacy.resistFingerprinting.letterboxing": False,
    "network.dns.blockDotOnion": False,
    "dom.securecontext.allowlist_onions": True,  # as in Tor Browser: Secure cookies work on http onions
    "browser.privatebrowsing.autostart": True,
}
QUIET: dict[str, Pref] = {  # no request of the browser's own
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "extensions.update.enabled": False,
    "services.settings.server": "data:,",
}
START_SECONDS = 30.0
REPLY_SECONDS = 90.0  # a page over a private Tor network on a busy machine
END_SECONDS = 10.0
ENTER, TAB, SHIFT = "\ue007", "\ue004", "\ue008"  # WebDriver's names of the keys
SYSTEM = "--remote-allow-system-access"  # lets a driver look at the browser itself, as at what it tells a screen reader


class BrowserError(RuntimeError):
    """Firefox did not start, refused a command, or did not answer in time."""


class Firefox:
    """One headless Firefox; `socks_port` is a Tor client's, `prefs` go over the defaults, `options` are the program's.

    Its profile is thrown away, unless it is the caller's own `profile`: an empty or a used folder.
    """

    def __init__(
        self,
        socks_port: int | None = None,
        prefs: dict[str, Pref] | None = None,
        options: Sequence[str] = (),
        profile: pathlib.Path | None = None,
    ) -> None:
        program = shutil.which("firefox-esr")
        if program is None:
            raise BrowserError("firefox-esr is not installed: install Debian's package of that name.")
        self._ids = itertools.count(1)
        self.cookies: set[str] = set()  # the value of every cookie that was sent
        with contextlib.ExitStack() as undo:
            if profile is None:
                profile = pathlib.Path(tempfile.mkdtemp(prefix="firefox-"))
                undo.callback(shutil.rmtree, profile, ignore_errors=True)
            _write_prefs(profile, SAFEST | QUIET | _proxy(socks_port) | (prefs or {}))
            port = _free_port()
            self._process = _start(program, profile, port, options)
            undo.callback(_end, self._process)
            self._socket = undo.enter_context(self._connect(port))
            self.command("session.new", capabilities={})
            self.command("session.subscribe", events=["network.beforeRequestSent"])  # private windows hide their jar
            self._undo = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process and delete the profile; a second call does nothing."""
        self._undo.close()

    def kill(self) -> None:
        """End the process as a system does that needs its memory: without a word to it."""
        self._process.kill()
        self._process.wait(END_SECONDS)

    def _connect(self, port: int) -> ClientConnection:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise BrowserError("firefox-esr ended at once: start it by hand to see why.")
            with contextlib.suppress(OSError, WebSocketException):
                return connect(
                    f"ws://127.0.0.1:{port}/session",
                    max_size=None,
                    proxy=None,
                    ping_interval=None,
                    open_timeout=END_SECONDS,
                )
            time.sleep(0.1)
        raise BrowserError(f"firefox-esr opened no remote port within {START_SECONDS:.0f} s: is the machine too busy?")

    def command(self, method: str, **params: object) -> dict[str, Any]:
        """Send one BiDi command and return its result; BrowserError when it is refused or not answered."""
        number = next(self._ids)
        end = time.monotonic() + REPLY_SECONDS
        try:
            self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
            while True:
                reply = json.loads(self._socket.recv(timeout=max(0.0, end - time.monotonic())))
                if reply.get("id") == number:
                    return _result(method, reply)
                self._note(reply)
        except TimeoutError:
            raise BrowserError(f"{method}: no answer within {REPLY_SECONDS:.0f} s.") from None
        except WebSocketException as error:
            raise BrowserError(f"{method}: firefox-esr closed the connection.") from error

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("method") == "network.beforeRequestSent":
            self.cookies |= {cookie["value"]["value"] for cookie in event["params"]["request"]["cookies"]}

    def page(self, width: int, height: int) -> Page:
        """A new tab, `width` by `height` CSS pixels."""
        context = self.command("browsingContext.create", type="tab")["context"]
        page = Page(self, context)
        page.resize(width, height)
        return page


class Page:
    """One tab. Elements are named by CSS selectors, and the first that matches is taken."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self._browser, self._context = browser, context

    def _do(self, method: str, **params: object) -> dict[str, Any]:
        return self._browser.command(method, context=self._context, **params)

    def resize(self, width: int, height: int) -> None:
        """Give the view another size in CSS pixels."""
        self._do("browsingContext.setViewport", viewport={"width": width, "height": height})

    def goto(self, url: str) -> None:
        """Load a page and wait until it is complete."""
        self._do("browsingContext.navigate", url=url, wait="complete")

    def url(self) -> str:
        """The address that the bar shows."""
        return str(self._browser.command("browsingContext.getTree", root=self._context)["contexts"][0]["url"])

    def title(self) -> str:
        """The document's title."""
        return str(self.eval("e => e.textContent", "title"))

    def _find(self, css: str) -> dict[str, str]:
        nodes = self._do("browsingContext.locateNodes", locator={"type": "css", "value": css}, maxNodeCount=1)["nodes"]
        if not nodes:
            raise BrowserError(f"Nothing on the page matches {css}.")
        return {"sharedId": nodes[0]["sharedId"]}

    def eval(self, function: str, *elements: str) -> Any:
        """The value of a JavaScript function of the elements, run in BiDi's sandbox; the page's scripts stay off."""
        reply = self._browser.command(
            "script.callFunction", functionDeclaration=function, awaitPromise=False,
            target={"context": self._context, "sandbox": "test"}, arguments=[self._find(css) for css in elements],
        )  # fmt: skip
        return _value(reply)

    def text(self, css: str = "body") -> str:
        """The text of an element as it is shown."""
        return str(self.eval("e => e.innerText", css))

    def value(self, css: str) -> str:
        """What stands in a field."""
        return str(self.eval("e => e.value", css))

    def has(self, css: str) -> bool:
        """Whether something on the page matches."""
        return bool(self._do("browsingContext.locateNodes", locator={"type": "css", "value": css})["nodes"])

    def click(self, css: str) -> None:
        """Press the middle of an element; what it loads is waited for with `wait_for`."""
        self.eval("e => e.scrollIntoView({block: 'center'})", css)
        origin = {"type": "element", "element": self._find(css)}
        steps: list[dict[str, object]] = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._do("input.performActions", actions=[{"type": "pointer", "id": "mouse", "actions": steps}])

    def type(self, css: str, text: str) -> None:
        """Click a field and press the keys of `text`, which may be of any script and have several lines."""
        self.click(css)
        self.press(*text.replace("\n", ENTER))

    def press(self, *keys: str, shift: bool = False) -> None:
        """Press keys one after the other, wherever the focus is, with the Shift key held down or not."""
        steps = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        if shift:
            steps = [{"type": "keyDown", "value": SHIFT}, *steps, {"type": "keyUp", "value": SHIFT}]
        self._do("input.performActions", actions=[{"type": "key", "id": "keys", "actions": steps}])

    def run(self, function: str, *texts: str) -> Any:
        """The value of a JavaScript function of texts, run as a script of the page once its promise is kept."""
        reply = self._browser.command(
            "script.callFunction", functionDeclaration=function, awaitPromise=True,
            target={"context": self._context}, arguments=[{"type": "string", "value": text} for text in texts],
        )  # fmt: skip
        return _value(reply)

    def printed(self) -> bytes:
        """The page as a PDF on A4 paper."""
        size = {"width": 21.0, "height": 29.7}  # centimetres
        return base64.b64decode(self._do("browsingContext.print", page=size)["data"])

    def wait_for(self, css: str, seconds: float = 30) -> None:
        """Return once something on a whole page matches; BrowserError after `seconds`."""
        end = time.monotonic() + seconds
        while True:
            try:
                if self.has(css) and self._is_whole():
                    return
            except BrowserError:  # between two pages there is none to ask
                if time.monotonic() > end:
                    raise
            if time.monotonic() > end:
                raise BrowserError(f"Nothing matched {css} within {seconds:.0f} s, at {self.url()}.")
            time.sleep(0.05)

    def wait_for_address(self, ending: str, seconds: float = 60) -> None:
        """Return once the page whose address ends so is there as a whole; BrowserError after `seconds`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(BrowserError):  # between two pages there is none to ask
                if self.url().endswith(ending) and self.has("h1") and self._is_whole():
                    return
            time.sleep(0.05)
        raise BrowserError(f"{ending} did not come within {seconds:.0f} s, the address is {self.url()}.")

    def _is_whole(self) -> bool:
        return bool(self.eval("e => document.readyState == 'complete'", "html"))

    def wait_for_heading(self, text: str, seconds: float = 60) -> None:
        """Return once the page with this heading is there as a whole; BrowserError after `seconds`."""
        end = time.monotonic() + seconds
        shown = "nothing"
        while time.monotonic() < end:
            with contextlib.suppress(BrowserError):  # between two pages there is none to ask
                shown = self.text("h1") if self._is_whole() else "half a page"
            if shown == text:
                return
            time.sleep(0.05)
        raise BrowserError(f"The heading {text!r} did not come within {seconds:.0f} s, but {shown!r} at {self.url()}.")

    def screenshot(self, path: pathlib.Path, *, whole: bool = False) -> None:
        """Write a PNG of the view, or of the `whole` page."""
        shot = self._do("browsingContext.captureScreenshot", origin="document" if whole else "viewport")
        path.write_bytes(base64.b64decode(shot["data"]))


def _start(program: str, profile: pathlib.Path, port: int, options: Sequence[str]) -> subprocess.Popen[bytes]:
    known = ["--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", str(port)]
    return subprocess.Popen(
        [program, *known, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(END_SECONDS)


def _result(method: str, reply: dict[str, Any]) -> dict[str, Any]:
    if reply["type"] == "error":
        raise BrowserError(f"{method}: {reply['error']}: {reply['message']}")
    result: dict[str, Any] = reply["result"]
    return result


def _value(reply: dict[str, Any]) -> Any:
    if reply["type"] == "exception":
        raise BrowserError(str(reply["exceptionDetails"]["text"]))
    return reply["result"].get("value")


def _write_prefs(profile: pathlib.Path, prefs: dict[str, Pref]) -> None:
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in prefs.items())
    (profile / "user.js").write_text("\n".join(lines), "utf-8")


def _proxy(socks_port: int | None) -> dict[str, Pref]:
    if socks_port is None:
        return {}
    return {
        "network.proxy.type": 1,
        "network.proxy.socks": "127.0.0.1",
        "network.proxy.socks_port": socks_port,
        "network.proxy.socks_version": 5,
        "network.proxy.socks_remote_dns": True,
        "network.proxy.no_proxies_on": "",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
