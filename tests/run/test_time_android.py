"""The headline of the series: the same calls, the same costs, and only the era changed."""

from typing import Any

import pytest

from uffdviz.run.measure import Plan, measure, set_up

NAME = "android-compaction"
COMPACTS_OR_FAULTS = ("gc.", "app.")


def blocked(run: dict[str, Any]) -> dict[str, int]:
    """Uninterruptible sleep of the tasks that compact or fault, by lock."""
    sums: dict[str, int] = {}
    for name, row in run["totals"]["tasks"].items():
        if name.startswith(COMPACTS_OR_FAULTS):
            for lock, ns in row["uninterruptible_ns"].items():
                sums[lock] = sums.get(lock, 0) + ns
    return sums


def test_both_eras_get_the_same_calls_at_the_same_costs() -> None:
    old, new = set_up(Plan(NAME, "v6.8")), set_up(Plan(NAME, "v6.9"))
    assert old.scenario == new.scenario
    assert old.costs == new.costs
    assert not old.scenario.costs
    assert old.courses.keys() == new.courses.keys()
    for name, course in old.courses.items():
        other = new.courses[name]
        assert course.numbers == other.numbers
        mine, theirs = (c.calls(c.numbers[0]) for c in (course, other))
        assert [b.called.fact for b in mine] == [b.called.fact for b in theirs]


@pytest.mark.timeout(400)
def test_since_v6_9_the_compaction_takes_less_than_half_a_second_and_nobody_in_it_blocks() -> None:
    run = measure(Plan(NAME, "v6.9"))
    assert not run["unfinished"]
    assert run["totals"]["wall_ns"] < 500_000_000
    assert sum(blocked(run).values()) <= 30_000_000
    assert "mmap_lock" not in blocked(run)


@pytest.mark.timeout(900)
def test_v6_8_takes_about_three_seconds_and_twenty_of_uninterruptible_sleep() -> None:
    run = measure(Plan(NAME, "v6.8"))
    assert not run["unfinished"]
    assert 2_400_000_000 <= run["totals"]["wall_ns"] <= 3_600_000_000
    assert sum(blocked(run).values()) > 20_000_000_000
