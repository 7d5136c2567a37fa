"""Looks through all that a call's papers are: nothing takes anything in, fetches, or leads to another address.

What it finds are sentences, each with the file; none where all is right.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import groupby
from pathlib import PurePosixPath
from urllib.parse import urljoin

from pypdf import PdfReader

TAKES_IN = {"form", "input", "button", "textarea", "select", "option", "datalist", "output", "label"}
RUNS_OR_LOADS = {
    "script", "noscript", "iframe", "frame", "object", "embed", "applet", "portal", "base", "audio", "video", "source",
    "track", "svg", "math", "template", "slot", "dialog",
}  # fmt: skip
LEADS = ("href", "src", "action", "formaction", "srcset", "poster", "data", "ping", "background", "cite", "manifest")
UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
TOKEN = re.compile(
    r"(?P<group>[a-z0-9]+)|(?P<end>(?:…|\.{2,})?\s*\.?\s*\bonion\b)|(?P<gap>[\s·•.,:/_|\u2013\u2014-]+)|(?P<other>.)"
)
GROUP = re.compile("[a-z2-7]{2,}")
NAME, SHORTEST = 56, 16  # letters of an onion's name; from how many on one is taken for an onion's
READABLE = re.compile(rb"[ -~]{16,}")  # in a film
ONION_LOCATION = "onion-location"


@dataclass(frozen=True)
class Own:
    """What may stand in papers: the card's addresses, other web addresses as text, and the only way to the onion."""

    addresses: Sequence[str]
    texts: Sequence[str] = ()
    location: str = ""
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(each.removesuffix(".onion") for each in self.addresses))


def crawl(files: dict[str, bytes], own: Own) -> list[str]:
    """All faults of files by their paths; links between HTML files must lead to one of them."""
    return [f"{path}: {fault}" for path, content in files.items() for fault in _faults(path, content, files, own)]


def _faults(path: str, content: bytes, files: dict[str, bytes], own: Own) -> Iterator[str]:
    match PurePosixPath(path).suffix:
        case ".html":
            yield from _html(path, content.decode(), files, own)
        case ".pdf":
            yield from _pdf(content, own)
        case ".zip":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = {name: archive.read(name) for name in archive.namelist()}
            yield from crawl(members, own)
        case ".txt" | ".srt":
            yield from _text(content.decode(), own)
        case ".json":
            yield from _text("\n".join(_strings(json.loads(content))), own)
        case ".mp4":
            yield from strange(b"\n".join(READABLE.findall(content)).decode(), own)
        case suffix:
            yield f"nobody knows how to look into {suffix or 'a file without an ending'}"


