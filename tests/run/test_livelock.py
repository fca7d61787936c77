"""Whether tasks can go round for ever: known from a reduced search, judged on the whole graph."""

import pytest

from tests.strategies import random_scenario
from uffdviz.check.properties import IDENTS, rules
from uffdviz.kernel.eras.registry import eras
from uffdviz.run.explore import Limits, explore
from uffdviz.run.livelock import can_go_round, has_circles, in_circles, rounds, whole
from uffdviz.run.read_scenario import shipped
from uffdviz.run.search import space_of
from uffdviz.run.setting import Setting, load_setting
from uffdviz.run.verdict import judge

FEW, MANY = Limits(5_000), Limits(30_000)
ERAS = tuple(eras())
ROUND = ("close-meets-fault", "pin-meets-close")
"""Scenarios in which a task can come back to a state, in every era."""
ONWARD = ("copy-meets-dontneed", "event-fork", "fault-missing", "move-refused-beside-mprotect")
"""Scenarios in which tasks try again, but never in the same state."""


def agree(setting: Setting, limits: Limits) -> bool | None:
    """Whether there are circles, by both searches; None if the whole graph is too large."""
    space = space_of(setting, ())
    seen = explore(space, limits, reduce=True)
    every = whole(space, limits)
    if not every.finished:
        return None
    left = in_circles(space, every, Limits())
    assert has_circles(space, seen, Limits()) == bool(left)
    return bool(left)


@pytest.mark.parametrize("scenario", ROUND)
def test_a_reduced_search_sees_that_a_state_leads_back_to_itself(scenario: str) -> None:
    assert agree(load_setting(scenario, "v6.9"), MANY)


@pytest.mark.parametrize("scenario", ONWARD)
def test_who_tries_again_in_another_state_makes_no_circle(scenario: str) -> None:
    assert agree(load_setting(scenario, "v6.9"), MANY) is False


def test_so_it_is_in_every_small_scenario() -> None:
    found = [agree(load_setting(name), FEW) for name in sorted(shipped())]
    assert found.count(True) >= len(ROUND)
    assert found.count(False) > len(found) // 3


def test_so_it_is_whatever_the_tasks_do() -> None:
    settings = [Setting(random_scenario(seed), ERAS[seed % len(ERAS)]) for seed in range(40)]
    assert [agree(setting, FEW) for setting in settings].count(False) > len(settings) // 8


def test_where_there_is_no_circle_the_whole_graph_is_not_asked_for() -> None:
    setting = load_setting("copy-meets-dontneed", "v6.9")
    space = space_of(setting, rules(IDENTS))
    seen = explore(space, Limits(), reduce=True)
    assert can_go_round(space)
    assert seen.states < whole(space, Limits()).states
    verdict = judge(space_of(setting, rules(IDENTS)), setting.machine, Limits(seen.states))
    assert verdict.finished
    assert not verdict.findings


def test_a_limit_in_the_last_look_is_unfinished_and_never_holds() -> None:
    setting = load_setting("pin-meets-close", "v6.9")
    space = space_of(setting, rules(IDENTS))
    every = whole(space, Limits())
    stop = Limits(tick=lambda _, transitions: transitions > 0)
    assert rounds(space, every, Limits())
    assert rounds(space, every, stop) is None
    assert has_circles(space, every, Limits(tick=lambda *_: False))
    assert not judge(space_of(setting, rules(IDENTS)), setting.machine, stop).finished
