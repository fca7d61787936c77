"""What the totals add up to, whoever chooses: in every prefix of a run, with events and without."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.run.test_time_lean import NAMES, figures, with_cpus
from tests.strategies import random_scenario
from uffdviz.run.lean import Lean
from uffdviz.run.machine import Machine
from uffdviz.run.measure import follows_time
from uffdviz.run.read_scenario import scenario_of
from uffdviz.run.setting import Setting, load_setting
from uffdviz.run.simulate import SCHEDULERS, make_scheduler, simulate
from uffdviz.trace.totals import Totals, totals

ERAS = ["v6.1", "v6.8", "v6.9", "v6.12", "v6.18"]
MOST = 400
Sums = dict[str, Any]

seeds = st.integers(0, 100_000)
cpus_counted = st.integers(1, 3)


def by_chance(seed: int, cpus: int, era: str) -> Setting:
    scenario = random_scenario(seed)
    return Setting(msgspec.structs.replace(scenario, cpus=cpus or None), era)


def driven(setting: Setting, scheduler: str, seed: int, most: int = MOST) -> Machine:
    machine = setting.machine()
    simulate(machine, make_scheduler(scheduler, seed), most)
    return machine


def no_more_run_than_there_are_processors(sums: Sums, cpus: int) -> None:
    assert sums["all"]["running_ns"] <= cpus * sums["wall_ns"]


@given(seeds, st.sampled_from(ERAS), st.sampled_from(SCHEDULERS), cpus_counted)
@settings(max_examples=60, deadline=None)
def test_in_every_prefix_no_more_tasks_run_than_there_are_processors(
    seed: int, era: str, scheduler: str, cpus: int
) -> None:
    machine = driven(by_chance(seed, cpus, era), scheduler, seed)
    sums = Totals(machine.tasks)
    for event in machine.events:
        sums.add(event)
        no_more_run_than_there_are_processors(sums.said(), cpus)


@given(st.sampled_from(NAMES), st.sampled_from(ERAS), cpus_counted, st.integers(1, 6000))
@settings(max_examples=25, deadline=None)
def test_no_more_run_than_there_are_processors_without_events(
    name: str, era: str, cpus: int, most: int
) -> None:
    lean = Lean(with_cpus(name, era, cpus))
    lean.run(most)
    no_more_run_than_there_are_processors(lean.totals(), cpus)


@given(seeds, st.sampled_from(ERAS), st.integers(0, 3), st.integers(1, MOST))
@settings(max_examples=60, deadline=None)
def test_in_every_prefix_a_run_without_events_has_the_totals_of_one_with_events(
    seed: int, era: str, cpus: int, most: int
) -> None:
    setting = by_chance(seed, cpus, era)
    if not follows_time(setting):
        return
    lean = Lean(setting)
    lean.run(most)
    machine = driven(setting, "time", 0, lean.steps)
    assert figures(lean.totals()) == figures(totals(machine.tasks, machine.events))


def computing(**more: Any) -> Sums:
    """Two tasks that compute on one processor, and more of the keys of a scenario."""
    return {
        "title": "one processor",
        "era": "v6.9",
        "cpus": 1,
        "task": [
            {"name": name, "calls": [{"op": "compute", "ns": 10_000}]} for name in ("one", "two")
        ],
        **more,
    }


def both(tables: Sums) -> list[Sums]:
    """The totals of a timed run, with events and without."""
    setting = Setting(scenario_of(tables, "here"))
    lean = Lean(setting)
    lean.run()
    machine = driven(setting, "time", 0)
    return [totals(machine.tasks, machine.events), lean.totals()]


def test_who_waits_for_a_processor_from_the_start_is_runnable_until_it_has_one() -> None:
    tables = computing(
        task=[{"name": "x", "count": 2, "cursor": "c", "calls": [{"op": "compute", "ns": 10_000}]}],
        cursor=[{"name": "c", "pages": 6}],
    )
    for sums in both(tables):
        late = sums["tasks"]["x.2"]
        assert late["running_ns"] < 100
        assert late["running_ns"] + late["runnable_ns"] == late["wall_ns"]


def test_who_never_has_a_processor_does_not_run() -> None:
    tables = computing()
    tables["task"].append({**tables["task"][0], "name": "never", "background": True})
    for sums in both(tables):
        never = sums["tasks"]["never"]
        assert (never["running_ns"], never["runnable_ns"]) == (0, sums["wall_ns"])


@pytest.mark.parametrize("cpus", [1, None])
def test_who_pauses_at_the_end_of_the_run_is_idle(cpus: int | None) -> None:
    tables = computing(cpus=cpus)
    call = {"op": "compute", "ns": 10}
    pausing = {"name": "now_and_then", "background": True, "every_ns": 15_000, "calls": [call]}
    tables["task"].insert(0, pausing)
    for sums in both(tables):
        assert sums["tasks"]["now_and_then"]["running_ns"] < 100
        assert sums["tasks"]["now_and_then"]["idle_ns"] > 9_000


def tasks_and_locks_tell_the_same_waits(sums: Sums) -> None:
    contended: dict[str, int] = {}
    waits: dict[str, int] = {}
    for row in sums["locks"]:
        name = row["lock"]
        contended[name] = contended.get(name, 0) + row["contentions"]
        waits[name] = waits.get(name, 0) + row["wait_ns"]["total"]
    for name, wait in waits.items():
        waiters = [row["lock_wait_ns"].get(name, 0) for row in sums["tasks"].values()]
        assert sum(waiters) == wait == sums["all"]["lock_wait_ns"].get(name, 0)
        assert contended[name] or not wait
    assert sums["all"]["lock_wait_ns"].keys() <= waits.keys()


def holds_are_as_many_as_acquisitions(sums: Sums) -> None:
    """Only where nobody holds anything any more."""
    for row in sums["locks"]:
        hold, count = row["hold_ns"], row["acquisitions"]
        assert count * hold["min"] <= hold["total"] <= count * hold["max"], row


@given(seeds, st.sampled_from(ERAS), st.sampled_from(SCHEDULERS), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_the_waits_of_the_tasks_are_those_of_the_locks_and_every_acquisition_is_a_hold(
    seed: int, era: str, scheduler: str, cpus: int
) -> None:
    machine = driven(by_chance(seed, cpus, era), scheduler, seed, 4000)
    tasks_and_locks_tell_the_same_waits(totals(machine.tasks, machine.events[: MOST // 2]))
    sums = totals(machine.tasks, machine.events)
    tasks_and_locks_tell_the_same_waits(sums)
    if not machine.unfinished:
        holds_are_as_many_as_acquisitions(sums)


@given(st.sampled_from(NAMES), st.sampled_from(ERAS), st.integers(0, 3), st.integers(1, 6000))
@settings(max_examples=25, deadline=None)
def test_they_are_without_events_too(name: str, era: str, cpus: int, most: int) -> None:
    lean = Lean(with_cpus(name, era, cpus))
    ended = lean.run(most)
    sums = lean.totals()
    tasks_and_locks_tell_the_same_waits(sums)
    if ended and lean.over:
        holds_are_as_many_as_acquisitions(sums)


def test_a_downgrade_is_an_acquisition_for_reading() -> None:
    machine = driven(load_setting("munmap", "v6.9"), "time", 0)
    assert any(event.fact == "LockDowngraded" for event in machine.events)
    rows = {
        (row["lock"], row["mode"]): row for row in totals(machine.tasks, machine.events)["locks"]
    }
    assert rows["mmap_lock", "read"]["acquisitions"] == 1
    assert (
        rows["mmap_lock", "read"]["hold_ns"]["total"] == rows["mmap_lock", "read"]["hold_ns"]["avg"]
    )