def _strings(value: object) -> Iterator[str]:
    """All texts in what JSON holds, the names of fields, too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for each in [*value, *(value.values() if isinstance(value, dict) else ())]:
            yield from _strings(each)


def _text(text: str, own: Own) -> Iterator[str]:
    """Addresses and web addresses in what a person reads."""
    yield from strange(text, own)
    for known in sorted((*own.texts, own.location), key=len, reverse=True):
        text = text.replace(known, " ") if known else text
    yield from (
        f"names the web address {each}" for each in re.findall(r"(?:https?|ftp|tg|mailto):[^\s\"'<>]{3,}", text)
    )
    yield from (
        f"holds markup: {each}" for each in re.findall(r"<\s*(?:script|form|iframe|img)\b", text, re.IGNORECASE)
    )


# ---- onion addresses -----------------------------------------------------------------------------------------------


def strange(text: str, own: Own) -> Iterator[str]:
    """What looks like an onion address and isn't one of the card's: whole, cut off, in groups, or in capitals."""
    plain = UNSEEN.sub("", unicodedata.normalize("NFKC", text)).casefold()
    tokens = [(match.lastgroup or "", match[0]) for match in TOKEN.finditer(plain)]
    run: list[str] = []
    for kind, token in [*tokens, ("other", "")]:
        if kind == "gap":
            continue
        if kind == "group" and GROUP.fullmatch(token) and (not run or len(run[-1]) == len(token)):
            run.append(token)
            continue
        yield from _strange(run, kind == "end", own)
        run = [token] if kind == "group" and GROUP.fullmatch(token) else []


def _strange(run: Sequence[str], is_onion: bool, own: Own) -> Iterator[str]:
    name = "".join(run)
    if is_onion:
        is_strange = len(name) >= SHORTEST and not name.endswith(tuple(own.names))
    else:
        is_name = len(name) == NAME or (len(run) > 1 and len(name) > NAME)
        is_strange = (
            is_name and any(letter.isdigit() for letter in name) and not any(each in name for each in own.names)
        )
    if is_strange:
        yield f"shows an address that is not on the card: {name[-NAME:]}{'.onion' * is_onion}"


# ---- HTML ----------------------------------------------------------------------------------------------------------


class _Page(HTMLParser):
    """A page's faults so far, its texts, the targets in it, and the ways to the onion."""

    def __init__(self, path: str, files: dict[str, bytes], own: Own) -> None:
        super().__init__()
        self.path, self.files, self.own = path, files, own
        self.faults: list[str] = []
        self.texts: list[str] = []
        self.ids: set[str] = set()
        self.within: list[str] = []
        self.styles: list[str] = []
        self._style = self.has_policy = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        if tag in TAKES_IN:
            self.faults.append(f"<{tag}> takes something in")
        if tag in RUNS_OR_LOADS or "-" in tag:
            self.faults.append(f"<{tag}> may run or load something")
        for name, value in attrs:
            self._attribute(tag, name, value or "")
        if tag == "meta":
            self._meta({name: value or "" for name, value in attrs})

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        (self.styles if self._style else self.texts).append(data)

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name == "id":
            self.ids.add(value)
        if name.startswith("on") or name in ("style", "contenteditable", "download", "target", "srcdoc"):
            self.faults.append(f"<{tag} {name}> is not of a page that only tells")
        if name in LEADS or ":" in name:
            self._leads(tag, value.strip())
        elif not (tag == "meta" and value == self.own.location):
            self.texts.append(value)

    def _leads(self, tag: str, value: str) -> None:
        if (tag, value) == ("link", "data:,") or (tag == "img" and value.startswith("data:image/png;base64,")):
            return
        if value.startswith("#"):
            self.within.append(value[1:])
        elif ":" in value or value.startswith(("/", "\\")) or urljoin(self.path, value) not in self.files:
            self.faults.append(f"<{tag}> leads to {value[:60]}, outside")

    def _meta(self, attrs: dict[str, str]) -> None:
        kind = attrs.get("http-equiv", "").lower()
        self.has_policy |= kind == "content-security-policy" and attrs.get("content", "").startswith(
            "default-src 'none'"
        )
        if kind == ONION_LOCATION and attrs.get("content") != self.own.location:
            self.faults.append("its Onion-Location is not the call's")
        if kind not in ("", ONION_LOCATION, "content-security-policy"):
            self.faults.append(f"its {kind} is not of a page that only tells")


def _html(path: str, text: str, files: dict[str, bytes], own: Own) -> Iterator[str]:
    page = _Page(path, files, own)
    page.feed(text)
    page.close()
    yield from page.faults
    yield from (f"leads to #{name}, which isn't there" for name in page.within if name not in page.ids)
    yield from ("its style asks for something" for style in page.styles if re.search(r"url\(|@import|src\s*:", style))
    if not page.has_policy:
        yield "no policy keeps everything else out"
    yield from _text("\n".join(page.texts), own)


# ---- PDF -----------------------------------------------------------------------------------------------------------


def _pdf(content: bytes, own: Own) -> Iterator[str]:
    reader = PdfReader(io.BytesIO(content))
    catalogue = reader.root_object
    yield from (
        f"its {key} may do something" for key in ("/OpenAction", "/AA", "/AcroForm", "/Names") if key in catalogue
    )
    yield from (
        f"page {n} has annotations: a link or a field" for n, page in enumerate(reader.pages, 1) if page.get("/Annots")
    )
    command = ["pdftotext", "-raw", "-", "-"]
    yield from _text(
        subprocess.run(command, input=content, capture_output=True, check=True, timeout=60).stdout.decode(), own
    )
    yield from _text("\n".join(str(value) for value in (reader.metadata or {}).values()), own)


def places(files: dict[str, bytes]) -> list[str]:
    """The files that hold an Onion-Location, each as often as it does."""
    named = re.compile(ONION_LOCATION.encode(), re.IGNORECASE)
    return [
        path for path, found in groupby(path for path, raw in files.items() for _ in named.finditer(raw)) for _ in found
    ]
