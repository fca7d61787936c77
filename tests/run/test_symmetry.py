"""Tasks that are alike may change places: what can be reached stays the same."""

import pytest

from tests.run.three_locks import three_locks
from tests.strategies import Tables, random_tables
from uffdviz.check.properties import IDENTS, rules
from uffdviz.errors import ModelError
from uffdviz.kernel.eras.registry import eras
from uffdviz.run.explore import Limits, Seen, explore
from uffdviz.run.livelock import has_circles, in_circles
from uffdviz.run.read_scenario import scenario_of
from uffdviz.run.search import alike, space_of
from uffdviz.run.setting import Setting
from uffdviz.run.shortest import Broken, Ended
from uffdviz.run.space import Space
from uffdviz.run.symmetry import Names, Swap
from uffdviz.run.verdict import finding_of, goals, judge, some_path, standing

ERAS = [name for name in eras() if not name.startswith("series")]
MAPPINGS: Tables = {
    "uffd": [{"name": "gc", "features": ["remove"]}],
    "vma": [
        {"name": "dst", "pages": 1, "uffd": {"ctx": "gc"}},
        {"name": "src", "pages": 1, "present": [0]},
    ],
}
MOVE: Tables = {"op": "UFFDIO_MOVE", "dst": "dst", "src": "src", "pages": 1}
COPY: Tables = {"op": "UFFDIO_COPY", "dst": "dst", "src": "src", "pages": 1}
PROTECT: Tables = {"op": "mprotect", "at": "dst", "pages": 2, "prot": "r"}
FEW = Limits(60_000)
SEEDS = range(12)


def twins(call: Tables, *others: Tables, count: int = 2) -> Tables:
    """Tasks that make the same call, beside one that makes others."""
    task = {"name": "gc", "count": count, "calls": [call]}
    other = [{"name": "app", "calls": list(others)}] if others else []
    return {**MAPPINGS, "task": [task, *other]}


def by_chance(seed: int) -> Tables:
    """Two tasks made by chance, the first of them twice, with a call each."""
    tables = random_tables(seed)
    first, second = ({**task, "calls": task["calls"][:1]} for task in tables["task"][:2])
    return {**tables, "task": [{**first, "count": 2}, second]}


def setting_of(tables: Tables, era: str) -> Setting:
    return Setting(scenario_of(tables, "made here"), era)


def space(tables: Tables, era: str) -> Space:
    return space_of(setting_of(tables, era), rules(IDENTS))


def assert_twice_is_never(twins: Space, seen: Seen) -> None:
    """Changing places leads from a state that can be reached to another one, and back."""
    swap = Swap(twins, *alike_names(twins))
    for state in seen.parents:
        assert swap(state) in seen.parents
        assert swap(swap(state)) == state


def alike_names(twins: Space) -> list[str]:
    return [name for name in twins.automata if name.endswith((".1", ".2"))]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("call", [COPY, MOVE], ids=lambda call: call["op"])
def test_a_state_with_two_tasks_in_each_others_place_can_be_reached_too(
    call: Tables, era: str
) -> None:
    found = space(twins(call), era)
    seen = explore(found, Limits())
    assert_twice_is_never(found, seen)


def test_so_it_is_whatever_the_tasks_do() -> None:
    looked_at = 0
    for seed in SEEDS:
        found = space(by_chance(seed), ERAS[seed % len(ERAS)])
        seen = explore(found, FEW)
        if found.symmetry is not None and seen.finished:
            assert_twice_is_never(found, seen)
            looked_at += 1
    assert looked_at > len(SEEDS) // 3


@pytest.mark.parametrize("era", ERAS)
def test_one_state_stands_for_every_state_that_can_be_reached_and_for_no_other(era: str) -> None:
    found = space(twins(COPY, PROTECT), era)
    every = explore(found, Limits())
    few = explore(found, Limits(), swap=True)
    swap = Swap(found, "gc.1", "gc.2")
    assert set(few.parents) <= set(every.parents)
    assert all(state in few.parents or swap(state) in few.parents for state in every.parents)
    assert few.states < 0.6 * every.states


