"""What could be read of a call: each file by itself, so that a broken one doesn't hide what is wrong in others."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sottovoce.protocol.errors import Refused
from sottovoce.protocol.sizes import EPOCH_SECONDS
from sottovoce.trust.card import Card, UntrustedCard
from sottovoce.trust.published import SignedFolder

from ..call import Call, CallFile, Texts, Video, VideoFile, read_call
from ..errors import CallError
from ..form import read
from ..policy import Policy
from ..srt import Cue, read_srt
from ..tongues import TONGUES
from .finding import Finding

T = TypeVar("T")


@dataclass(frozen=True)
class Parts:
    """A call's files, each None or left out where it can't be read. `whole` is the call, where all can.

    `captions` by video and language; `unread` says of the files that could not be read why.
    """

    folder: Path
    epoch: int
    file: CallFile | None
    policy: Policy | None
    card: Card | None
    texts: Mapping[str, Texts]
    videos: Sequence[Video]
    captions: Mapping[tuple[str, str], Sequence[Cue]]
    whole: Call | None
    unread: Sequence[Finding] = field(repr=False)

    @property
    def today(self) -> datetime.date:
        """The day."""
        return day_of(self.epoch)

    @property
    def languages(self) -> list[str]:
        """The call's languages that the program knows; those of the texts where call.toml can't be read."""
        named = self.file.languages if self.file else sorted(self.texts)
        return [language for language in dict.fromkeys(named) if language in TONGUES]

    def path(self, file: Path) -> str:
        """A file as findings name it."""
        return file.relative_to(self.folder).as_posix()


class _Reader:
    """Reads file by file, and notes what can't be read."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.unread = folder, list[Finding]()

    def file(self, path: Path, reads: Callable[[Path], T]) -> T | None:
        """The file, or None with a finding."""
        try:
            return reads(path)
        except CallError as error:
            name = path.relative_to(self.folder).as_posix()
            rule = "missing" if not path.exists() else "form"
            self.unread.append(Finding(rule, name, str(error).replace(f"{self.folder}/", "")))
            return None


def read_parts(folder: Path, epoch: int) -> Parts:
    """What can be read of a call's folder; CallError where there is no folder at all."""
    if not folder.is_dir():
        raise CallError(f"{folder} is no folder: name a call's folder, or make one by `sottovoce call new`.")
    folder = folder.resolve()
    reader = _Reader(folder)
    file = reader.file(folder / "call.toml", lambda path: read(path, CallFile))
    policy = reader.file(folder / "policy.toml", lambda path: read(path, Policy))
    card = reader.file(folder / "signed" / "card.signed", lambda path: _card(path.parent, epoch))
    tags = file.languages if file else _stems(folder / "texts", "*.toml")
    names = file.videos if file else _stems(folder / "videos", "*")
    plain = [name for name in dict.fromkeys(names) if is_plain(name)]
    texts = {tag: said for tag in dict.fromkeys(tags) if (said := _texts(reader, tag)) is not None}
    videos = [video for name in plain if (video := _video(reader, name)) is not None]
    captions = _captions(reader, videos, tags)
    readable = not reader.unread and set(tags) <= set(TONGUES) and set(names) == set(plain)
    whole = reader.file(folder / "call.toml", lambda path: read_call(path.parent, epoch)) if readable else None
    return Parts(folder, epoch, file, policy, card, texts, videos, captions, whole, reader.unread)


def is_plain(name: str) -> bool:
    """Whether it is a name that can be a folder's: no way out of the call."""
    return bool(name) and not name.startswith(".") and not set("/\\\0") & set(name)


def day_of(epoch: int) -> datetime.date:
    """The day of an epoch."""
    return datetime.datetime.fromtimestamp(epoch * EPOCH_SECONDS, datetime.UTC).date()


def _texts(reader: _Reader, tag: str) -> Texts | None:
    if tag not in TONGUES:
        return None
    return reader.file(reader.folder / "texts" / f"{tag}.toml", lambda path: read(path, Texts))


def _video(reader: _Reader, name: str) -> Video | None:
    at = reader.folder / "videos" / name
    file = reader.file(at / "video.toml", lambda path: read(path, VideoFile))
    return Video(name, at, file) if file is not None else None


def _captions(reader: _Reader, videos: Sequence[Video], tags: Sequence[str]) -> dict[tuple[str, str], Sequence[Cue]]:
    known = [tag for tag in dict.fromkeys(tags) if tag in TONGUES]
    places = {(video.name, tag): video.captions(tag) for video in videos for tag in known}
    return {key: cues for key, path in places.items() if (cues := reader.file(path, read_srt)) is not None}


def _card(signed: Path, epoch: int) -> Card:
    held = SignedFolder(signed)
    if held.get("card") is None:
        raise CallError(f"{signed / 'card.signed'} is missing: copy it from the office's folder `signed`.")
    try:
        card = UntrustedCard.of(held.get("card") or b"").verify(held.root(epoch), epoch)
    except Refused as error:
        raise CallError(f"The card in {signed} can't be used, fetch it from the office: {error}") from error
    if not card.addresses:
        raise CallError("The organisation's card has no onion address: sign one at the office first.")
    return card


def _stems(folder: Path, pattern: str) -> list[str]:
    return sorted(path.stem for path in folder.glob(pattern))
