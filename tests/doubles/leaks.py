"""Looks for secrets in whatever was written, in every form in which something could have written them."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from urllib.parse import quote, quote_plus

RUN = 3  # so many words in a row are no accident in a file
_SEPARATORS = (" ", "+", "%20", ",", ", ", "-", "\n", "\r\n", "")
_EDGE = 32  # bytes of each end of a long key
_WORD = 8  # bytes: whatever is longer than two words holds one that begins at a multiple of it


class Secrets:
    """Named secrets; `found` names those that lie somewhere in given bytes."""

    def __init__(self) -> None:
        self._forms: dict[str, set[bytes]] = {}
        self._windows: dict[int, set[tuple[str, bytes, int]]] = {}  # which forms hold these eight bytes, and where
        self._short: set[tuple[str, bytes]] = set()

    @property
    def names(self) -> set[str]:
        """What is searched for."""
        return set(self._forms)

    def text(self, name: str, text: str) -> None:
        """Each line of a text, so that a part of it is found too."""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        self._add(name, (form for line in lines for form in _text_forms(line)))

    def words(self, name: str, words: Sequence[str]) -> None:
        """Every run of three words, however they are joined."""
        runs = (words[start : start + RUN] for start in range(max(1, len(words) - RUN + 1)))
        joined = (separator.join(run) for run in runs for separator in _SEPARATORS)
        self._add(name, (form for text in joined for form in (text.encode(), text.encode("utf-16-le"))))

    def key(self, name: str, raw: bytes) -> None:
        """A key's bytes; of a long one, each end."""
        self._add(name, (form for part in {raw[:_EDGE], raw[-_EDGE:]} for form in _byte_forms(part)))

    def _add(self, name: str, forms: Iterable[bytes]) -> None:
        fresh = set(forms) - self._forms.setdefault(name, set())
        self._forms[name] |= fresh
        for form in fresh:
            if len(form) < 2 * _WORD - 1:
                self._short.add((name, form))
                continue
            for start in range(_WORD):
                window = int.from_bytes(form[start : start + _WORD], sys.byteorder)
                self._windows.setdefault(window, set()).add((name, form, start))

    def found(self, places: Iterable[tuple[str, bytes]]) -> set[tuple[str, str]]:
        """(secret, place) of every leak; a hundred megabytes take about a second, however many the secrets are."""
        return {(name, place) for place, content in places for name in self._in(content)}

    def _in(self, content: bytes) -> set[str]:
        windows = self._windows
        words = memoryview(content)[: len(content) // _WORD * _WORD].cast("Q")
        names = {name for name, form in self._short if form in content}
        for at, word in [(at * _WORD, word) for at, word in enumerate(words) if word in windows]:
            hits = windows[word]
            names |= {name for name, form, start in hits if start <= at and content.startswith(form, at - start)}
        return names


def _text_forms(text: str) -> set[bytes]:
    written = {text, escape(text), quote(text), quote(text).lower(), quote_plus(text), json.dumps(text)[1:-1]}
    forms = {form.encode() for form in written} | {text.encode("utf-16-le"), text.encode("utf-16-be")}
    return forms | _byte_forms(text.encode())


def _byte_forms(raw: bytes) -> set[bytes]:
    return {raw, raw.hex().encode(), raw.hex().upper().encode(), repr(raw)[2:-1].encode()} | set(_base64(raw))


def _base64(raw: bytes) -> Iterator[bytes]:
    """As it looks at each of the three places where it can stand in a longer thing."""
    for before in range(3):
        coded = base64.b64encode(bytes(before) + raw)[2 * before : -4]  # without what its neighbours change
        yield coded
        yield coded.translate(bytes.maketrans(b"+/", b"-_"))


def in_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file under a folder, its name included."""
    for path in folder.rglob("*"):
        yield f"the name of {path}", str(path).encode()
        if path.is_file():
            with suppress(FileNotFoundError):  # a file that was replaced meanwhile
                yield str(path), path.read_bytes()


def family(pid: int) -> list[int]:
    """A process, then its children."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_bytes().rpartition(b")")[2].split()[1])
    return [pid, *sorted(child for child, parent in parents.items() if parent == pid)]


def in_processes(pids: Iterable[int]) -> Iterator[tuple[str, bytes]]:
    """The arguments and the environment of processes."""
    for pid in pids:
        for name in ("cmdline", "environ"):
            yield f"/proc/{pid}/{name}", Path(f"/proc/{pid}/{name}").read_bytes()