def test_three_that_are_alike_are_seen_in_one_order() -> None:
    found = space(twins(COPY, count=3), "v6.1")
    every = explore(found, Limits())
    few = explore(found, Limits(), swap=True)
    assert few.states < every.states / 4
    assert len(few.ends) < len(every.ends)


@pytest.mark.parametrize("seed", SEEDS)
def test_verdicts_are_the_same_with_and_without(seed: int) -> None:
    era = ERAS[seed % len(ERAS)]
    tables = by_chance(seed)
    every, few = space(tables, era), space(tables, era)
    seen, found = explore(every, FEW), explore(few, FEW, swap=True)
    if seen.finished:
        assert found.finished
        assert [i for i, _ in goals(every, seen)] == [i for i, _ in goals(few, found)]
        circles = in_circles(every, seen, Limits())
        assert has_circles(few, found, Limits()) == bool(circles)


@pytest.mark.parametrize("bug", [False, True])
def test_the_three_locks_deadlock_in_a_third_of_the_states_or_not_at_all(bug: bool) -> None:  # noqa: FBT001
    every = explore(three_locks(3, 2, 1, bug=bug), Limits())
    few = explore(three_locks(3, 2, 1, bug=bug), Limits(), swap=True)
    assert few.states < every.states / 3
    assert bool(few.stuck) == bool(every.stuck) == bug


def test_a_deadlock_of_tasks_that_are_alike_is_one_on_a_machine_too() -> None:
    setting = setting_of(twins(MOVE, PROTECT), "series-v4")
    verdict = judge(space_of(setting, rules(("L1",))), setting.machine, Limits())
    assert [finding.property for finding in verdict.findings] == ["L1"]
    assert verdict.findings[0].cycle


@pytest.mark.parametrize("ident", ["L1", "S11"])
def test_a_run_along_the_way_of_the_search_shows_the_finding(ident: str) -> None:
    setting = setting_of(twins(MOVE, PROTECT), "series-v4")
    found = space_of(setting, rules(IDENTS))
    seen = explore(found, Limits(), swap=True)
    stuck = Ended(lambda state: found.is_stuck(state) and standing(found, state) == ident)
    goal = Broken(ident) if ident == "S11" else stuck
    path = some_path(found, seen, goal)
    assert path is not None
    finding = finding_of(found, setting.machine, ident, goal, path)
    assert bool(finding.cycle) == (ident == "L1")


def test_the_name_of_a_task_is_exchanged_wherever_it_is_said_and_nowhere_else() -> None:
    swap = Names("gc.1", "gc.2")
    assert swap(("gc.1", "dst+1@gc.2.1", "gc.12", "xgc.1", 3)) == (
        "gc.2", "dst+1@gc.1.1", "gc.12", "xgc.1", 3,
    )  # fmt: skip


def test_a_value_of_which_nothing_is_known_is_a_mistake_of_ours() -> None:
    with pytest.raises(ModelError, match="names in a dict"):
        Names("a", "b")({"a": 1})


@pytest.mark.parametrize(
    "tasks",
    [
        [{"name": "gc", "calls": [COPY]}, {"name": "app", "calls": [MOVE]}],
        [{"name": "gc", "count": 2, "calls": [{"op": "fork"}]}],
        [{"name": "gc", "calls": [COPY]}, {"name": "gc.x", "calls": [COPY]}],
        [{"name": "gc", "calls": [COPY]}, {"name": "app", "calls": [COPY], "background": True}],
        [
            {"name": "gc", "count": 2, "calls": [COPY]},
            {"name": "app", "calls": [{**PROTECT, "after": "gc.1 sleeps"}]},
        ],
    ],
    ids=["other calls", "children", "names that begin alike", "background", "named by a landmark"],
)
def test_tasks_that_differ_are_not_alike(tasks: list[Tables]) -> None:
    assert alike(setting_of({**MAPPINGS, "task": tasks}, "v6.9")) == []


def test_tasks_with_the_same_calls_are_alike_whatever_they_are_called() -> None:
    tasks = [{"name": name, "calls": [COPY]} for name in ("gc", "app")]
    assert alike(setting_of({**MAPPINGS, "task": tasks}, "v6.9")) == [("gc", "app")]
