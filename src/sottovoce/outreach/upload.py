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
from .steps import Step
from .words import words

_RECIPE = "upload 1"


@dataclass(frozen=True)
class Paste:
    """What is pasted beside a film: `title` is "" where the platform has no field for it."""

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
    text = "\n\n".join([*head, shown.description.strip(), *lines])
    return Paste(mark + shown.title if platform.title_most else "", mark + text, shown.tags)


def over_limits(texts: Paste, platform: Platform) -> list[str]:
    """What a platform doesn't take, one sentence each; characters are counted as code points."""
    sizes = [
        ("title has", "characters", len(texts.title), platform.title_most if texts.title else 0),
        ("text has", "characters", len(texts.text), platform.text_most),
        ("text has", "bytes", len(texts.text.encode()), platform.text_bytes),
        ("tags have", "characters", sum(map(len, texts.tags)), platform.tags_most),
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


@dataclass(frozen=True)
class Item:
    """One film for one platform in one language: what was made of it, and what goes with it."""

    call: Call
    video: Video
    platform: str
    language: str
    film: Path  # signed, as it is uploaded
    made: Sequence[Path]  # captions and thumbnail

    @property
    def folder(self) -> Path:
        """Where all of it lies for whoever uploads it."""
        return self.call.built / "upload" / self.platform / self.language

    @property
    def texts(self) -> Paste:
        """What is pasted."""
        draft = self.call.draft(self.language)
        return paste(self.call, self.video, platforms()[self.platform], self.language, draft=draft)

    def names(self) -> list[tuple[Path, str]]:
        """Each file with its name in the folder; numbers give the order in which a platform asks for them."""
        place = self.call.videos.index(self.video) + 1
        return [(path, f"{place}-{number} {path.name}") for number, path in enumerate([self.film, *self.made], 1)]

    def steps(self) -> Iterator[Step]:
        """Copies of the files, the texts, and the checklist."""
        for path, name in self.names():
            yield Step("upload", (self.folder / name,), (path,), _RECIPE, partial(_copy, path, name))
        place = self.call.videos.index(self.video) + 1
        texts = self.texts
        text = "\n\n".join(
            part for part in (texts.title, texts.text, " ".join(f"#{tag}" for tag in texts.tags)) if part
        )
        for name, content in ((f"{place} texts.txt", text + "\n"), (f"{place} checklist.html", checklist(self))):
            yield Step("upload", (self.folder / name,), (), f"{_RECIPE}\0{content}", partial(_write, name, content))


def _copy(path: Path, name: str, folder: Path) -> None:
    shutil.copyfile(path, folder / name)


def _write(name: str, content: str, folder: Path) -> None:
    (folder / name).write_text(content, "utf-8")


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
    labelled = platform.synthetic and (film.synthetic or film.dramatised)
    steps = [
        *[account] * (item.platform != "forward"),
        *(f"Upload “{name}”." for _, name in item.names()),
        *["Keep it private until you have looked at it there."] * (item.platform in ("youtube", "shorts")),
        *[f"Set “{platform.synthetic}”: the film says itself that it is acted or made by a machine."] * bool(labelled),
        "Paste the texts below. Do not shorten the address, and make no link of it.",
        "Look at what the platform shows: the last six seconds are the card, and a phone reads its QR code.",
        "Note where it went:  sottovoce call published FOLDER URL",
    ]
    fields = [("Title", texts.title), ("Text", texts.text), ("Tags", ", ".join(texts.tags))]
    title = f"{platform.name}, {item.language}: {texts.title or item.video.name}"
    return page("checklist.html", title=title, steps=steps, fields=[each for each in fields if each[1]])


_NO_ACCOUNT = "The card has no account on this platform: have the office put it on the card, or leave this one out."
