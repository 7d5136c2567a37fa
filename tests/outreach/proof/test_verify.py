"""What was found somewhere: our own film is told from one that was exchanged in part or whole, however copied."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import segno
from doubles.endcard import EndCard, again, film, onion
from doubles.organisation import NAME, Organisation
from PIL import Image, ImageChops
from weasyprint import HTML  # type: ignore[import-untyped]

from sottovoce.outreach.errors import CallError
from sottovoce.outreach.proof.c2pa import Manifest, Signer, authority_of, sign
from sottovoce.outreach.proof.onions import exact, host_of, is_onion, misread
from sottovoce.outreach.proof.verify import Verdict, verify
from sottovoce.trust.call_list import CallList, ListedFile
from sottovoce.trust.card_file import CardFile

from .conftest import TODAY
from .test_c2pa import certified

THEIRS = onion(b"a stranger's")
COPIES = {
    "as it was": (),
    "anew in 240p": ("-vf", "scale=-2:240", "-crf", "30"),
    "cropped to the code's edge, in 360p": ("-vf", "crop=1162:ih:0:0,scale=-2:360", "-crf", "28"),
}


@pytest.fixture(scope="module")
def card(organisation: Organisation) -> CardFile:
    """The organisation's card as its office has it, without a call."""
    return CardFile.of(organisation.office.signed, TODAY)


@pytest.fixture(scope="module")
def ours(card: CardFile) -> str:
    """The address on it."""
    return card.card.addresses[0]


def cards(ours: str) -> dict[str, EndCard]:
    """End cards of our own film, and of what a stranger made of it."""
    own = EndCard(ours, ours.upper())
    alike = onion_like(ours)
    return {
        "own": own,
        "all exchanged": EndCard(THEIRS, THEIRS.upper()),
        "text exchanged": replace(own, text=THEIRS),
        "text exchanged by one that begins alike": replace(own, text=alike),
        "code exchanged": replace(own, code=THEIRS.upper()),
        "code exchanged by a link": replace(own, code="https://letters.example/ombudsman"),
        "code exchanged by a lookalike link": replace(own, code=f"http://{ours}.example.net/"),
    }


def onion_like(ours: str) -> str:
    """What a stranger with a month's computing could have: ten letters the same."""
    return ours[:10] + THEIRS[10:]


SOON = ("text exchanged", "code exchanged")
FAKES = [
    name if name in SOON else pytest.param(name, marks=pytest.mark.long) for name in cards(THEIRS) if name != "own"
]


