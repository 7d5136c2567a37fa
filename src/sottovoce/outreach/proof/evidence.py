"""What a file that was found somewhere carries: codes, addresses, text in pictures; gathered, not yet judged."""

from __future__ import annotations

import hashlib
import tempfile
import unicodedata
import zipfile
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageSequence, UnidentifiedImageError

from sottovoce.outreach.errors import CallError

from . import ocr
from .frames import pages, sampled, subtitles
from .markup import decoded, inline, variants
from .onions import as_read, exact
from .programs import said_by
from .qr import Code, codes

FILMS = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".3gp", ".ts")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
TEXTS = (".html", ".htm", ".xhtml", ".svg", ".txt", ".srt", ".vtt", ".json", ".md", ".xml")
_READ_MOST, _CARDS_MOST = 8, 4  # pictures of a film that are read by tesseract, without and with a code
_PIXELS_MOST, _SIDE_MOST = 100_000_000, 30_000
_ALIKE = 6.0  # grey levels on average by which two pictures are still the same one
_LETTER = 32  # grey levels by which a cell of a card differs where other letters stand
_PARTS_MOST, _PART_BYTES_MOST = 200, 512 << 20  # of a ZIP


@dataclass
class Evidence:
    """`codes`: texts of QR codes; `addresses`: real onion addresses that stand there as text; `readings`: what
    tesseract made of each picture in some sizes, ready to be compared (`as_read`)."""

    codes: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    readings: list[Sequence[str]] = field(default_factory=list)
    parts: dict[str, Evidence] = field(default_factory=dict)  # of a ZIP, by name
    digest: bytes = b""  # SHA-256 of such a part
    unread: list[str] = field(default_factory=list)  # what can't be looked at, by name

    @property
    def read(self) -> list[str]:
        """All readings of all pictures."""
        return [text for texts in self.readings for text in texts]

    def add_text(self, text: str) -> None:
        """Addresses in a text, however its letters are written; what can't be seen is left out."""
        plain = unicodedata.normalize("NFKC", text)
        self.addresses |= exact("".join(each for each in plain if unicodedata.category(each) not in ("Cf", "Mn")))


def gather(path: Path, *, own: Container[bytes] = ()) -> Evidence:
    """All of a film, picture, PDF, page, text or ZIP; CallError where it is damaged, or of no kind that can be read.

    `own`: hashes of files of one's own that are looked at, too: in a ZIP they are passed over, and no text lies hidden
    behind what a PDF among them shows, so that its pages need no reading.
    """
    kind, found = path.suffix.lower(), Evidence()
    if kind in FILMS:
        _film(path, found)
    elif kind in PICTURES:
        _pictures(found, [path], ocr.PAGE_SIDES)
    elif kind == ".pdf":
        _pdf(path, found, own)
    elif kind in TEXTS:
        _page(decoded(path.read_bytes()), found)
    elif kind == ".zip":
        _zip(path, found, own)
    else:
        raise CallError(f"{path} is no film, picture, PDF, page or ZIP: name a file of these.")
    return found


def hash_of(path: Path) -> bytes:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _film(path: Path, found: Evidence) -> None:
    with_code: list[tuple[Image.Image, list[Code]]] = []
    without: list[tuple[Image.Image, list[Code]]] = []
    for text in subtitles(path):
        found.add_text(text)
    for _, picture in sampled(path):
        here = codes(picture)
        found.codes |= {code.text for code in here}
        kept = with_code if here else without
        if not any(_alike(picture, other, closely=bool(here)) for other, _ in kept[-3:]):
            kept.append((picture, here))
    chosen = [*_spread(with_code, _CARDS_MOST), *_spread(without, _READ_MOST)]
    _read_all(found, chosen, ocr.FILM_SIDES)


def _spread(pictures: Sequence[tuple[Image.Image, list[Code]]], most: int) -> list[tuple[Image.Image, list[Code]]]:
    """So many of them, from the first to the last."""
    if len(pictures) <= most:
        return list(pictures)
    return [pictures[round(n * (len(pictures) - 1) / (most - 1))] for n in range(most)]


