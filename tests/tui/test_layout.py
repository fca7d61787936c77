"""Panels that stay take the room of those that are hidden."""

import pytest

from tests.tui.screen import Shown, Size, show
from tests.tui.settings import lesson, session
from uffdviz.tui.screens.layout import (
    DECK,
    LARGE,
    LECTURE,
    LOW,
    MEDIUM,
    SMALL,
    THIN,
    Layout,
    Seats,
    layout_for,
    lines_for,
    seats,
)
from uffdviz.tui.widgets.deck import in_sight


def test_nothing_hidden() -> None:
    rows, spans = seats(LARGE.bands, (), 5)
    assert rows == "6fr 3fr 7fr 5 5"
    assert spans["source"] == (1, 2)
    assert spans["timeline"] == (2, 1)


def test_the_other_one_of_a_row_takes_all_of_it() -> None:
    assert seats(SMALL.bands, {"locks"}, 5).spans["tasks"] == (2, 1)
    assert seats(MEDIUM.bands, {"source"}, 5).spans["front"] == (2, 1)


def test_a_row_of_which_nothing_is_left_is_not_there() -> None:
    assert seats(SMALL.bands, {"tasks", "locks"}, 5).rows == "1fr 5"
    assert seats(MEDIUM.bands, {"timeline"}, 5).rows == "3fr 4fr 5"


def test_a_column_that_gets_shorter_keeps_the_height() -> None:
    rows, spans = seats(LARGE.bands, {"memory"}, 5)
    assert rows == "6fr 10fr 5 5"
    assert spans["source"] == spans["front"] == (1, 1)
    rows, spans = seats(LARGE.bands, {"source"}, 5)
    assert rows == "6fr 3fr 7fr 5 5"
    assert spans["memory"] == spans["front"] == (2, 1)


def test_a_lecture_is_few_and_large() -> None:
    spans = {"tasks": (1, 1), "locks": (1, 1), "now": (2, 1)}
    assert seats(LECTURE, (), 5) == Seats("1fr 7", spans)
    assert not spans.keys() & {*DECK}


@pytest.mark.parametrize(
    ("size", "layout"),
    [
        ((37, 9), THIN), ((59, 21), THIN), ((60, 21), LOW), ((200, 10), LOW), ((37, 22), SMALL),
        ((95, 40), SMALL), ((96, 28), MEDIUM), ((110, 36), LARGE),
    ],
)  # fmt: skip
def test_every_size_has_a_layout_with_now_in_it(size: Size, layout: Layout) -> None:
    assert layout_for(*size) == layout
    assert "now" in seats(layout.bands, (), 5, lines_for(size[1])).spans


def test_now_has_the_lines_that_there_are() -> None:
    assert seats(LOW.bands, (), 5, lines_for(12)).rows == "1fr 2"
    assert seats(THIN.bands, (), 5, lines_for(11)).rows == "1fr 1"


def test_the_name_in_front_is_in_sight() -> None:
    names = ("tasks", "locks", "graph")
    assert in_sight(names, "locks", 13) == names
    assert in_sight(names, "locks", 12) == ("locks", "graph", "tasks")
    assert in_sight(names, "", 3) == names


@pytest.mark.parametrize("width", [30, 37, 59, 60, 79, 80, 120])
@pytest.mark.parametrize("height", [4, 9, 11, 12, 16, 21, 22, 24])
def test_what_happened_is_said_at_every_size(width: int, height: int) -> None:
    async def act(shown: Shown) -> None:
        assert "2  app calls mprotect" in await shown.press("1", "2")
        assert "! there is no" in await shown.press("9")

    show(act, session(2, 2), (width, height))


def test_a_terminal_that_gets_lower_and_higher_again_shows_what_it_showed() -> None:
    async def act(shown: Shown) -> None:
        before = await shown.press("b", "t", "t")
        assert "[Timeline]" in before
        for size in ((70, 16), (37, 9), (200, 5), (80, 24)):
            await shown.pilot.resize_terminal(*size)
            await shown.settle()
        assert shown.text == before

    show(act, lesson(), (80, 24))


def test_all_panels_are_within_reach_on_few_rows() -> None:
    async def act(shown: Shown) -> None:
        seen = [await shown.press("t") for _ in THIN.deck]
        names = [text.split("[")[1].partition("]")[0].lower() for text in seen]
        assert sorted(names) == sorted(THIN.deck)

    show(act, session(2, 2), (44, 12))


def test_an_audience_sees_tasks_locks_and_the_goal_on_few_rows() -> None:
    async def act(shown: Shown) -> None:
        text = await shown.press("l")
        assert "Tasks" in text
        assert "Locks" in text
        assert "! a lecture is on" in text
        _ = await shown.press("l")

    show(act, session(2, 2), (44, 12))