@pytest.fixture(scope="module")
def films(ours: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """A film with one of the cards, copied in one of the ways; each is made once."""
    folder = tmp_path_factory.mktemp("films")

    def made(name: str, copy: str) -> Path:
        first, copied = folder / f"{name}.mp4", folder / f"{name}, {copy}.mp4"
        if not first.exists():
            film(first, cards(ours)[name])
        return first if not COPIES[copy] else again(first, copied, *COPIES[copy])

    return made


@pytest.mark.parametrize("copy", [pytest.param("as it was", marks=pytest.mark.long), *list(COPIES)[1:]])
def test_our_own_film_is_known_in_every_copy(films: Callable[[str, str], Path], card: CardFile, copy: str) -> None:
    verdict = verify(films("own", copy), card)
    assert (verdict.kind, verdict.sentence) == ("ours", "This carries our address.")
    assert "A QR code holds our address." in verdict.reasons
    assert verdict.reasons[-1].startswith("It is no file of a signed list: a copy")


@pytest.mark.parametrize("name", FAKES)
def test_what_was_exchanged_makes_it_a_fake(films: Callable[[str, str], Path], card: CardFile, name: str) -> None:
    verdict = verify(films(name, "anew in 240p" if name in SOON else "as it was"), card)
    assert verdict.kind == "fake", verdict.reasons
    assert "ANOTHER address" in verdict.sentence


def test_a_film_whose_card_was_cut_off_carries_nothing(
    films: Callable[[str, str], Path], card: CardFile, tmp_path: Path
) -> None:
    cut = again(films("own", "as it was"), tmp_path / "cut.mp4", "-t", "1")
    assert verify(cut, card) == Verdict("none", [])


def test_half_of_our_address_beside_our_code_is_no_strangers(
    films: Callable[[str, str], Path], card: CardFile, tmp_path: Path
) -> None:
    half = again(films("own", "as it was"), tmp_path / "half.mp4", "-vf", "crop=iw*0.7:ih:iw*0.3:0")
    assert verify(half, card).kind == "ours"


@pytest.mark.long
def test_a_tall_film_is_known(card: CardFile, ours: str, tmp_path: Path) -> None:
    shown = EndCard(ours, ours.upper(), wide=False)
    assert verify(film(tmp_path / "tall.mp4", shown), card).kind == "ours"


def test_our_address_nearly_read_and_nothing_else_is_not_enough(
    card: CardFile, ours: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = ours[:20].replace(ours[9], "7" if ours[9] != "7" else "6") + ours[20:]
    Image.new("RGB", (640, 480), "white").save(tmp_path / "picture.png")
    verdicts = []
    for read in (ours, near):
        monkeypatch.setattr("sottovoce.outreach.proof.ocr.texts", lambda *_, read=read: [[f"Type it: {read}"]])
        verdicts.append(verify(tmp_path / "picture.png", card))
    assert [verdict.kind for verdict in verdicts] == ["ours", "none"]
    said = f"In the picture is almost our address ({misread(ours, near)} of 56 letters read otherwise)"
    assert verdicts[1].reasons == [f"{said}: compare it by eye."]


def test_a_link_to_our_own_address_is_ours_and_is_told(card: CardFile, ours: str, tmp_path: Path) -> None:
    segno.make_qr(f"http://{ours}/en/").save(str(tmp_path / "link.png"), scale=8)
    verdict = verify(tmp_path / "link.png", card)
    assert verdict.kind == "ours"
    assert "It holds it as a link, which a phone opens outside Tor: ours are never links." in verdict.reasons


def inline(code: str) -> str:
    """A QR code as it stands in a page: a picture, or a drawing."""
    picture = io.BytesIO()
    segno.make_qr(code).save(picture, kind="png", scale=8)
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}">'


def drawn(code: str) -> str:
    """The same as a drawing."""
    return str(segno.make_qr(code).svg_inline(scale=8))


def page(text: str, code: str) -> str:
    """A page with an address in groups, as ours have it."""
    groups = "".join(f"<span>{text[at : at + 4]}</span>\n" for at in range(0, len(text), 4))
    return f"<!doctype html><title>x</title><p>Type it into Tor Browser</p><p><code>{groups}</code></p>{code}"


LONG = pytest.mark.long  # the same two ways of a code in the other form


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ("html", inline),
        ("pdf", drawn),
        pytest.param("html", drawn, marks=LONG),
        pytest.param("pdf", inline, marks=LONG),
    ],
)
def test_pages_and_leaflets_are_told_by_text_and_code(
    card: CardFile, ours: str, tmp_path: Path, code: Callable[[str], str], form: str
) -> None:
    kinds = {}
    for text, coded in ((ours, ours), (THEIRS, THEIRS), (THEIRS, ours), (ours, THEIRS)):
        made, html = tmp_path / f"made.{form}", page(text, code(coded.upper()))
        if form == "html":
            made.write_text(html, "utf-8")
        else:
            HTML(string=html).write_pdf(made)
        kinds[text == ours, coded == ours] = verify(made, card).kind
    assert kinds == {(True, True): "ours", (False, False): "fake", (False, True): "fake", (True, False): "fake"}


