"""Readers of a folder of editions: what they find, how they notice what came and went, and that they leave no trace."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

import pytest
from doubles.pool import filled, run

from sottovoce.pool import editions as module
from sottovoce.pool.edition import EditionFile, Listed, edition_bytes
from sottovoce.pool.editions import Editions, edition_path, hash_path, numbers_in
from sottovoce.pool.errors import RoadError


def write(folder: Path, number: int, *tags: bytes) -> Listed:
    """An edition of these tags and of others."""
    all_tags = [*tags, *(secrets.token_bytes(16) for _ in range(32 - len(tags)))]
    edition_path(folder, number).write_bytes(edition_bytes(number, {tag: filled(tag) for tag in all_tags}))
    return Listed(number, 32, EditionFile(edition_path(folder, number)).hash())


def test_what_lies_in_any_edition_is_found(tmp_path: Path) -> None:
    tags = [secrets.token_bytes(16) for _ in range(9)]
    for number in range(3):
        write(tmp_path, 100 + number, *tags[number::3])
    editions = Editions(tmp_path)
    assert run(editions.find([*tags, *(secrets.token_bytes(16) for _ in range(99))])) == {
        tag: filled(tag) for tag in tags
    }
    assert run(editions.find([])) == {}


def test_tags_that_begin_alike_are_told_apart(tmp_path: Path) -> None:
    """The index holds six bytes of each tag; the files decide."""
    start = b"alike!"
    tags = [start + bytes([n]) * 10 for n in range(6)]
    for number in range(3):
        write(tmp_path, number, *tags[number::3])
    editions = Editions(tmp_path)
    assert run(editions.find([*tags, start + b"x" * 10, b"alike" + b"\xff" * 11])) == {tag: filled(tag) for tag in tags}


def test_the_least_and_the_greatest_tag_are_found(tmp_path: Path) -> None:
    ends = [bytes(16), b"\xff" * 16]
    write(tmp_path, 5, *ends)
    assert set(run(Editions(tmp_path).find(ends))) == set(ends)


def test_what_comes_and_goes_is_noticed(tmp_path: Path) -> None:
    editions = Editions(tmp_path)
    assert editions.listed() == []
    one, other = secrets.token_bytes(16), secrets.token_bytes(16)
    first = write(tmp_path, 7, one)
    assert set(run(editions.find([one, other]))) == {one}
    second = write(tmp_path, 10, other)
    assert set(run(editions.find([one, other]))) == {one, other}
    assert editions.listed() == [first, second]
    edition_path(tmp_path, 7).unlink()
    assert set(run(editions.find([one, other]))) == {other}
    assert editions.listed() == [second]
    assert editions.open(7) is None


def test_an_edition_that_goes_while_it_is_looked_at_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = write(tmp_path, 7)
    monkeypatch.setattr(module, "numbers_in", lambda folder, suffix: [7, 8])
    assert Editions(tmp_path).listed() == [held]


def test_other_names_are_no_editions(tmp_path: Path) -> None:
    for name in ("x.edition", "07.edition", "7.edition.new", "-7.edition", "7.sha256", "\u0667.edition", ".edition"):
        (tmp_path / name).write_bytes(b"")
    assert numbers_in(tmp_path, ".edition") == []


def test_an_edition_under_anothers_name_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 7)
    edition_path(tmp_path, 7).rename(edition_path(tmp_path, 8))
    with pytest.raises(RoadError, match="another number inside: move it away"):
        Editions(tmp_path).listed()


@pytest.mark.parametrize("held", [None, b"", b"x"])
def test_a_hash_that_is_missing_or_cut_is_reckoned_anew(tmp_path: Path, held: bytes | None) -> None:
    listed = write(tmp_path, 7)
    if held is not None:
        hash_path(tmp_path, 7).write_bytes(held)
    assert Editions(tmp_path).listed() == [listed]


def test_reading_leaves_no_time_of_a_visit(tmp_path: Path) -> None:
    """An access time would be when a source looked for answers."""
    tag = secrets.token_bytes(16)
    write(tmp_path, 7, tag)
    path = edition_path(tmp_path, 7)
    os.utime(path, (1_000_000, 2_000_000))
    editions = Editions(tmp_path)
    assert run(editions.find([tag]))
    editions.listed()
    found = editions.open(7)
    assert found
    with found[1] as file:
        file.read()
    assert path.stat().st_atime == 1_000_000
    path.read_bytes()  # the test of the test: this disk does note accesses, unless it is mounted otherwise
    assert path.stat().st_atime > 1_000_000 or "noatime" in Path("/proc/mounts").read_text("utf-8")


def test_2048_tags_are_looked_for_at_once(tmp_path: Path) -> None:
    """Far from exact: the bench says how fast. Here it must only not be a walk through all files."""
    for number in range(60):
        write(tmp_path, number)
    editions = Editions(tmp_path)
    tags = [secrets.token_bytes(16) for _ in range(2_048)]
    run(editions.find(tags))
    start = time.perf_counter()
    assert run(editions.find(tags)) == {}
    assert time.perf_counter() - start < 0.1
