"""`python -m bench [--quick]`: measures, writes build/bench.json, prints a table."""

from __future__ import annotations

import argparse
import html.parser
import json
import math
import re
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from doubles.organisation import Organisation
from rich.console import Console
from rich.table import Table

from sottovoce.protocol.sizes import epoch_of

from . import abuse, call, ceilings, costs
from .desk import dummies, opens, reads, stored
from .editions import close_seconds
from .running import ROOT, Running, serving

OUT = ROOT / "build" / "bench.json"
CONCURRENT = 16
ONE_WINDOW = 14_600  # bytes: ten segments of 1,460, what comes before the first acknowledgement


@dataclass(frozen=True)
class Figure:
    """One measured value; `ceiling`: the most (or for sizes, the aim) that this machine or network allows."""

    name: str
    value: float
    unit: str
    ceiling: float | None
    command: str
    beside: str = ""


@dataclass(frozen=True)
class Load:
    """What so many visitors at a time got done."""

    rate: float
    p95_ms: float
    beside: str
    command: str


def load(running: Running, kind: str, seconds: float) -> Load:
    """Visitors from a process of their own."""
    words = [sys.executable, "-m", "bench.visitors", str(running.socket), kind, str(seconds), str(CONCURRENT)]
    before = running.cpu_seconds()
    answer = json.loads(subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE, timeout=120).stdout)
    server = (running.cpu_seconds() - before) / answer["seconds"]
    times = sorted(answer["times"])
    p95 = times[math.ceil(0.95 * len(times)) - 1] * 1000
    beside = f"cores: server {server:.2f}, visitors {answer['cpu'] / answer['seconds']:.2f}"
    command = f"python -m bench.visitors run/door.sock {kind} {seconds:g} {CONCURRENT}"
    return Load(answer["done"] / answer["seconds"], p95, beside, command)


