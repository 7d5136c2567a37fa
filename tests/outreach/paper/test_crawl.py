"""No paper takes anything in, fetches anything, or shows an address that is not on the card; the crawler bites."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from outreach.paper.conftest import ACCOUNTS, FALSE, FILM
from outreach.paper.crawler import NAME, Own, crawl, places
from weasyprint import HTML  # type: ignore[import-untyped]  # it has none

from sottovoce.outreach.call import Call

OURS = "cn56kfbedwopo3owvm26xenwztvxesgsgb7ykad7nmgwxt6ull4n6jid"
OTHER = "p53lf57qovyuvwsc6xnrppyply3vtqm7l6pcobkmyqsiofyeznfu5uqd"
HEAD = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'">"""
OWN = Own([f"{OURS}.onion"], location=f"http://{OURS}.onion/c/harbour")


def files_of(call: Call) -> dict[str, bytes]:
    """All that is built, by its path; the states of the build itself are nobody's."""
    found = sorted(path for path in call.built.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(call.built).as_posix(): path.read_bytes() for path in found}


def own_of(call: Call) -> Own:
    """What this call's papers may show: addresses as text, where a mirror stands and how a mirror's folder is named."""
    texts = [*ACCOUNTS, FILM, FALSE, call.file.site, "https://example.org/PATH/"]
    return Own(call.card.addresses, texts, f"http://{call.address}/c/{call.file.name}")


def test_nothing_takes_in_fetches_or_leads_elsewhere(built: Call) -> None:
    files = files_of(built)
    assert crawl(files, own_of(built)) == []
    assert {Path(name).suffix for name in files} == {".html", ".pdf", ".zip", ".json", ".txt"}


def test_every_paper_shows_the_cards_address_whole(built: Call) -> None:
    stranger = Own([f"{OTHER}.onion"], own_of(built).texts, own_of(built).location)
    blamed = {fault.split(":")[0] for fault in crawl(files_of(built), stranger) if "not on the card" in fault}
    silent = set(files_of(built)) - blamed
    assert silent == {"mirror/operator.txt", "sites.json", "mirror/site/index.html"}


def test_the_whole_build_holds_one_onion_location(built: Call) -> None:
    files = files_of(built)
    operator = files.pop("mirror/operator.txt")
    assert places(files) == ["mirror/site/index.html"]
    assert b"Set no Onion-Location header" in operator


def grouped(name: str, size: int, between: str = " ") -> str:
    """A name in groups."""
    return between.join(name[at : at + size] for at in range(0, NAME, size))


HTML_FAULTS = {
    "a form": "<form><p>Your name</p></form>",
    "a field": "<input name=a>",
    "a button": "<button>Send</button>",
    "an editable text": "<p contenteditable>Write here</p>",
    "a script": "<script>1</script>",
    "a script in an attribute": '<p onclick="f()">x</p>',
    "a script as a link": '<a href="javascript:f()">x</a>',
    "a picture from elsewhere": '<img src="https://a.example/p.png">',
    "a picture from the same site": '<img src="p.png">',
    "a style from elsewhere": "<style>p { background: url(//a.example/p.png) }</style>",
    "a style that imports": '<style>@import "a.css";</style>',
    "a frame": '<iframe src="x.html"></iframe>',
    "a link elsewhere": '<a href="https://a.example/">x</a>',
    "a link without a scheme": '<a href="//a.example/">x</a>',
    "a link to the site's top": '<a href="/write">x</a>',
    "a link to nowhere": '<a href="#nowhere">x</a>',
    "a link to the onion": f'<a href="http://{OURS}.onion/">x</a>',
    "a way to the onion in the text": f"<p>http://{OURS}.onion/</p>",
    "a refresh": '<meta http-equiv="refresh" content="0;url=x.html">',
    "another Onion-Location": f'<meta http-equiv="onion-location" content="http://{OTHER}.onion/">',
    "a drawing": "<svg></svg>",
}
TEXT_FAULTS = {
    "another address": f"{OTHER}.onion",
    "another address in capitals": f"{OTHER.upper()}.ONION",
    "another address in groups of four": grouped(OTHER, 4) + " .onion",
    "another address in groups of eight": grouped(OTHER, 8) + ".onion",
    "another address in groups with hyphens": grouped(OTHER, 7, "-") + ".onion",
    "another address over lines": grouped(OTHER, 14, "\n") + "\n.onion",
    "another address without its ending": OTHER,
    "another address in groups without its ending": grouped(OTHER, 4),
    "one letter of ours changed": f"{OURS[:20]}a{OURS[21:]}.onion",
    "one letter of ours changed, in groups": grouped(f"{OURS[:20]}a{OURS[21:]}", 4) + ".onion",
    "ours cut off at its end": f"{OURS[:40]}.onion",
    "ours cut off at its beginning": f"{OURS[20:]}.onion",
    "ours with dots": f"{OURS[:22]}….onion",
    "another one cut off, in groups": "p53l f57q ovyu vwsc .onion",
    "letters that nobody sees": f"{OTHER[:30]}\u200b{OTHER[30:]}\u2060.onion",
}


