"""What Firefox gives to a screen reader: its own accessibility tree of a page, in the order in which it is read out.

Nothing runs in the page: the tree is asked for where the browser itself runs, so its Firefox must have started with
the option SYSTEM.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from journeys.browser import BrowserError, Firefox, Page

CONTROLS = {"pushbutton", "link", "entry", "summary"}
_TREE = """url => {
  const service = Cc["@mozilla.org/accessibilityService;1"].getService(Ci.nsIAccessibilityService);
  const heard = [];
  const walk = (each, depth) => {
    const property = name => { try { return each.attributes.getStringProperty(name); } catch { return ""; } };
    const [state, x, y, width, height] = [{}, {}, {}, {}, {}];
    each.getState(state, {});
    each.getBounds(x, y, width, height);
    heard.push({
      depth, role: service.getStringRole(each.role), name: each.name || "", says: each.description || "",
      landmark: property("xml-roles"), level: Number(property("level")), language: each.language,
      invalid: (state.value & Ci.nsIAccessibleStates.STATE_INVALID) != 0,
      box: [x.value, y.value, x.value + width.value, y.value + height.value],
    });
    for (let child = each.firstChild; child; child = child.nextSibling) walk(child, depth + 1);
  };
  const page = service.getAccessibleFor(gBrowser.selectedBrowser)?.firstChild;
  if (!page) return "[]";
  const state = {};
  page.getState(state, {});
  const busy = (state.value & Ci.nsIAccessibleStates.STATE_BUSY) != 0;
  if (busy || page.QueryInterface(Ci.nsIAccessibleDocument).URL != url) return "[]";
  walk(page, 0);
  return JSON.stringify(heard);
}"""


class Box(NamedTuple):
    """Where something is shown, in pixels of the screen."""

    left: int
    top: int
    right: int
    bottom: int

    def is_read_before(self, other: Box, rtl: bool) -> bool:
        """Whether eyes come here first: what follows is lower, or beside in the direction of writing."""
        shared = min(self.bottom, other.bottom) - max(self.top, other.top)
        beside = other.right <= self.left if rtl else self.right <= other.left
        if 2 * shared > min(self.bottom - self.top, other.bottom - other.top):  # in one line
            return beside or not (self.right <= other.left if rtl else other.right <= self.left)
        return beside or other.top >= self.top


@dataclass(frozen=True)
class Heard:
    """One thing of the tree; `says` is what describes it, beside its name."""

    depth: int
    role: str
    name: str
    says: str
    landmark: str
    level: int
    language: str
    invalid: bool
    box: Box

    @property
    def is_said(self) -> bool:
        """Whether its name is read out as it stands there, and is not one that others' names were joined to."""
        return self.role in ("text leaf", *CONTROLS) or self.landmark == "navigation"


class Reader:
    """A screen reader's way through the pages of a Firefox with one tab."""

    def __init__(self, browser: Firefox) -> None:
        self._browser = browser
        contexts = browser.command("browsingContext.getTree", **{"moz:scope": "chrome"})["contexts"]
        self._window = {"context": contexts[0]["context"]}

    def read(self, page: Page, seconds: float = 20) -> list[Heard]:
        """All of a page that is there as a whole; BrowserError after `seconds`."""
        url, title, end = page.url(), page.title(), time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(BrowserError):
                heard = self._tree(url)
                if heard and heard[0].name == title:
                    return heard
            time.sleep(0.1)
        raise BrowserError(f"The accessibility tree of the page {title!r} did not come within {seconds:.0f} s.")

    def _tree(self, url: str) -> list[Heard]:
        reply = self._browser.command(
            "script.callFunction", functionDeclaration=_TREE, awaitPromise=False, target=self._window,
            arguments=[{"type": "string", "value": url}],
        )  # fmt: skip
        if reply["type"] == "exception":
            raise BrowserError(str(reply["exceptionDetails"]["text"]))
        found = json.loads(reply["result"]["value"])
        return [Heard(**{**each, "box": Box(*each["box"])}) for each in found]


def inside(heard: list[Heard], landmark: str) -> list[Heard]:
    """All that is inside the one landmark of this kind."""
    (start,) = [place for place, each in enumerate(heard) if each.landmark == landmark]
    after = [place for place in range(start + 1, len(heard)) if heard[place].depth <= heard[start].depth]
    return heard[start + 1 : min(after, default=len(heard))]


def faults(heard: list[Heard], rtl: bool = False) -> Iterator[str]:
    """What would lead somebody astray who hears a page and does not see it."""
    landmarks = [each.landmark for each in heard if each.landmark in ("banner", "main", "contentinfo")]
    if landmarks not in (["banner", "main"], ["banner", "main", "contentinfo"]):
        yield f"landmarks: {landmarks}"
    levels = [each.level for each in heard if each.role == "heading"]
    if levels.count(1) != 1 or any(after > before + 1 for before, after in pairwise([0, *levels])):
        yield f"levels of headings: {levels}"
    yield from (f"a {each.role} without a name" for each in heard if each.role in CONTROLS and not each.name)
    yield from (f"a {each.role} without a name" for each in heard if each.landmark == "navigation" and not each.name)
    yield from _disorder([each for each in heard if each.is_said and each.box.right > each.box.left], rtl)


def _disorder(shown: list[Heard], rtl: bool) -> Iterator[str]:
    for before, after in pairwise(shown):
        leftwards = rtl and not (before.name.isascii() and after.name.isascii())  # an address is written rightwards
        if not (_holds(before, after) or before.box.is_read_before(after.box, leftwards)):
            yield f"{after.name!r} is read after {before.name!r}, but shown before it"


def _holds(outer: Heard, inner: Heard) -> bool:
    return inner.depth > outer.depth and outer.role != "text leaf"