def test_a_link_behind_our_text_is_found(card: CardFile, ours: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(f'<p><a href="http://{THEIRS}/">{ours}</a></p>', "utf-8")
    assert verify(tmp_path / "page.html", card).kind == "fake"
    (tmp_path / "page.html").write_text(f"<p>{ours}.example.net</p>", "utf-8")
    assert verify(tmp_path / "page.html", card).kind == "none"


def test_a_scanned_leaflet_is_read_by_its_picture(card: CardFile, ours: str, tmp_path: Path) -> None:
    EndCard(ours, ours.upper()).draw().save(tmp_path / "own.pdf")
    EndCard(THEIRS, "").draw().save(tmp_path / "fake.jpg", quality=60)
    assert [verify(tmp_path / name, card).kind for name in ("own.pdf", "fake.jpg")] == ["ours", "fake"]


def test_of_a_zip_one_false_part_makes_a_fake(card: CardFile, ours: str, tmp_path: Path) -> None:
    parts = {"own.html": page(ours, ""), "notes.txt": "Nothing here.", "false.html": page(THEIRS, "")}
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        for name in ("own.html", "notes.txt"):
            archive.writestr(name, parts[name])
    with zipfile.ZipFile(tmp_path / "false.zip", "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    assert verify(tmp_path / "own.zip", card).kind == "ours"
    false = verify(tmp_path / "false.zip", card)
    assert false.kind == "fake"
    assert [reason for reason in false.reasons if reason.startswith("false.html: Its text shows another address")]


def test_a_file_of_a_signed_list_is_known_within_a_zip(card: CardFile, ours: str, tmp_path: Path) -> None:
    (tmp_path / "own.html").write_text(page(ours, ""), "utf-8")
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        archive.write(tmp_path / "own.html", "page.html")
    verdict = verify(tmp_path / "own.zip", listed(card, tmp_path / "own.html", []))
    assert [reason for reason in verdict.reasons if reason.startswith("page.html: It is exactly the file")]


def listed(card: CardFile, path: Path, anchors: list[bytes]) -> CardFile:
    """The card with a signed call that holds one file."""
    file = ListedFile(
        "upload/youtube/en/1-1 ledger.mp4", 1, hashlib.sha256(path.read_bytes()).digest(), "en", "youtube", ""
    )
    return replace(card, lists={"harbour": CallList("harbour", TODAY, [file], {}, anchors=anchors)})


def test_a_file_of_a_signed_list_is_ours_even_without_an_address(card: CardFile, tmp_path: Path) -> None:
    (tmp_path / "ledger.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nThe sums never met.\n", "utf-8")
    held = listed(card, tmp_path / "ledger.srt", [])
    said = "“upload/youtube/en/1-1 ledger.mp4” of a list that the organisation signed; it is meant until 2026-11-23"
    assert verify(tmp_path / "ledger.srt", held) == Verdict("ours", [f"It is exactly the file {said}."])
    (tmp_path / "ledger.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nThe sums always met.\n", "utf-8")
    assert verify(tmp_path / "ledger.srt", held).kind == "none"


def test_a_manifest_is_one_more_reason(card: CardFile, organisation: Organisation, tmp_path: Path) -> None:
    folder = certified(organisation.office, tmp_path / "signer")
    authority = authority_of(folder)
    assert authority is not None
    bare, made = tmp_path / "bare.jpg", tmp_path / "signed.jpg"
    Image.linear_gradient("L").save(bare)
    held = listed(card, bare, [authority])
    sign(bare, made, Signer.of(folder, TODAY), Manifest("The ledger", NAME, "en", "digitalCreation"))
    whole = Verdict("ours", ["Its C2PA manifest is whole, and signed under our own authority."])
    assert verify(made, held) == whole
    strange = verify(made, card)
    assert (strange.kind, strange.reasons[0][:46]) == ("none", "Its C2PA manifest is signed by somebody unknow")
    raw = bytearray(made.read_bytes())
    raw[-200] ^= 1
    made.write_bytes(raw)
    fits = "Its C2PA manifest does not fit: the file was changed after it was signed."
    assert verify(made, held) == Verdict("none", [fits])


@pytest.mark.parametrize("name", ["film.mp4", "picture.png", "leaflet.pdf", "all.zip", "strange.exe"])
def test_what_can_not_be_looked_at_is_told_in_one_sentence(card: CardFile, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(CallError) as caught:
        verify(tmp_path / name, card)
    assert str(caught.value).endswith(".")


def test_a_zip_that_would_fill_the_disk_is_not_unpacked(card: CardFile, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(201):
            archive.writestr(f"{number}.txt", "")
    with pytest.raises(CallError, match="more than can be looked at"):
        verify(tmp_path / "many.zip", card)


def test_a_picture_that_lets_its_ground_through_is_seen_as_people_see_it(
    card: CardFile, ours: str, tmp_path: Path
) -> None:
    shown, hidden = (EndCard(each, each.upper()).draw().convert("L") for each in (THEIRS, ours))
    alpha = ImageChops.invert(shown)  # on white, people see the stranger's card
    Image.merge("RGBA", (*[ImageChops.multiply(hidden, shown)] * 3, alpha)).save(tmp_path / "picture.png")
    assert verify(tmp_path / "picture.png", card).kind == "fake"


def test_every_frame_of_an_animation_is_looked_at(card: CardFile, ours: str, tmp_path: Path) -> None:
    first, last = (EndCard(each, each.upper()).draw() for each in (ours, THEIRS))
    first.save(tmp_path / "picture.gif", save_all=True, append_images=[last], duration=[20, 60_000])
    assert verify(tmp_path / "picture.gif", card).kind == "fake"


def test_a_code_that_holds_another_address_anywhere_is_a_fake(card: CardFile, ours: str, tmp_path: Path) -> None:
    for number, text in enumerate((f"{ours}/ is closed. New: {THEIRS}", f"{ours}:{THEIRS}", f"tor:{THEIRS}")):
        path = tmp_path / f"{number}.png"
        segno.make_qr(text).save(str(path), scale=8)
        assert verify(path, card).kind == "fake", text


def test_an_address_in_entities_comments_or_invisible_letters_is_found(
    card: CardFile, ours: str, tmp_path: Path
) -> None:
    entities = "".join(f"&#{ord(letter)};" for letter in THEIRS)
    for number, hidden in enumerate(
        (
            f'<a href="http://{entities}/">x</a>',
            f"{THEIRS[:20]}<!-- > -->{THEIRS[20:]}",
            f"{THEIRS[:20]}&shy;{THEIRS[20:]}",
            THEIRS.replace(".onion", "\uff0eonion"),
        )
    ):
        path = tmp_path / f"{number}.html"
        path.write_text(f"<p>{ours}</p><p>{hidden}</p>", "utf-8")
        assert verify(path, card).kind == "fake", hidden
    (tmp_path / "wide.html").write_text(f"<p>{THEIRS}</p>", "utf-16")
    assert verify(tmp_path / "wide.html", card).kind == "fake"


def test_drawings_within_drawings_and_pictures_of_text_in_a_page_are_looked_at(
    card: CardFile, ours: str, tmp_path: Path
) -> None:
    nested = drawn(THEIRS.upper()).replace(">", "><svg width='9' height='9'></svg>", 1)
    card_picture = io.BytesIO()
    EndCard(THEIRS, "").draw().save(card_picture, "png")
    picture = f'<img src="data:image/png;charset=utf-8;base64,{base64.b64encode(card_picture.getvalue()).decode()}">'
    for number, hidden in enumerate((nested, picture)):
        path = tmp_path / f"{number}.html"
        path.write_text(f"<p>{ours}</p>{hidden}", "utf-8")
        assert verify(path, card).kind == "fake"


def test_what_can_not_be_looked_at_is_named(card: CardFile, ours: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(f"<p>{ours}</p><svg><g></svg>", "utf-8")
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        archive.write(tmp_path / "page.html", "page.html")
        archive.writestr("more.mht", THEIRS)
    reasons = verify(tmp_path / "own.zip", card).reasons
    assert "“more.mht” can't be looked at: it may show anything." in reasons
    assert "page.html: “drawing 1 of the page” can't be looked at: it may show anything." in reasons


def test_a_film_that_hides_behind_a_second_stream_or_says_no_length_is_looked_at_whole(
    films: Callable[[str, str], Path], card: CardFile, tmp_path: Path
) -> None:
    own, other = films("own", "as it was"), films("all exchanged", "as it was")
    both, live = tmp_path / "both.mp4", tmp_path / "live.mkv"
    run = ("ffmpeg", "-v", "error", "-y")
    two = ("-i", str(other), "-i", str(own), "-map", "0:v", "-map", "1:v", "-c", "copy")
    subprocess.run([*run, *two, str(both)], check=True, timeout=60)
    assert verify(both, card).kind == "fake"
    subprocess.run([*run, "-t", "3", "-i", str(other), "-c", "copy", "-live", "1", str(live)], check=True, timeout=60)
    assert verify(live, card).kind == "fake"


def test_another_address_as_a_picture_beside_ours_as_text_makes_a_sheet_a_fake(
    card: CardFile, ours: str, tmp_path: Path
) -> None:
    EndCard(THEIRS, "").draw().save(tmp_path / "shown.png")
    shown = base64.b64encode((tmp_path / "shown.png").read_bytes()).decode()
    html = f'<p style="color: white">{ours}<p><img style="width: 100%" src="data:image/png;base64,{shown}">'
    HTML(string=html).write_pdf(tmp_path / "sheet.pdf")
    assert verify(tmp_path / "sheet.pdf", card).kind == "fake"


def test_what_goes_on_after_the_end_that_a_film_says_is_looked_at(
    films: Callable[[str, str], Path], card: CardFile, tmp_path: Path
) -> None:
    own, other, both = films("own", "as it was"), films("all exchanged", "as it was"), tmp_path / "both.mp4"
    joined = ("-i", str(own), "-i", str(other), "-filter_complex", "[0:v][1:v]concat=n=2:v=1", "-preset", "ultrafast")
    subprocess.run(["ffmpeg", "-v", "error", "-y", *joined, str(both)], check=True, timeout=60)
    raw = bytearray(both.read_bytes())
    for box, at in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20), (b"elst", 12)):  # where each says the length
        place = raw.index(box) + at
        length = int.from_bytes(raw[place : place + 4], "big")
        raw[place : place + 4] = (length // 2).to_bytes(4, "big")
    both.write_bytes(raw)
    assert verify(both, card).kind == "fake"


def test_another_address_in_a_films_subtitles_is_found(
    films: Callable[[str, str], Path], card: CardFile, tmp_path: Path
) -> None:
    (tmp_path / "a.srt").write_text(f"1\n00:00:00,000 --> 00:00:01,000\n{THEIRS}\n", "utf-8")
    parts = ("-i", str(films("own", "as it was")), "-i", str(tmp_path / "a.srt"), "-map", "0:v", "-map", "1:s")
    command = ["ffmpeg", "-v", "error", "-y", *parts, "-c:v", "copy", "-c:s", "srt", str(tmp_path / "film.mkv")]
    subprocess.run(command, check=True, timeout=60)
    assert verify(tmp_path / "film.mkv", card).kind == "fake"


def test_other_letters_beside_the_same_code_are_read_after_a_moment_of_our_own_card(
    card: CardFile, ours: str, tmp_path: Path
) -> None:
    for name, text in (("own", ours), ("other", THEIRS)):
        EndCard(text, ours.upper()).draw().save(tmp_path / f"{name}.png")
    still = ("-loop", "1", "-framerate", "10")
    given = [word for name, seconds in (("own", "0.5"), ("other", "5"))
             for word in (*still, "-t", seconds, "-i", str(tmp_path / f"{name}.png"))]  # fmt: skip
    quick = ("-filter_complex", "[0:v][1:v]concat=n=2:v=1,scale=1280:720,format=yuv420p", "-preset", "ultrafast")
    command = ["ffmpeg", "-v", "error", "-y", *given, *quick, str(tmp_path / "film.mp4")]
    subprocess.run(command, check=True, timeout=60)
    assert verify(tmp_path / "film.mp4", card).kind == "fake"


def test_an_empty_picture_carries_nothing(card: CardFile, tmp_path: Path) -> None:
    Image.new("RGB", (640, 480), "white").save(tmp_path / "white.png")
    assert verify(tmp_path / "white.png", card) == Verdict("none", [])


def test_a_pdf_of_more_pages_than_can_be_looked_at_is_refused(card: CardFile, tmp_path: Path) -> None:
    HTML(string="<style>@page { size: 1cm }</style>" + "<p style='break-after: page'>a" * 101).write_pdf(
        tmp_path / "book.pdf"
    )
    with pytest.raises(CallError, match="more than 100 pages: cut it into parts"):
        verify(tmp_path / "book.pdf", card)


def test_a_picture_that_is_thin_as_a_thread_does_not_fill_the_memory(card: CardFile, tmp_path: Path) -> None:
    Image.new("L", (1, 30_000), 255).save(tmp_path / "thread.png")
    assert verify(tmp_path / "thread.png", card).kind == "none"
    Image.new("L", (1, 30_001), 255).save(tmp_path / "longer.png")
    with pytest.raises(CallError, match="too large a picture"):
        verify(tmp_path / "longer.png", card)


def test_an_address_is_known_by_its_own_check_sum(ours: str) -> None:
    name = ours.removesuffix(".onion")
    assert is_onion(name)
    assert not is_onion(name[1:] + name[0])
    assert not is_onion("short")
    assert exact(f"So: {ours.upper()}. Then") == exact(" ".join(ours)) == {ours}
    assert exact(name) == exact(f"{name[:-1]}a.onion") == set()


@pytest.mark.parametrize(
    ("code", "host"),
    [
        ("HTTP://USER@ABC.ONION:80/x", "abc.onion"),
        ("abc.onion", "abc.onion"),
        (" abc.onion. ", "abc.onion"),
        ("abc.onion.evil.net/", "abc.onion.evil.net"),
        ("http://evil.net/abc.onion", "evil.net"),
        ("http://evil.net\\@abc.onion", "evil.net"),
    ],
)
def test_a_code_leads_to_its_host(code: str, host: str) -> None:
    assert host_of(code) == host
