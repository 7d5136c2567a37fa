"""Wrote the folder `first-contact` beside this file, once, by the program as it was at 0.1, on a private Tor network.

    git worktree add ../first-contact 4e0835a && cd ../first-contact && tools/setup demo
    .venv/bin/python .../tests/upgrade/make_first_contact.py .../tests/upgrade/first-contact

Nothing in it is anybody's secret. Two days go by: a source writes and is answered; then it reads, and writes again,
another source writes for the first time, and nobody has fetched either; one answer waits at the desk.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sottovoce.cli.demo import Demo, _free_port
from sottovoce.cli.visitor import Visitor
from sottovoce.onion.private import PrivateNetwork
from sottovoce.onion.socks import fresh_isolation

DAYS = 2
FIRST, ANSWER, SECOND = "Two sets of books.", "Which month was it?", "It was in May."
OTHER, WAITING = "The ship was in repair.", "Thank you for May."
SHIFTED = "import os, time\nreal = time.time\ntime.time = lambda: real() + float(os.environ['AHEAD'])\n"


def visit(demo: Demo, socks: int) -> Visitor:
    """A visit on a circuit of its own."""
    return Visitor(socks, demo.onion, fresh_isolation(secrets.token_bytes(16)))


def begin(demo: Demo, socks: int, text: str) -> list[str]:
    """A new source writes; its words."""
    visitor = visit(demo, socks)
    visitor.get("/")
    visitor.post("/begin")
    words = visitor.words()
    visitor.get("/check")
    first, second = visitor.places()
    visitor.post("/check", a=words[first - 1], b=words[second - 1])
    visitor.post("/write", text=text)
    visitor.close()
    return words


@contextlib.contextmanager
def served(demo: Demo, ahead: float) -> Iterator[None]:
    """The server runs, and all processes' clocks are `ahead` by so many seconds."""
    os.environ["AHEAD"] = str(ahead)
    with contextlib.ExitStack() as ends:
        demo._ends = ends
        demo.serve(_free_port())
        yield


def answer(demo: Demo, text: str) -> None:
    """The member answers the only conversation."""
    file = demo.folder / "answer.txt"
    file.write_text(text, "utf-8")
    demo.verb("desk", "answer", demo.desk, "--text-file", file)


def story(demo: Demo, socks: int) -> dict[str, list[str]]:
    """Two days; the words of both sources."""
    os.environ["AHEAD"] = str(-DAYS * 86_400)
    demo.found()
    with served(demo, -DAYS * 86_400):
        demo.sync()
        one = begin(demo, socks, FIRST)
        demo.sync()
        answer(demo, ANSWER)
        demo.sync()
    with served(demo, 0):
        demo.sync()
        back = visit(demo, socks)
        back.get("/enter")
        assert ANSWER in back.post("/enter", words=" ".join(one))
        back.get("/write")
        back.post("/write", text=SECOND)
        back.close()
        answer(demo, WAITING)
        other = begin(demo, socks, OTHER)
    return {"one": one, "other": other}


def keep(demo: Demo, folder: Path, words: dict[str, list[str]]) -> None:
    """The three folders without what their tors wrote, a backup, and a note of what opens them."""
    demo.verb("org", "backup", demo.office, folder / "backup")
    shutil.copytree(demo.office, folder / "office")
    shutil.copytree(demo.desk, folder / "desk", ignore=shutil.ignore_patterns("tor"))
    for part in ("signed", "pool", *(f"onion/{name}/onion" for name in ("door", "members"))):
        shutil.copytree(demo.server / part, folder / "server" / part)
    note = {"passphrase": (demo.folder / "passphrase").read_text().strip(), "written": int(time.time()), **words}
    (folder / "note.json").write_text(json.dumps(note, indent=1) + "\n", "utf-8")


def main() -> None:
    """Makes the folder that is named."""
    folder = Path(sys.argv[1])
    folder.mkdir()
    with tempfile.TemporaryDirectory(prefix="first-") as name, contextlib.ExitStack() as ends:
        here = Path(name)
        (here / "sitecustomize.py").write_text(SHIFTED)
        os.environ |= {"PYTHONPATH": name, "AHEAD": "0"}
        lines = ends.enter_context(PrivateNetwork(here / "network")).client_lines()
        demo = Demo(here, ends, lines)
        keep(demo, folder, story(demo, demo.visitor_port()))


if __name__ == "__main__":
    main()
