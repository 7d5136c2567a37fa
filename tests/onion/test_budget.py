"""Budgets of circuits (spec 9.11): in memory, bounded, by a clock that is handed in."""

from __future__ import annotations

import pytest

from sottovoce.onion.budget import Budgets, Rate


class Clock:
    """Seconds that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budgets(clock: Clock) -> Budgets:
    return Budgets(clock, {"envelope": Rate(3, 0.5), "work": Rate(10, 1)}, most=4)


def test_9_11_a_circuit_begins_with_a_full_budget_and_gets_back_a_little(budgets: Budgets, clock: Clock) -> None:
    assert [budgets.take("a", "envelope") for _ in range(5)] == [True, True, True, False, False]
    clock.now += 1.9
    assert not budgets.take("a", "envelope")
    clock.now += 0.1
    assert [budgets.take("a", "envelope") for _ in range(2)] == [True, False]
    clock.now += 10**6
    assert [budgets.take("a", "envelope") for _ in range(4)] == [True, True, True, False]


def test_what_is_refused_costs_nothing(budgets: Budgets) -> None:
    assert not budgets.take("a", "work", 10.5)
    assert budgets.take("a", "work", 10)
    assert not budgets.take("a", "work", 0.1)


def test_circuits_and_kinds_do_not_disturb_each_other(budgets: Budgets) -> None:
    assert budgets.take("a", "envelope", 3)
    assert budgets.take("b", "envelope", 3)
    assert budgets.take("a", "work", 10)
    assert not budgets.take("a", "envelope")


def test_a_clock_that_goes_back_gives_and_takes_nothing(budgets: Budgets, clock: Clock) -> None:
    assert budgets.take("a", "envelope", 2)
    clock.now -= 50
    assert [budgets.take("a", "envelope") for _ in range(2)] == [True, False]


def test_attack_circuits_without_end_fill_no_memory(budgets: Budgets) -> None:
    for number in range(1_000):
        budgets.take(str(number), "envelope")
        assert len(budgets) <= 4


def test_who_is_still_there_is_remembered_longest(budgets: Budgets) -> None:
    budgets.take("a", "envelope", 3)
    for number in range(10):
        assert not budgets.take("a", "envelope")
        budgets.take(f"new {number}", "envelope")
    for number in range(4):
        budgets.take(f"newer {number}", "envelope")
    assert budgets.take("a", "envelope", 3)  # pushed out: it begins anew


def test_an_unknown_kind_is_a_fault_of_ours(budgets: Budgets) -> None:
    with pytest.raises(KeyError):
        budgets.take("a", "nothing")


def test_what_is_spent_beyond_the_budget_is_a_debt_that_time_pays(budgets: Budgets, clock: Clock) -> None:
    assert [budgets.spend("a", "envelope", 2) for _ in range(2)] == [1, -1]
    assert not budgets.take("a", "envelope")
    clock.now += 4
    assert budgets.take("a", "envelope")
    assert budgets.spend("b", "envelope") == 2