def _alike(one: Image.Image, other: Image.Image, *, closely: bool) -> bool:
    """Whether two pictures are the same; `closely`, when only the letters beside a code may be others."""
    size = (96, 96) if closely else (32, 32)
    small = [picture.resize(size, Image.Resampling.BOX) for picture in (one, other)]
    difference = [abs(a - b) for a, b in zip(small[0].tobytes(), small[1].tobytes(), strict=True)]
    return max(difference) <= _LETTER if closely else sum(difference) / len(difference) <= _ALIKE


def _pictures(found: Evidence, paths: Iterable[Path], sides: Sequence[int], *, read: bool = True) -> None:
    for path in paths:  # one after the other: a PDF may have more pages than memory has room for
        shown = [(picture, codes(picture)) for picture in _opened(path)]
        found.codes |= {code.text for _, here in shown for code in here}
        if read:
            _read_all(found, shown, sides)


def _opened(path: Path) -> list[Image.Image]:
    """What a picture shows, each of its frames; where it lets something through, on white and on black."""
    try:
        with Image.open(path) as picture:
            number = getattr(picture, "n_frames", 1)
            if picture.width * picture.height * number > _PIXELS_MOST or max(picture.size) > _SIDE_MOST:
                raise CallError(f"{path.name} is too large a picture to look at: make it smaller.")
            return [shown for frame in ImageSequence.Iterator(picture) for shown in _on_paper(frame)]
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        raise CallError(f"{path.name} is a damaged picture, or none: take another copy.") from None


def _on_paper(picture: Image.Image) -> list[Image.Image]:
    if not picture.has_transparency_data:
        return [picture.convert("L")]
    over = picture.convert("RGBA")
    papers = [Image.new("RGBA", over.size, colour) for colour in ("white", "black")]
    return [Image.alpha_composite(paper, over).convert("L") for paper in papers]


def _read_all(found: Evidence, pictures: Sequence[tuple[Image.Image, list[Code]]], sides: Sequence[int]) -> None:
    found.readings += [[as_read(text) for text in texts] for texts in ocr.texts(pictures, sides)]


def _pdf(path: Path, found: Evidence, own: Container[bytes]) -> None:
    text = said_by("pdftotext", "-raw", path, "-").decode("utf-8", "replace")
    found.add_text(text)
    found.add_text(path.read_bytes().decode("latin-1"))  # links are no text
    found.add_text(said_by("pdfinfo", "-url", path, allowed=(0, 1, 99)).decode("utf-8", "replace"))
    with tempfile.TemporaryDirectory() as folder:
        _pictures(found, pages(path, Path(folder)), ocr.PAGE_SIDES, read=not (text.strip() and hash_of(path) in own))


def _page(text: str, found: Evidence) -> None:
    for each in variants(text):
        found.add_text(each)
    with tempfile.TemporaryDirectory() as folder:
        _pictures(found, inline(text, Path(folder), found.unread), ocr.PAGE_SIDES)


def _zip(path: Path, found: Evidence, own: Container[bytes]) -> None:
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            inside = [each for each in archive.infolist() if not each.is_dir()]
            if len(inside) > _PARTS_MOST or sum(each.file_size for each in inside) > _PART_BYTES_MOST:
                raise CallError(f"{path} holds more than can be looked at: unpack it, and name single files.")
            for number, each in enumerate(inside):
                made = Path(folder) / f"{number}{Path(each.filename).suffix.lower()}"
                made.write_bytes(archive.read(each))
                if made.suffix not in (*FILMS, *PICTURES, *TEXTS, ".pdf"):
                    found.unread.append(each.filename)
                elif (digest := hash_of(made)) not in own:
                    found.parts[each.filename] = part = gather(made)
                    part.digest = digest
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
        raise CallError(f"{path} is no ZIP that can be opened: it is damaged, or locked.") from None
