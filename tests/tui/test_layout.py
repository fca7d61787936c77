"""Panels that stay take the room of those that are hidden."""

from uffdviz.tui.screens.layout import DECK, LARGE, LECTURE, MEDIUM, SMALL, Seats, seats


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