def faults_of(name: str, content: bytes | str) -> list[str]:
    """What is found in one file."""
    return crawl({name: content.encode() if isinstance(content, str) else content}, OWN)


@pytest.mark.parametrize("kind", HTML_FAULTS)
def test_a_planted_fault_of_a_page_is_found(kind: str) -> None:
    assert faults_of("page.html", HEAD + HTML_FAULTS[kind])


@pytest.mark.parametrize("kind", TEXT_FAULTS)
@pytest.mark.parametrize("form", ["text", "page", "page in groups", "json", "zip"])
def test_a_planted_address_is_found(kind: str, form: str) -> None:
    said = f"Type it: {TEXT_FAULTS[kind]}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("README.txt", said)
    spans = "".join(f"<span>{part}</span>" for part in said.split(" "))
    name, content = {
        "text": ("a.txt", said.encode()),
        "page": ("a.html", f"{HEAD}<p>{said}</p>".encode()),
        "page in groups": ("a.html", f"{HEAD}<p><code>{spans}</code></p>".encode()),
        "json": ("a.json", json.dumps({"address": said}, ensure_ascii=False).encode()),
        "zip": ("a.zip", packed.getvalue()),
    }[form]
    assert ["not on the card" in fault for fault in faults_of(name, content)] == [True]


@pytest.mark.parametrize(
    "text", [f"{OURS}.onion", grouped(OURS, 4) + " .onion", f"{OURS.upper()}.ONION", "into " + grouped(OURS, 4)]
)
def test_our_own_address_is_no_fault(text: str) -> None:
    assert faults_of("a.txt", f"Type it into\n{text}\nThen wait.") == []
    assert faults_of("a.html", f"{HEAD}<p>Type it into {text}</p>") == []


@pytest.mark.parametrize("text", ["https://a.example/", "mailto:a@a.example", "<form action=x>"])
def test_a_planted_way_elsewhere_is_found_in_texts(text: str) -> None:
    assert faults_of("a.txt", text)
    assert faults_of("a.json", json.dumps([text]))


@pytest.mark.parametrize(
    "body", ['<a href="https://a.example/">x</a>', f"<p>{grouped(OTHER, 4)} .onion</p>", f"<p>http://{OURS}.onion/</p>"]
)
def test_a_planted_fault_of_a_sheet_is_found(body: str) -> None:
    assert faults_of("a.pdf", HTML(string=f"<body>{body}").write_pdf())


def test_a_page_without_a_policy_and_a_file_that_nobody_knows_are_faults() -> None:
    assert faults_of("a.html", "<p>x</p>") == ["a.html: no policy keeps everything else out"]
    assert faults_of("a.exe", b"")


def test_two_onion_locations_are_counted_in_any_file() -> None:
    tag = f'<meta http-equiv="Onion-Location" content="{OWN.location}">'.encode()
    assert places({"a.html": tag + tag, "b.conf": b"add_header Onion-Location x;"}) == ["a.html", "a.html", "b.conf"]