class Fetched(html.parser.HTMLParser):
    """Counts what a browser would fetch for a page by itself."""

    NAMES = frozenset({"src", "srcset", "poster", "background", "data"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.count = len(re.findall(r"url\(|@import", page))
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = self.NAMES | ({"href"} if tag in ("link", "image", "use") else set())
        self.count += sum(name in own and not (value or "").startswith("data:") for name, value in attrs)


def first_page(running: Running) -> list[Figure]:
    """The first page: all its bytes, and how many requests a browser makes for it."""
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(10)
        stream.connect(str(running.socket))
        stream.sendall(b"PROXY TCP6 fc00:dead:beef:4dad::0:1 ::1 65535 42\r\n")
        stream.sendall(b"GET / HTTP/1.1\r\nHost: o.onion\r\nConnection: close\r\n\r\n")
        raw = b"".join(iter(lambda: stream.recv(65_536), b""))
    requests = 1 + Fetched(raw.partition(b"\r\n\r\n")[2].decode()).count
    return [
        Figure("door.first_page_bytes", len(raw), "bytes", ONE_WINDOW, "GET /", "with all headers"),
        Figure("door.first_page_requests", requests, "requests", 1, "GET /"),
    ]


def door(folder: Path, running: Running, seconds: float) -> list[Figure]:
    """What visitors get done, and what it costs."""
    messages, visits = load(running, "messages", seconds), load(running, "visits", seconds)
    stored = ceilings.seals_stored(folder, seconds / 4)
    looks = ceilings.looks(seconds / 4)
    p95 = f"{CONCURRENT} visitors write without a pause"
    return [
        *first_page(running),
        Figure("door.messages_per_s", messages.rate, "messages/s", stored, messages.command, messages.beside),
        Figure("door.inbox_visits_per_s", visits.rate, "visits/s", looks, visits.command, visits.beside),
        Figure(f"door.p95_ms_at_{CONCURRENT}", messages.p95_ms, "ms", None, messages.command, p95),
        Figure("server.memory_mib", running.memory_mib(), "MiB", None, "Pss after both loads", "starter and workers"),
    ]


def desk(org: Organisation, folder: Path, seconds: float) -> list[Figure]:
    """What opening costs by itself, and what reading an edition of messages or of dummies costs with the vault."""
    messages = stored(org)
    opened, bare = opens(org, messages, seconds)
    took, others = reads(org, folder / "messages.db", messages), reads(org, folder / "dummies.db", dummies(org))
    new = "open_at_desk, verify: each of a new source"
    return [
        Figure("desk.opens_per_s_per_core", opened, "opens/s", bare, new, f"{opened / bare:.0%} of the bare opening"),
        Figure(
            "desk.reads_per_s_per_core", took, "envelopes/s", bare, "Collector: messages", "with the vault's writes"
        ),
        Figure("desk.skips_per_s_per_core", others, "envelopes/s", bare / 2, "Collector: dummies", "two openings each"),
    ]


def pool(org: Organisation, folder: Path, seconds: float, close: int) -> list[Figure]:
    """What sealing, dummies, closing and looking cost."""
    seals, dummies = costs.seals(org, seconds), costs.dummies(org, seconds)
    bare = ceilings.seals(seconds)
    took, written = close_seconds(folder / "closed", close), costs.written_seconds(folder / "written", close)
    figures = [
        Figure("source.seals_per_s_per_core", seals, "seals/s", bare, "seal_to_desk, one part, 16 MACs"),
        Figure("pool.dummies_per_s_per_core", dummies, "dummies/s", bare, "make_dummy: a fresh key each"),
        Figure(f"pool.edition_close_s_at_{close:.0e}".replace("+0", ""), took, "s", written, "SqlitePool.turn"),
    ]
    for alive in costs.ALIVE:
        looks = costs.inbox_cpu_ms(org, folder / f"alive-{alive}", alive)
        name, beside = f"door.inbox_cpu_ms_at_{alive:.0e}".replace("+0", ""), f"{looks.answered:.2f} with three answers"
        figures.append(Figure(name, looks.empty, "ms", 1_000 / ceilings.looks(seconds / 4), "Source.inbox", beside))
    return figures


def flood(seconds: float) -> list[Figure]:
    """What an honest visitor beside attackers waits, and loses: the worst attack, and all together."""
    results, copies = abuse.tried(seconds)
    worst = max(results, key=lambda result: result.p95)
    heaviest = max(results, key=lambda result: result.memory_mib)
    command, written = "python -m bench.abuse", sum(len(result.said) for result in results)
    return [
        Figure("flood.honest_p95_s", worst.p95, "s", None, command, worst.name),
        Figure("flood.lost", sum(result.lost for result in results), "messages", 0, command, f"of {written}"),
        Figure("flood.replay_copies", copies, "messages", 1, command, "one form sent 601 times"),
        Figure("flood.memory_mib", heaviest.memory_mib, "MiB", None, command, heaviest.name),
    ]


def calls(folder: Path, *, quick: bool) -> list[Figure]:
    """What a call's films cost beside the same by hand; and all of the worked example, which takes minutes."""
    ours, hand = call.films_beside_by_hand(folder / "films", 2 if quick else call.SECONDS)
    command, beside = "python -m bench.call", f"{ours.seconds:.0f} s, by hand {hand:.0f} s: 30 films, six languages"
    figures = [Figure("call.build_ratio_to_by_hand", ours.seconds / hand, "", 0.6, command, beside)]
    if quick:
        return figures
    example, again = call.whole_example(folder / "example")
    slowest = ", ".join(
        f"{name} {s:.0f} s" for name, s in sorted(example.stages.items(), key=lambda each: -each[1])[:4]
    )
    return [
        *figures,
        Figure("call.example_s", example.seconds, "s", None, command, slowest),
        Figure("call.unchanged_build_s", again, "s", 2, command, "nothing changed; the middle one of three"),
    ]


def table(figures: list[Figure]) -> Table:
    """The figures for people."""
    shown = Table("figure", "value", "unit", "ceiling", "beside", title="Sottovoce on this machine")
    shown.columns[0].no_wrap = True
    for figure in figures:
        ceiling = "" if figure.ceiling is None else f"{figure.ceiling:,.0f}"
        value = f"{figure.value:,.2f}" if figure.value < 1 else f"{figure.value:,.1f}"
        shown.add_row(figure.name, value.rstrip("0").rstrip("."), figure.unit, ceiling, figure.beside)
    return shown


def main() -> None:
    """Measures everything in a folder of its own."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the door and the desk.")
    parser.add_argument("--quick", action="store_true", help="seconds instead of a minute")
    seconds = 3.0 if parser.parse_args().quick else 20.0
    with tempfile.TemporaryDirectory() as name:
        org = Organisation(Path(name), epoch_of(time.time()))
        org.go_on_duty()
        with serving(org.server) as running:
            figures = door(Path(name), running, seconds)
        figures += desk(org, Path(name), seconds / 4)
        figures += pool(org, Path(name), seconds / 8, 100_000)
        figures += calls(Path(name) / "calls", quick=seconds < 10)
    figures += flood(max(2.0, seconds / 4))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"figures": [asdict(figure) for figure in figures]}, indent=1) + "\n")
    Console().print(table(figures))


if __name__ == "__main__":
    main()
