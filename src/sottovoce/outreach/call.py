"""A call's folder as it stands: what the communications person wrote, and the organisation's signed card.

    call.toml                  the call: path, languages, videos, platforms, until when
    policy.toml                what the organisation advises, decided once
    signed/                    the organisation's root and card, and which texts are signed off, as its office signed
    logo.svg                   the organisation's sign
    texts/LANGUAGE.toml        what is said in a language
    videos/NAME/video.toml     a film: a storyboard's scenes, or a master film; its sound
    videos/NAME/captions/LANGUAGE.srt

Everything that is built goes to build/, which can be thrown away.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from msgspec import field

from sottovoce.protocol.errors import Refused
from sottovoce.trust.calls import read_texts
from sottovoce.trust.card import Card, UntrustedCard
from sottovoce.trust.published import SignedFolder
from sottovoce.trust.roster import Root

from .errors import CallError
from .form import Form, read
from .policy import Policy
from .proof.said import said

Shape = Literal["16x9", "9x16", "1x1"]
Camera = tuple[float, float, float, float]  # seconds since the scene began, centre x and y in its drawing, zoom


class CallFile(Form):
    """call.toml. `until` is the last day on which what is printed may be trusted; at most the card's last day.

    `site` is the organisation's own public one, `mirrors` are hosts (with a path, without `https://`) that show the
    call's pages where it is blocked.
    """

    name: str
    languages: list[str]
    videos: list[str]
    platforms: list[str]
    until: datetime.date
    site: str = ""
    mirrors: list[str] = field(default_factory=list)


class VideoText(Form):
    """What a platform shows beside a film, in one language; `words` stand in its overlay, by the keys there."""

    title: str
    description: str
    tags: list[str] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)


class Texts(Form):
    """texts/LANGUAGE.toml: what the organisation says. How to stay safe is not written here: the policy decides it.

    `lead` is one sentence, `body` some paragraphs: for whom the call is, what the organisation wants to know, why.
    """

    organisation: str
    title: str
    lead: str
    body: list[str]
    videos: dict[str, VideoText]


class Scene(Form):
    """A drawing or picture on the screen from `start` on, blended in over `fade` seconds; `camera` by shape.

    `move`: linear, smooth (slow at both ends), or push (linear to the second place, then a dive to the third).
    """

    picture: str
    start: float
    fade: float = 0.0
    camera: dict[Shape, list[Camera]] = field(default_factory=dict)
    move: Literal["linear", "smooth", "push"] = "linear"


class Line(Form):
    """A spoken line: `say` is read by a synthetic voice (in Mandarin as pinyin by words), or `file` is a recording."""

    start: float
    say: str = ""
    file: str = ""


class Note(Form):
    """A struck note of the bed of sound: when, and which key (60 is middle C)."""

    start: float
    key: int


class Chord(Form):
    """A held chord of the bed of sound, until the next one."""

    start: float
    keys: list[int]


class Sound(Form):
    """What is heard: lines by a voice of espeak-ng (`voice`, `rate` in words a minute) or recorded; a bed beneath."""

    voice: str = ""
    rate: int = 172
    lines: list[Line] = field(default_factory=list)
    bed: str = ""
    chords: list[Chord] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class Shot(Form):
    """Part of a master film from `start` on: how it is fitted into other shapes; `x`, `y` in 0..1 are what matters."""

    start: float = 0.0
    fit: Literal["pad", "crop"] = "pad"
    x: float = 0.5
    y: float = 0.5


class Own(Form):
    """What one language has of its own: a whole master film, or a sound track."""

    master: str = ""
    sound: str = ""


class VideoFile(Form):
    """video.toml: a film without its end card. It has scenes and their `seconds`, or a `master` and its shots.

    `spoken` is the language that is heard; `dramatised` and `synthetic` are said in the picture and to platforms.
    """

    spoken: str
    dramatised: bool
    synthetic: list[Literal["voice", "picture"]] = field(default_factory=list)
    seconds: float = 0.0
    overlay: str = ""  # a drawing over all scenes, for the film's whole time; the only one with words, each by its key
    scenes: list[Scene] = field(default_factory=list)
    sound: Sound = field(default_factory=Sound)
    master: str = ""
    shots: list[Shot] = field(default_factory=list)
    own: dict[str, Own] = field(default_factory=dict)
    thumbnail: float = 0.0  # the second of the film that stands for it


@dataclass(frozen=True)
class Video:
    """A film of the call: its folder and what video.toml says."""

    name: str
    folder: Path
    file: VideoFile

    def captions(self, language: str) -> Path:
        """Where the captions in a language lie."""
        return self.folder / "captions" / f"{language}.srt"


@dataclass(frozen=True)
class Call:
    """A call, read as a whole. `root` and `card` are verified by the folder's own anchor: compare the check words."""

    folder: Path
    file: CallFile
    policy: Policy
    root: Root
    card: Card
    texts: Mapping[str, Texts]
    videos: Sequence[Video]

    @property
    def address(self) -> str:
        """The onion address of the card, lower case, with `.onion`."""
        return self.card.addresses[0]

    @property
    def logo(self) -> Path:
        """The organisation's sign: an SVG drawing with its origin in the centre, 100 units wide."""
        return self.folder / "logo.svg"

    @property
    def built(self) -> Path:
        """Where everything that is built goes."""
        return self.folder / "build"

    def draft(self, language: str) -> bool:
        """Whether what the call says in a language today is not what the office signed off (spec 8.18)."""
        signed = read_texts(SignedFolder(self.folder / "signed").get("texts"), self.root)
        return signed.get(language) != hashlib.sha256(said(self, language)).digest()


def read_call(folder: Path, today: int) -> Call:
    """The call in a folder; `today` is an epoch. CallError with one sentence for the first thing that doesn't fit."""
    folder = folder.resolve()  # programs that are run for it stand in other folders
    file = read(folder / "call.toml", CallFile)
    signed = SignedFolder(folder / "signed")
    try:
        root = signed.root(today)
        card = UntrustedCard.of(signed.get("card") or b"").verify(root, today)
    except Refused as error:
        raise CallError(f"The card in {folder / 'signed'} can't be used, fetch it from the office: {error}") from error
    if not card.addresses:
        raise CallError("The organisation's card has no onion address: sign one at the office first.")
    videos = [Video(name, at := folder / "videos" / name, read(at / "video.toml", VideoFile)) for name in file.videos]
    texts = {language: read(folder / "texts" / f"{language}.toml", Texts) for language in file.languages}
    return Call(folder, file, read(folder / "policy.toml", Policy), root, card, texts, videos)
