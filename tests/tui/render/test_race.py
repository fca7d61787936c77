"""A race and a plot as text, from values made by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from uffdviz.trace.profile import Group, Kind, Pair, Profile, Row, Wait
from uffdviz.trace.profile_words import finish_words, moment, span, wait_sentences
from uffdviz.tui.render.line import plain
from uffdviz.tui.render.plot import axis, plot_lines, spread, table_lines
from uffdviz.tui.render.race import (
    Look,
    column,
    ratio,
    ruler,
    side_lines,
    total_lines,
    wait_lines,
    wait_marks,
)

GROUPS = (Group("gc", 2, changes=False), Group("writer", 1, changes=True))
WAIT = Wait("gc.1", "uninterruptible", "mmap_lock", "read", 20, 60, 70, ("writer",), 1)


def profile(
    rows: Mapping[tuple[str, Kind, str], Sequence[int]], era: str = "v6.8", *, over: bool = True
) -> Profile:
    """Slices of ten nanoseconds."""
    made = tuple(
        Row(*key, tuple(sum(spent[:n]) for n in range(len(spent) + 1)))
        for key, spent in rows.items()
    )
    end = 10 * max(len(spent) for spent in rows.values())
    return Profile(era, 0, end, 10, over, GROUPS, made, (WAIT,), 3, 100)


OLD = profile(
    {
        ("gc", "running", ""): [20, 10, 0, 0, 0, 0, 10, 20],
        ("gc", "uninterruptible", "mmap_lock"): [0, 10, 20, 20, 20, 20, 10, 0],
        ("writer", "running", ""): [10] * 8,
    }
)
NEW = profile(
    {("gc", "running", ""): [20] * 4, ("writer", "killable", "mmap_lock"): [10] * 4}, "v6.9"
)
PAIR = Pair(OLD, NEW)


def test_a_stretch_is_the_difference_of_two_sums_and_a_slice_is_spent_evenly() -> None:
    assert OLD.spent(0, 80)["uninterruptible"] == 100
    assert OLD.spent(10, 30)["uninterruptible"] == 30
    assert OLD.spent(10, 15)["uninterruptible"] == 5
    assert OLD.spent(70, 500) == OLD.spent(70, 80)
    assert OLD.spent(0, 80, ["writer"])["running"] == 80


def test_the_last_slice_may_be_shorter() -> None:
    rows = (Row("gc", "running", "", (0, 10, 15)),)
    short = msgspec.structs.replace(OLD, end=15, rows=rows)
    assert short.spent(0, 15)["running"] == 15
    assert short.spent(10, 12)["running"] == 2
    assert short.spent(10, 20)["running"] == 5


def test_a_side_is_stacked_from_d_state_up() -> None:
    lines = plain(side_lines(OLD, 0, Look(80, 0, 80), 8, 9)).splitlines()
    assert lines[:4] == ["gc: 2 ta", "==████==", "=██████=", "=██████="]
    assert lines[4:7] == ["writer:", "========", "========"]
    assert lines[7].endswith("▼")


def test_what_comes_after_the_moment_is_not_there_or_dim() -> None:
    lines = side_lines(OLD, 0, Look(40, 0, 80), 8, 7)
    assert plain(lines[1:3]).splitlines() == ["==██", "=███"]
    ahead = side_lines(OLD, 0, Look(40, 0, 80, ahead=True), 8, 7)
    assert plain(ahead[1:3]).splitlines() == ["==████==", "=██████="]
    assert [(span_.text, span_.role) for span_ in ahead[2]] == [
        ("=", "ready"),
        ("███", "bad"),
        ("███=", "dim"),
    ]


def test_little_d_state_leaves_a_trace_and_none_leaves_none() -> None:
    some = column({"uninterruptible": 1, "running": 999}, 1000, 4)
    assert [cell.text for cell in some] == ["▁", "=", "=", "="]
    assert some[0].role == "bad"
    none = column({"uninterruptible": 0, "running": 1000}, 1000, 4)
    assert [cell.text for cell in none] == ["="] * 4


@pytest.mark.parametrize("height", range(6))
def test_a_column_is_never_higher_than_the_picture(height: int) -> None:
    spent: dict[Kind, int] = {"uninterruptible": 333, "runnable": 333, "running": 334}
    assert len(column(spent, 1000, height)) == height


def test_borders_and_columns_agree() -> None:
    look = Look(0, 17, 1017)
    for x in range(38):
        assert look.column(look.border(x, 37), 37) == x


@pytest.mark.parametrize("time", [0, 35, 79, 80])
@pytest.mark.parametrize("width", [8, 20, 37])
def test_the_ruler_fills_the_line(time: int, width: int) -> None:
    said = "".join(piece.text for piece in ruler(Look(time, 0, 80), width))
    assert len(said) == width
    assert "▼" in said


def test_moments_that_differ_read_differently() -> None:
    assert moment(1_234_567_890, 1_000) == "1.234568 s"
    assert moment(1_234_567_890, 100_000_000) == "1.2 s"
    assert moment(1_500, 1) == "1.500 µs"
    assert moment(12, 50) == "12 ns"
    assert span(2_901_000_000) == "2.901 s"


def test_a_wait_is_marked_on_its_side_only() -> None:
    look = Look(20, 0, 80, (0, WAIT))
    assert plain([tuple(wait_marks(0, look, 8))]) == "  ├┅┅┤"
    assert not list(wait_marks(1, look, 8))
    assert plain([tuple(wait_marks(0, Look(70, 70, 80, (0, WAIT)), 8))]) == "◂"
    assert plain([tuple(wait_marks(0, Look(0, 0, 10, (0, WAIT)), 8))]).strip() == "▸"


def test_the_totals_stand_side_by_side_with_what_one_is_of_the_other() -> None:
    text = plain(total_lines(PAIR, 80, 78))
    rows = {row[:30].strip(): row[30:].split() for row in text.splitlines()}
    assert rows["wall clock"] == ["80", "ns✓", "40", "ns✓", "2.0", "×"]
    assert rows["= runs"] == ["140", "ns", "80", "ns", "1.8", "×"]
    assert rows["█ D-state by a lock: gc"] == ["100", "ns", "–", "only", "here"]
    assert rows["▓ killable sleep"] == ["–", "40", "ns", "0.0", "×"]
    assert rows["█ for mmap_lock"][:2] == ["100", "ns"]


def test_totals_in_the_middle_are_those_until_then() -> None:
    text = plain(total_lines(PAIR, 20, 78))
    assert "█ D-state by a lock: gc" in text
    assert "10 ns" in text
    assert "✓" not in text


def test_a_ratio_of_nothing_is_no_number() -> None:
    assert (ratio(0, 0), ratio(5, 5), ratio(5, 0), ratio(6, 4)) == ("", "=", "only here", "1.5 ×")


def test_who_came_first_is_said_at_every_moment() -> None:
    assert finish_words(PAIR, 10) == "v6.8 goes on; v6.9 goes on."
    assert finish_words(PAIR, 50) == "v6.9 has finished, at 40 ns; v6.8 goes on."
    assert (
        finish_words(PAIR, 80)
        == "v6.9 finished first, at 40 ns; v6.8 took 80 ns, 2.00 times as long."
    )
    cut = Pair(profile({("gc", "running", ""): [20] * 8}, over=False), NEW)
    assert finish_words(cut, 80) == "v6.9 has finished, at 40 ns; v6.8 is known until 80 ns."
    assert finish_words(Pair(NEW, NEW), 40) == "Both finished at 40 ns."


def test_a_wait_in_words() -> None:
    assert list(wait_sentences("v6.8", WAIT)) == [
        "v6.8: gc.1 waits for mmap_lock to read, 40 ns",
        "It sleeps uninterruptible (D, as ps shows it) from 20 ns to 60 ns",
        "When it began writer had the lock, and one was queued before it",
        "Then it could run, and had its processor 10 ns later",
    ]
    text = plain(wait_lines(PAIR, (0, WAIT), 200))
    assert "Of 3 waits for locks within 80 ns of v6.8, the longest 1 can be gone to" in text


# the plot


def swept(walls: Mapping[int, tuple[int, int]], values: Sequence[int] = ()) -> dict[str, Any]:
    def run(ns: int) -> dict[str, Any]:
        return {"totals": {"wall_ns": ns, "all": {"uninterruptible_ns": {"mmap_lock": ns // 2}}}}

    return {
        "eras": ["v6.8", "v6.9"],
        "sweep": {"name": "writer", "values": list(values or walls)},
        "points": [
            {"value": value, "runs": {"v6.8": run(left), "v6.9": run(right)}}
            for value, (left, right) in walls.items()
        ],
    }


def test_a_plot_has_a_letter_an_era_and_the_ratio_below() -> None:
    lines = plain(
        plot_lines(swept({0: (1000, 1000), 1: (2000, 1000), 2: (4000, 1000)}), 60, 14, cost=False)
    )
    rows = lines.splitlines()
    assert rows[1].startswith("        4 µs │")
    assert rows[1].endswith("o")
    assert lines.count("o") >= 2
    assert "*" in lines
    assert rows[-2].split() == ["ratio", "1.0", "2.0", "4.0"]
    assert rows[-3].split() == ["writer", "0", "1", "2"]
    assert "logarithmic" not in lines


def test_a_wide_range_has_a_logarithmic_scale_and_says_so() -> None:
    lines = plain(plot_lines(swept({1: (10**9, 10**6)}, [1, 100]), 70, 14, cost=False))
    assert "wall clock and value on a logarithmic scale" in lines
    assert "1 s" in lines
    assert "1 ms" in lines


def test_an_axis_that_can_has_its_zero() -> None:
    assert axis([4, 10], zero=True).at(0, 11) == 0
    assert axis([0, 1000]).log is False
    assert [axis([1, 10, 100]).at(n, 11) for n in (1, 10, 100)] == [0, 5, 10]
    assert [axis([10, 20, 30]).at(n, 11) for n in (10, 20, 30)] == [0, 5, 10]
    assert axis([5, 5]).at(5, 40) == 0


def test_costs_are_times_and_counts_are_numbers() -> None:
    some = swept({2500: (10, 5), 40000: (20, 5)})
    assert "2.5 µs" in plain(plot_lines(some, 60, 14, cost=True))
    assert "2500" in plain(plot_lines(some, 60, 14, cost=False))


def test_nothing_done_yet_is_said() -> None:
    assert plain(plot_lines(swept({}, [1, 2]), 60, 14, cost=False)) == "No value is done yet."
    assert len(table_lines(swept({}, [1, 2]), 60)) == 1


def test_words_below_do_not_run_into_each_other_and_the_last_one_stays() -> None:
    assert spread([(0, "100"), (2, "200"), (9, "900")], 12) == "100     900"
    assert "900" in spread([(8, "800"), (9, "900")], 12)


def test_the_table_says_the_same() -> None:
    text = plain(table_lines(swept({3: (4000, 1000)}), 90))
    assert text.splitlines()[1].split() == [
        "3",
        "4",
        "µs",
        "1",
        "µs",
        "4.00",
        "2",
        "µs",
        "500",
        "ns",
    ]
