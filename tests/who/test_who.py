"""Who sees what (DESIGN 5): each column with real artefacts tries each row, and the table says what was found.

Every trial has a control: given what its holder must not have, the same trial finds it.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from dataclasses import replace

import pytest
from who.case import Case
from who.holders import Holder, Sealed
from who.story import ADDRESSES, Disk, Stat, Story
from who.table import COLUMNS, SAYS, THREATS, columns, placed, table
from who.trials import ROWS

pytestmark = pytest.mark.timeout(300)  # seconds: the story is played before the first test
PLACES = range(len(COLUMNS))
LAPTOP = len(COLUMNS) - 1


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """The story, played once, and its truth."""
    story = Story(tmp_path_factory.mktemp("who"))
    story.play()
    return Case(story)


@pytest.fixture(scope="module")
def players(case: Case) -> list[Holder]:
    """The first holder of each column."""
    return [parts[0].holder for parts in columns(case.holders)]


def test_the_table_in_threats_says_what_the_trials_find(case: Case) -> None:
    """Else: PYTHONPATH=tests python -m who, and think over what changed."""
    text = THREATS.read_text("utf-8")
    assert placed(text, table(case)) == text


def test_a_finding_without_words_is_not_printed(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROWS, "who", lambda holder, case: frozenset({"a name"}))
    with pytest.raises(AssertionError, match="no words for what was found of 'who'"):
        table(case)


def test_every_row_has_a_trial() -> None:
    assert list(SAYS) == list(ROWS)


def test_the_truth_knows_every_letter_and_some_dummies(case: Case) -> None:
    assert set(case.letter.values()) == set(case.story.letters)
    assert {letter.slot for letter in case.story.letters} == {None, 0, 1}
    assert len(case.everything) + 32 < len(case.holders.anyone.envelopes)


# -- controls: what a trial must find when it is there -----------------------------------------------


def _texts(holder: Holder, case: Case) -> Holder:
    planted = "\n".join(letter.text for letter in case.story.letters).encode()
    return holder.given(("a forgotten file", base64.b64encode(b"xx" + planted)))


def _keys(holder: Holder, case: Case) -> Holder:
    keys = b"".join(case.story.secrets.values())
    return replace(holder, envelopes=case.holders.anyone.envelopes).given(("a core dump", b"\1" * 7 + keys))


def _as_it_came(holder: Holder, case: Case) -> Holder:
    return replace(holder, envelopes=_arrived(case))


@functools.cache
def _arrived(case: Case) -> tuple[Sealed, ...]:
    return tuple(sorted(case.holders.anyone.envelopes, key=lambda sealed: case.arrived.get(sealed.tag, 0)))


def _equal(holder: Holder, case: Case) -> Holder:
    first, second, *others = case.holders.anyone.envelopes
    joined = replace(second, envelope=first.envelope[:64] + second.envelope[64:])
    return replace(holder, envelopes=(first, joined, *others))


@functools.cache
def _marked(case: Case, way: bool | None) -> tuple[Sealed, ...]:
    """All envelopes; the last bit is set in those that go that way, None: in dummies."""

    def marked(sealed: Sealed) -> Sealed:
        last = sealed.envelope[-1] & 0xFE | (case.to_desk.get(sealed.tag) is way)
        return replace(sealed, envelope=sealed.envelope[:-1] + bytes([last]))

    return tuple(map(marked, case.holders.anyone.envelopes))


def _marked_ways(holder: Holder, case: Case) -> Holder:
    return replace(holder, envelopes=_marked(case, True))


def _marked_dummies(holder: Holder, case: Case) -> Holder:
    return replace(holder, envelopes=_marked(case, None))


def _fine_times(holder: Holder, case: Case) -> Holder:
    letter = case.story.letters[1]
    middle = (letter.began + letter.ended) / 2
    return replace(holder, disks=(*holder.disks, Disk(THREATS, [Stat("pool/editions/index", (middle, 0.0, 0.0))])))


def _address(holder: Holder, case: Case) -> Holder:
    assert case.story.letters
    return holder.given(("a log", f"GET / from {ADDRESSES[1]}".encode()))


def _access(holder: Holder, case: Case) -> Holder:
    return holder.given(("signed/access.signed", max(case.story.house.access, key=case.story.house.access.__getitem__)))


CONTROLS: list[tuple[str, Callable[[Holder, Case], Holder], str]] = [
    ("words of a message", _texts, "sent"),
    ("words of a message", _keys, "sent"),
    ("which envelopes belong together", _as_it_came, "edition: its order"),
    ("which envelopes belong together", _equal, "equal bytes"),
    ("which envelopes belong together", _keys, "sent"),
    ("to the desk or to a source", _marked_ways, "statistic"),
    ("to the desk or to a source", _keys, "messages by opening"),
    ("when", _as_it_came, "edition: its order"),
    ("when", _fine_times, "the last commit"),
    ("who", _address, "an address"),
    ("who", _texts, "what the source wrote"),
    ("how much", _marked_dummies, "dummies"),
    ("how much", _texts, "of messages"),
    ("how many members", _access, "devices"),
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: COLUMNS[place])
@pytest.mark.parametrize(("row", "plant", "mark"), CONTROLS, ids=lambda value: getattr(value, "__name__", value))
def test_a_trial_finds_what_is_planted(
    case: Case,
    players: list[Holder],
    place: int,
    row: str,
    plant: Callable[[Holder, Case], Holder],
    mark: str,
) -> None:
    found = ROWS[row](plant(players[place], case), case)
    assert any(each.startswith((mark, "door: sent", "device client")) for each in found), found


def test_an_opened_laptop_would_tell_all_that_a_locked_one_hides(case: Case) -> None:
    opened = case.holders.opened_laptop
    found = {row: trial(opened, case) for row, trial in ROWS.items() if row != "when"}
    assert all(found.values()), found


def test_memory_after_the_workers_were_replaced_holds_no_word_and_no_text(case: Case) -> None:
    """Where during the visit it held the text."""
    live, replaced = case.holders.live, case.holders.replaced
    visit = replace(live, things=case.story.memory["during a visit"], passed=())
    assert "Alma's second" in case.found(visit)
    assert case.found(replaced) == set()


def test_after_the_close_a_seized_disk_tells_no_order_and_no_moment(case: Case) -> None:
    for row in ("which envelopes belong together", "when", "how much"):
        assert ROWS[row](case.holders.closed, case) == ROWS[row](case.holders.anyone, case)


def test_who_was_removed_reads_nothing_of_what_came_later(case: Case) -> None:
    later = {letter for letter in case.story.letters if letter.act > 1}
    assert not later & set(case.read(case.holders.former))


def test_nobody_but_the_writer_and_the_source_has_an_answer_of_a_colleague(case: Case) -> None:
    read = set(case.read(case.holders.member))
    answers = {letter.slot for letter in read if not letter.sent}
    assert answers == {0}


def test_keys_of_the_first_days_are_in_no_vault_a_month_later(case: Case) -> None:
    opened = case.open(case.holders.member)
    acts = {case.letter[tag].act for tag in opened}
    assert acts == {4}
