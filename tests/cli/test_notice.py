"""What `desk away` and `desk compromise` ask, print and leave."""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from cli.conftest import House, Run
from doubles.road import MemoryRoad

from sottovoce.protocol.sizes import epoch_of


def day(days: int) -> str:
    """A day so many from today."""
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


@pytest.fixture
def desk(house: House, road: MemoryRoad, run: Run, tmp_path: Path) -> Path:
    """A desk that synced once."""
    folder = tmp_path / "desk"
    shutil.copytree(house.desk, folder)
    assert run("desk", "sync", folder, *house.secret).code == 0
    return folder


def told(road: MemoryRoad) -> tuple[int | None, int | None]:
    notices = road._signed.published(epoch_of(time.time())).notices
    return notices.away_until, notices.compromised_since


def test_away_and_back(run: Run, house: House, desk: Path, road: MemoryRoad) -> None:
    done = run("desk", "away", desk, "--until", day(9), *house.secret)
    assert (done.code, done.err) == (0, "")
    assert done.out == f"Signed and handed in: sources are told that nobody reads until {day(9)}.\n"
    assert told(road) == (epoch_of(time.time()) + 9, None)
    assert f"Away: sources are told that nobody reads until {day(9)}." in run("desk", "status", desk, *house.secret).out
    done = run("desk", "away", desk, "--back", *house.secret)
    assert done.out == "Signed and handed in: sources are not told any more that nobody reads.\n"
    shown = json.loads(run("desk", "status", desk, "--json", *house.secret).out)
    assert (shown["away_until"], shown["compromised_since"], told(road)) == (None, None, (None, None))


def test_compromise_asks_back_once_and_says_where_else_to_publish(
    run: Run, house: House, desk: Path, road: MemoryRoad, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answers = [False, True]

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return answers.pop(0)

    monkeypatch.setattr(click, "confirm", confirm)
    done = run("desk", "compromise", desk, "--since", day(-2), *house.secret)
    assert (done.code, done.err, told(road)) == (1, "Nothing was signed.\n", (None, None))
    done = run("desk", "compromise", desk, "--since", day(-2), *house.secret)
    assert done.code == 0
    assert f"on top of every page that messages since {day(-2)} may be known to others" in asked[0]
    assert "may not show it: publish it by other ways too" in done.out
    assert told(road) == (None, epoch_of(time.time()) - 2)
    assert "Compromise: sources are told that messages since" in run("desk", "status", desk, *house.secret).out
    done = run("desk", "compromise", desk, "--over", "--yes", *house.secret)
    assert (done.code, len(asked), told(road)) == (0, 2, (None, None))
    assert "publish" not in done.out


def test_what_was_not_handed_in_is_told_and_goes_out_with_a_sync(
    run: Run, house: House, desk: Path, road: MemoryRoad
) -> None:
    road.losses["put_notice"] = ["before"]
    done = run("desk", "compromise", desk, "--since", day(0), "--yes", *house.secret)
    assert done.code == 1
    assert f"Signed, and kept here: the next sync hands it in.  sottovoce desk sync {desk}" in done.out
    assert run("desk", "sync", desk, *house.secret).code == 0
    assert told(road) == (None, epoch_of(time.time()))


def test_a_door_that_hides_it_is_an_alarm(run: Run, house: House, desk: Path, road: MemoryRoad) -> None:
    road.at_door["compromise"] = None
    done = run("desk", "compromise", desk, "--since", day(0), "--yes", *house.secret)
    assert done.code == 1
    assert "ALARM: The door does not show the notice of compromise that members signed" in done.out


# Days a day further than they would have to be: midnight may come between this and the test.
WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "a day that is over": (("away", "--until", day(-1)), f"{day(-1)} is over: name the last day"),
    "too far": (("away", "--until", day(62)), "more than 60 days away: name an earlier day"),
    "no day": (("away", "--until", "2026-02-30"), "'2026-02-30' is no day: write it as 2026-12-14."),
    "in words": (("away", "--until", "tomorrow"), "is no day"),
    "neither": (("away",), "Say one of two: --until DAY, or --back."),
    "both": (("away", "--until", day(1), "--back"), "Say one of two: --until DAY, or --back."),
    "a day to come": (("compromise", "--since", day(2), "--yes"), "still to come"),
    "before all days": (("compromise", "--since", "1969-01-01", "--yes"), "No message is that old"),
    "neither nor": (("compromise", "--yes"), "Say one of two: --since DAY, or --over."),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_can_not_be_is_told_in_one_sentence_before_anything_is_asked(run: Run, house: House, name: str) -> None:
    (verb, *options), said = WRONG[name]
    done = run("desk", verb, house.desk, *options)  # no passphrase: it would be asked for
    assert done.code in (1, 2)
    assert (done.out, done.err.count("\n")) == ("", 1)
    assert said in done.err
