"""What call.toml asks for, against what exists: languages, films, platforms and their limits, the card's time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..call import CallFile, Texts, Video
from ..errors import CallError
from ..film.sizes import CARD_SECONDS
from ..paper.paths import check_path
from ..platforms import FRESH, Platform, platforms
from ..tongues import TONGUES
from ..upload import over_limits, paste
from .finding import Finding
from .lengths import seconds_of
from .parts import Parts, day_of, is_plain

_FILE = "call.toml"


def asked(call: Parts) -> Iterator[Finding]:
    """What is wrong in call.toml itself."""
    if call.file is None:
        return
    file = call.file
    yield from (Finding("path", _FILE, said) for said in _path(file.name))
    yield from _list("language", "languages", file.languages, list(TONGUES))
    yield from _list("platform", "platforms", file.platforms, list(platforms()))
    yield from _list("film", "videos", file.videos, None)
    for name in dict.fromkeys(file.videos):
        if not is_plain(name):
            yield Finding("film", _FILE, f"“{name}” can't be a film's folder: name the folder below videos/.")
    yield from (Finding("until", _FILE, said) for said in _until(call, file))


def _path(name: str) -> Iterator[str]:
    try:
        check_path(name)
    except CallError as error:
        yield str(error)


def _list(rule: str, key: str, named: Sequence[str], known: Sequence[str] | None) -> Iterator[Finding]:
    if not named:
        yield Finding(rule, _FILE, f"No {key} are named: name one at least.")
    for name, times in Counter(named).items():
        if times > 1:
            yield Finding(rule, _FILE, f"“{name}” is named {times} times in `{key}`: name it once.")
        if known is not None and name not in known:
            yield Finding(rule, _FILE, f"“{name}” is no known {rule}: name some of {', '.join(known)}.")


def _until(call: Parts, file: CallFile) -> Iterator[str]:
    if file.until < call.today:
        yield f"The call ended on {file.until}: give it a later day in `until`, and build it anew."
    elif call.card is not None and file.until > (last := day_of(call.card.claim.expires)):
        yield f"The call ends on {file.until}, but its card on {last}: end it by then, or have the card signed anew."


def left_over(call: Parts) -> Iterator[Finding]:
    """Texts that no language of the call uses, and texts for films that it hasn't or that are missing."""
    names = [video.name for video in call.videos]
    for language, texts in call.texts.items():
        file = f"texts/{language}.toml"
        yield from (Finding("missing", file, said) for said in _empty(texts))
        for name in (name for name in names if name not in texts.videos):
            yield Finding("missing", file, f"The film {name} has no title and description here: write them.")
        for name in (name for name in texts.videos if call.file is not None and name not in call.file.videos):
            said = f"There are texts for “{name}”, which is no film of the call: take them out."
            yield Finding("film", file, said, "warning")
    for path in sorted((call.folder / "texts").glob("*.toml")):
        if call.file is not None and path.stem not in call.file.languages:
            said = f"{path.stem} is no language of the call: name it in call.toml, or take the file away."
            yield Finding("language", call.path(path), said, "warning")


def _empty(texts: Texts) -> Iterator[str]:
    fields = {"title": texts.title, "lead": texts.lead, "body": "".join(texts.body)}
    fields |= {f"title of the film {name}": video.title for name, video in texts.videos.items()}
    fields |= {f"description of the film {name}": video.description for name, video in texts.videos.items()}
    yield from (f"The {name} is empty: write it." for name, text in fields.items() if not text.strip())


def known_platforms(call: Parts) -> dict[str, Platform]:
    """The platforms that the call names and the program knows."""
    named = call.file.platforms if call.file else []
    return {name: platforms()[name] for name in named if name in platforms()}


def limits(call: Parts) -> Iterator[Finding]:
    """Films too short or too long, and texts too long for a platform, with all that the program adds to them."""
    for video in call.videos:
        if seconds := seconds_of(video):
            for platform in known_platforms(call).values():
                file = call.path(video.folder / "video.toml")
                yield from (Finding("limit", file, said) for said in _seconds(seconds + CARD_SECONDS, platform))
    if call.whole is not None:
        for video in call.whole.videos:
            for language in call.languages:
                yield from _texts(call, video, language)


def _seconds(seconds: float, platform: Platform) -> Iterator[str]:
    if seconds < platform.seconds_least:
        yield f"The film has {seconds:g} s, {platform.name} takes {platform.seconds_least:g} at least: make it longer."
    if seconds > platform.seconds_most:
        yield f"The film has {seconds:g} s, {platform.name} takes {platform.seconds_most:g} at most: make it shorter."


def _texts(call: Parts, video: Video, language: str) -> Iterator[Finding]:
    if call.whole is None or video.name not in call.texts[language].videos:
        return
    for platform in known_platforms(call).values():
        for said in over_limits(paste(call.whole, video, platform, language, draft=False), platform):
            about = f"For the film {video.name}, {said[0].lower()}{said[1:]}"
            yield Finding("limit", f"texts/{language}.toml", about)


def stale(call: Parts) -> Iterator[Finding]:
    """Platforms of which nobody read anything for long."""
    for platform in known_platforms(call).values():
        if (days := (call.today - platform.checked).days) > FRESH.days:
            said = (
                f"What {platform.name} takes was last read {days} days ago: look at its help before you upload "
                f"({platform.source}), or take a newer version of this program."
            )
            yield Finding("platform", _FILE, said, "warning")


def unsigned(call: Parts) -> Iterator[Finding]:
    """Languages that nobody signed off as they are now."""
    if call.whole is not None:
        for language in call.languages:
            if call.whole.draft(language):
                said = (
                    f"{TONGUES[language].name} is not signed off as it is now, so DRAFT stands across it: "
                    "have a native reader review it, and sign it off at the office."
                )
                yield Finding("draft", f"texts/{language}.toml", said, "warning")
