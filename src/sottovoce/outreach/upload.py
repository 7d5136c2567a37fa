"""What a person uploads and pastes: a folder a platform and language, files in order, texts within limits, a checklist.

No account's credentials are ever needed: a person uploads by hand, to the accounts that are on the card.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .call import Call, Video
from .pages import page
from .platforms import Platform, platforms
from .proof.c2pa import Manifest, Signer, Source, can_hold, sign
from .steps import Step
from .words import words

_RECIPE = "upload 1"


@dataclass(frozen=True)
class Paste:
    """What is pasted beside a film: `title` is "" and `tags` are none where the platform has no field for them."""

    title: str
    text: str
    tags: Sequence[str]


def paste(call: Call, video: Video, platform: Platform, language: str, *, draft: bool) -> Paste:
    """The texts of a film for a platform: those of the call, and the lines that every film carries.

    The address stands as text, never as a link: a link would open outside Tor Browser.
    """
    said, own = call.texts[language], words(language)
    shown = said.videos[video.name]
    mark = f"{own.draft} · " if draft else ""
    label = own.label(dramatised=video.file.dramatised, synthetic=video.file.synthetic)
    lines = [
        f"{own.type_it}:\n{call.address}",
        f"{own.check_words}: {' '.join(call.card.check_words)}",
        own.note,
        " · ".join(part for part in (label, said.organisation) if part),
    ]
    head = [] if platform.title_most else [shown.title]
    hashtags = "" if platform.tags_most else " ".join(f"#{'_'.join(tag.split())}" for tag in shown.tags)
    text = "\n\n".join(part for part in (*head, shown.description.strip(), *lines, hashtags) if part)
    title = mark + shown.title if platform.title_most else ""
    return Paste(title, mark + text, shown.tags if platform.tags_most else [])


def over_limits(texts: Paste, platform: Platform) -> list[str]:
    """What a platform doesn't take, one sentence each; characters are counted as code points."""
    sizes = [
        ("title has", "characters", len(texts.title), platform.title_most if texts.title else 0),
        ("text has", "characters", len(texts.text), platform.text_most),
        ("text has", "bytes", len(texts.text.encode()), platform.text_bytes),
        ("tags have", "characters", len(_tags(texts)), platform.tags_most),
    ]
    long = [
        f"The {name} {size:,} {unit} for {platform.name}, which takes {most:,}: shorten it."
        for name, unit, size, most in sizes
        if most and size > most
    ]
    signs = {name: [sign for sign in platform.never if sign in getattr(texts, name)] for name in ("title", "text")}
    never = [
        f"The {name} has “{of[0]}”, which {platform.name} refuses: take it out." for name, of in signs.items() if of
    ]
    return long + never


def _tags(texts: Paste) -> str:
    """Tags as YouTube counts them: with commas, and in quotes where they have spaces."""
    return ",".join(f'"{tag}"' if " " in tag else tag for tag in texts.tags)


