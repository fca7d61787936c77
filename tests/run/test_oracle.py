"""What the oracle says is what the search proves."""

import pytest

from uffdviz.run.ahead import look_ahead
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.oracle import Fates, Graph, Oracle
from uffdviz.run.setting import Setting, load_setting

MOVE = "move-meets-mprotect"


@pytest.fixture(scope="module")
def broken() -> Setting:
    return load_setting(MOVE, "series-v4")


@pytest.fixture(scope="module")
def oracle(broken: Setting) -> Oracle:
    return Oracle(broken)


def at(setting: Setting, schedule: str) -> Interleaving:
    run = Interleaving(setting)
    run.play(schedule)
    return run


def test_where_no_order_goes_wrong_everything_is_safe() -> None:
    setting = load_setting(MOVE, "v6.9")
    fates = Oracle(setting).of_moves([], 0, ["gc", "app"])
    assert {fate.word for fate in fates.values()} == {"safe"}


def test_at_the_start_of_a_broken_revision_everything_is_open(oracle: Oracle) -> None:
    fate = oracle.now([], 0)
    assert (fate.word, fate.what) == ("risky", "L1")
    assert 0 < fate.chance < 1


def test_after_the_point_of_no_return_every_move_is_doomed(oracle: Oracle, broken: Setting) -> None:
    run = at(broken, "app x22; gc x18")
    lost = oracle.point_of_no_return(run.events)
    assert lost is not None
    assert oracle.now(run.events, lost).word == "doomed"
    assert oracle.now(run.events, lost - 1).word == "risky"
    assert all(
        fate.word == "doomed" for fate in oracle.of_moves(run.events, lost, ["gc", "app"]).values()
    )


def test_the_last_step_before_a_standstill_is_one_away(oracle: Oracle, broken: Setting) -> None:
    run = at(broken, "app x22; gc x18")
    assert oracle.of_moves(run.events, 40, ["app"])["app"].steps == 1


def test_another_run_of_the_same_setting_is_followed_anew(oracle: Oracle, broken: Setting) -> None:
    lost = at(broken, "app x22; gc x18")
    assert oracle.now(lost.events, 40).word == "doomed"
    fine = at(broken, "gc until done; app until done")
    assert oracle.now(fine.events, len(fine.events)).word == "safe"
    assert oracle.point_of_no_return(fine.events) is None


def test_a_space_that_is_too_large_is_said_and_nothing_is_known(broken: Setting) -> None:
    small = Oracle(broken, most=100)
    assert not small.ready
    assert small.of_moves([], 0, ["gc"])["gc"].word == "unknown"


def test_the_oracle_stops_when_it_is_told_to(broken: Setting) -> None:
    assert not Oracle(broken, tick=lambda _states, _moves: False).ready


def test_chances_are_the_mean_of_those_behind_the_moves() -> None:
    graph = Graph()
    graph.next = [(1, 2), (3, 0), (), ()]
    graph.bad = [0, 0, 0, 0]
    graph.good = [2]
    graph.wrong = {3: "L1"}
    fates = Fates(graph)
    assert fates.of(0).chance == pytest.approx(1 / 3, abs=1e-4)
    assert fates.of(1).chance == pytest.approx(2 / 3, abs=1e-4)
    assert (fates.of(0).steps, fates.of(2).word) == (2, "safe")


def test_a_step_that_breaks_something_is_counted_as_the_finding() -> None:
    graph = Graph()
    graph.next = [(1,), ()]
    graph.bad = [1, 0]
    graph.good = [1]
    graph.wrong = {0: "S3"}
    fate = Fates(graph).of(0)
    assert (fate.word, fate.steps, fate.chance, fate.what) == ("risky", 1, 0.5, "S3")


def test_what_lies_ahead_can_be_played(broken: Setting) -> None:
    run = at(broken, "app x7")
    found = look_ahead(broken, run.events, 7, 100_000)
    ahead = next(one for one in found.ahead if one.ident == "L1")
    for choice in ahead.choices:
        _ = run.machine.step(choice)
    assert not run.machine.choices()
    assert "app waits for vma src to write" in ahead.text
    assert found.finished


def test_behind_the_danger_nothing_lies_ahead(broken: Setting) -> None:
    run = at(broken, "gc until done")
    found = look_ahead(broken, run.events, len(run.events), 100_000)
    assert not [one for one in found.ahead if one.ident == "L1"]


def test_a_search_that_is_stopped_says_so(broken: Setting) -> None:
    found = look_ahead(broken, [], 0, 100_000, lambda _states, _moves: False)
    assert not found.finished
