"""Steps: only what changed is made, whole or not at all, whatever ends the program between."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sottovoce.outreach.errors import CallError
from sottovoce.outreach.steps import Builder, Done, Step


class Kitchen:
    """Two dishes from two inputs: `a` upper-case, and `both` from `a` and `b`; it counts what was made."""

    def __init__(self, folder: Path) -> None:
        self.inputs, self.built = folder / "in", folder / "build"
        self.inputs.mkdir()
        for name in "ab":
            (self.inputs / name).write_text(name)
        self.made: list[str] = []
        self.recipe = "1"

    def steps(self) -> list[Step]:
        upper, both = self.built / "x" / "upper", self.built / "both"
        return [
            Step("second", (both,), (upper, self.inputs / "b"), "join", self._write("both", upper, self.inputs / "b")),
            Step("first", (upper,), (self.inputs / "a",), self.recipe, self._write("upper", self.inputs / "a")),
        ]

    def _write(self, name: str, *parts: Path) -> Callable[[Path], None]:
        def make(folder: Path) -> None:
            self.made.append(name)
            (folder / name).write_text("".join(part.read_text() for part in parts).upper())

        return make

    def build(self) -> list[str]:
        """What was made by one build."""
        self.made.clear()
        done: list[Done] = []
        Builder(self.built, 2).build(self.steps(), done.append)
        assert len(done) == 2
        assert [each.ran for each in done].count(True) == len(self.made)
        return self.made


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    return Kitchen(tmp_path)


def test_nothing_is_made_twice_and_only_what_depends_on_a_change_is_made_anew(kitchen: Kitchen) -> None:
    assert kitchen.build() == ["upper", "both"]
    assert (kitchen.built / "both").read_text() == "AB"
    assert kitchen.build() == []
    (kitchen.inputs / "b").write_text("c")
    assert kitchen.build() == ["both"]
    assert (kitchen.built / "both").read_text() == "AC"


def test_an_input_with_other_bytes_and_the_same_result_stops_there(kitchen: Kitchen) -> None:
    kitchen.build()
    (kitchen.inputs / "a").write_text("A")
    assert kitchen.build() == ["upper"]


def test_another_recipe_or_a_touched_output_is_made_anew(kitchen: Kitchen) -> None:
    kitchen.build()
    kitchen.recipe = "2"
    assert kitchen.build() == ["upper"]
    (kitchen.built / "both").write_text("exchanged")
    assert kitchen.build() == ["both"]
    (kitchen.built / "x" / "upper").unlink()
    assert kitchen.build() == ["upper"]


@pytest.mark.parametrize("folder", ["..", "../../in", ".", "in/.."])
def test_no_input_is_ever_removed_however_its_folder_is_named(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deep/in/in").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep/in/in" if folder.startswith("..") else tmp_path / "deep/in")
    call = Path(folder)
    (call / "logo").write_text("a")
    step = Step("first", (call / "build/x",), (call / "logo",), "1", lambda fresh: (fresh / "x").touch())
    for steps in ([step], [step], []):
        Builder(call / "build").build(steps, lambda _: None)
        assert (call / "logo").exists()
        assert (call / "build/x").exists() == bool(steps)


def test_a_planted_memory_removes_nothing_outside(kitchen: Kitchen, tmp_path: Path) -> None:
    kitchen.build()
    (tmp_path / "victim").write_text("x")
    state = kitchen.built / ".made.json"
    held = json.loads(state.read_text())
    state.write_text(json.dumps({**held, "../victim": held["both"], str(tmp_path / "victim"): held["both"]}))
    kitchen.build()
    assert (tmp_path / "victim").exists()


def test_a_copy_of_the_folder_is_as_fresh_as_the_first(kitchen: Kitchen, tmp_path: Path) -> None:
    kitchen.build()
    (tmp_path / "elsewhere").mkdir()
    copy = Kitchen(tmp_path / "elsewhere")
    shutil.copytree(kitchen.built, copy.built, copy_function=shutil.copyfile)  # without times
    assert Builder(copy.built).stale(copy.steps()) == []
    (copy.built / "both").write_text("XY")
    assert [step.stage for step in Builder(copy.built).stale(copy.steps())] == ["second"]


def test_what_is_no_longer_built_is_gone(kitchen: Kitchen) -> None:
    kitchen.build()
    Builder(kitchen.built, 1).build(kitchen.steps()[1:], lambda _: None)
    assert not (kitchen.built / "both").exists()
    assert (kitchen.built / "x" / "upper").exists()
    Builder(kitchen.built, 1).build([], lambda _: None)
    assert not (kitchen.built / "x").exists()


def test_a_failed_step_leaves_no_half_output_and_what_was_made_stays(kitchen: Kitchen) -> None:
    first = kitchen.steps()[1]

    def fail(folder: Path) -> None:
        (folder / "both").write_text("half")
        raise CallError("no")

    failing = Step("second", (kitchen.built / "both",), first.outputs, "fail", fail)
    with pytest.raises(CallError, match="no"):
        Builder(kitchen.built, 2).build([failing, first], lambda _: None)
    assert not (kitchen.built / "both").exists()
    assert kitchen.build() == ["both"]


def test_a_missing_input_is_named(kitchen: Kitchen) -> None:
    (kitchen.inputs / "b").unlink()
    with pytest.raises(CallError, match="b is missing: put it there"):
        kitchen.build()


def test_a_damaged_state_makes_all_anew(kitchen: Kitchen) -> None:
    kitchen.build()
    for damage in ("{", "[]", '{"both": 3}', '{"both": ["a"]}'):
        (kitchen.built / ".made.json").write_text(damage)
        assert kitchen.build() == ["upper", "both"]


def test_steps_run_side_by_side(kitchen: Kitchen) -> None:
    meet = threading.Barrier(2, timeout=10)

    def make(name: str) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            meet.wait()
            (folder / name).write_text("x")

        return write

    steps = [Step("s", (kitchen.built / name,), (), "", make(name)) for name in "pq"]
    Builder(kitchen.built, 2).build(steps, lambda _: None)
    assert (kitchen.built / "q").exists()


def test_steps_that_wait_for_one_another_are_refused(kitchen: Kitchen) -> None:
    one, two = kitchen.built / "one", kitchen.built / "two"
    steps = [Step("s", (one,), (two,), "", print), Step("s", (two,), (one,), "", print)]
    with pytest.raises(CallError, match="wait for one another"):
        Builder(kitchen.built, 2).build(steps, lambda _: None)


def test_what_a_build_would_make_is_known_before(kitchen: Kitchen) -> None:
    def stale() -> list[str]:
        return [step.stage for step in Builder(kitchen.built).stale(kitchen.steps())]

    assert stale() == ["second", "first"], "nothing is there yet"
    kitchen.build()
    assert stale() == []
    (kitchen.inputs / "b").write_text("c")
    assert stale() == ["second"]
    kitchen.recipe = "2"
    assert stale() == ["second", "first"]
    kitchen.build()
    (kitchen.built / "both").write_text("another's")
    assert stale() == ["second"]
    assert (kitchen.built / "both").read_text() == "another's", "to look changes nothing"