@dataclass(frozen=True)
class Item:
    """One film for one platform in one language: the finished film, its thumbnail, captions where a platform has them.

    `signer` puts a manifest into film and thumbnail; None where the call has no certificate yet. `draft`: nobody signed
    the language off.
    """

    call: Call
    video: Video
    platform: str
    language: str
    made: Sequence[Path]
    signer: Signer | None
    draft: bool

    @property
    def folder(self) -> Path:
        """Where all of it lies for whoever uploads it."""
        return self.call.built / "upload" / self.platform / self.language

    @property
    def place(self) -> int:
        """Which film of the call it is, from 1."""
        return self.call.videos.index(self.video) + 1

    @property
    def texts(self) -> Paste:
        """What is pasted."""
        return paste(self.call, self.video, platforms()[self.platform], self.language, draft=self.draft)

    @property
    def names(self) -> list[str]:
        """The files' names in the folder; numbers give the order in which a platform asks for them."""
        name = self.video.name
        own = [path.name if path.name.startswith(f"{name}.") else f"{name} {path.name}" for path in self.made]
        return [f"{self.place}-{number} {each}" for number, each in enumerate(own, 1)]

    @property
    def film(self) -> Path:
        """The film as it is uploaded."""
        return self.folder / self.names[0]

    @property
    def manifest(self) -> Manifest:
        """What film and thumbnail say of themselves."""
        said, file = self.call.texts[self.language], self.video.file
        label = words(self.language).label(dramatised=file.dramatised, synthetic=file.synthetic)
        source: Source = "compositeSynthetic" if file.synthetic else "composite" if file.master else "digitalCreation"
        return Manifest(said.videos[self.video.name].title, self.call.card.name, self.language, source, label)

    def steps(self) -> Iterator[Step]:
        """Film and thumbnail with their manifests, captions, the texts, and the checklist."""
        for path, name in zip(self.made, self.names, strict=True):
            yield self._signed(path, name) if self.signer and can_hold(path) else _copied(self.folder / name, path)
        texts = self.texts
        parts = (texts.title, texts.text, ", ".join(texts.tags))
        written = "\n\n".join(part for part in parts if part) + "\n"
        for name, content in ((f"{self.place} texts.txt", written), (f"{self.place} checklist.html", checklist(self))):
            yield Step(
                "upload", (self.folder / name,), (), f"{_RECIPE}\0{content}", partial(_write, name, content)
            )  # fmt: skip

    def _signed(self, path: Path, name: str) -> Step:
        signer, manifest = self.signer, self.manifest
        assert signer is not None  # noqa: S101  asked for by the caller

        def make(fresh: Path) -> None:
            sign(path, fresh / name, signer, manifest)

        return Step("signing", (self.folder / name,), (path,), f"{_RECIPE}\0{manifest}\0{signer.chain}", make)


def _copied(output: Path, path: Path) -> Step:
    return Step("upload", (output,), (path,), _RECIPE, partial(_copy, path, output.name))


def _copy(path: Path, name: str, fresh: Path) -> None:
    shutil.copyfile(path, fresh / name)


def _write(name: str, content: str, fresh: Path) -> None:
    (fresh / name).write_text(content, "utf-8")


def accounts(call: Call, platform: str) -> list[str]:
    """The card's accounts on a platform, by the host in their addresses."""
    hosts = {"youtube": "youtube.", "shorts": "youtube.", "instagram": "instagram.", "facebook": "facebook."}
    host = hosts.get(platform)
    return [each for each in call.card.accounts if host and host in each.lower()]


def checklist(item: Item) -> str:
    """One page for who uploads a film: what to do in which order, with the texts to copy."""
    platform, texts, film = platforms()[item.platform], item.texts, item.video.file
    own = accounts(item.call, item.platform)
    account = f"Sign in to {' or '.join(own)}. Any other account is not on the card." if own else _NO_ACCOUNT
    which = f"--video {item.video.name} --language {item.language}"
    labelled = platform.synthetic and (film.synthetic or film.dramatised)
    steps = [
        *[account] * (item.platform != "forward"),
        *(f"{'Send' if item.platform == 'forward' else 'Upload'} “{name}”." for name in item.names),
        *["Keep it private until you have looked at it there."] * (item.platform in ("youtube", "shorts")),
        *[f"Set “{platform.synthetic}”: the film says itself that it is acted or made by a machine."] * bool(labelled),
        "Copy the texts below: a click takes a whole one. Do not shorten the address, and make no link of it.",
        "Look at what the platform shows: the last six seconds are the card, and a phone reads its QR code.",
        *[f"Note where it went:  sottovoce call published FOLDER URL {which}"] * (item.platform != "forward"),
    ]
    fields = [("Title", texts.title), ("Text", texts.text), ("Tags", ", ".join(texts.tags))]
    title = f"{platform.name}, {item.language}: {texts.title or item.video.name}"
    return page("checklist.html", title=title, steps=steps, fields=[each for each in fields if each[1]])


_NO_ACCOUNT = "The card has no account on this platform: have the office put it on the card, or leave this one out."
