"""Runs that share their beginnings."""

from tests.tui.settings import Setting
from uffdviz.run.branches import common, tree
from uffdviz.run.interleaving import Interleaving
from uffdviz.trace.events import Event


def run(words: str) -> list[Event]:
    played = Interleaving(Setting())
    for letter in words:
        _ = played.machine.step({"g": "gc", "a": "app"}[letter])
    return played.events


def test_two_runs_share_their_beginning() -> None:
    assert common(run("gga"), run("ggg")) == 2
    assert common(run("gg"), run("ggg")) == 2
    assert common([], run("g")) == 0


def test_one_run_is_a_tree() -> None:
    assert tree([run("g")]) == [(0, 0, 0)]


def test_a_run_stands_below_the_one_it_left_last() -> None:
    first, second, third = run("gggg"), run("ggaa"), run("ggag")
    assert tree([first, second, third]) == [(0, 0, 0), (1, 1, 2), (2, 2, 3)]


def test_runs_that_left_the_same_one_are_beside_each_other() -> None:
    first, second, third = run("gggg"), run("ggga"), run("ggaa")
    assert tree([first, second, third]) == [(0, 0, 0), (1, 1, 3), (2, 1, 2)]
