"""Totals without events are those of the events."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uffdviz.run.cost_files import cost_changes
from uffdviz.run.lean import Lean
from uffdviz.run.measure import Plan, set_up
from uffdviz.run.quick import QUICK
from uffdviz.run.setting import Setting, load_setting
from uffdviz.run.simulate import simulate
from uffdviz.trace.totals import group, grouped_waits, totals

NAMES = ["compaction", "fault-missing", "copy-meets-mprotect", "fork", "event-unmap", "two-moves"]
MOST = 1500


def with_cpus(name: str, era: str, cpus: int) -> Setting:
    setting = load_setting(name, era)
    return Setting(msgspec.structs.replace(setting.scenario, cpus=cpus or None), era)


def figures(sums: dict[str, Any]) -> dict[str, Any]:
    """Totals with one row for mappings of the same name."""
    locks: dict[tuple[str, str], list[int]] = {}
    for row in sums["locks"]:
        held = locks.setdefault((group(row["lock"]), row["mode"]), [0] * 4)
        held[0] += row["acquisitions"]
        held[1] += row["contentions"]
        held[2] += row["wait_ns"]["total"]
        held[3] += row["hold_ns"]["total"]
    tasks = {
        name: {k: grouped_waits(v) if isinstance(v, dict) else v for k, v in row.items()}
        for name, row in sums["tasks"].items()
    }
    return {"wall": sums["wall_ns"], "locks": locks, "tasks": tasks}


@pytest.mark.parametrize("cpus", [0, 1, 2, 3])
@pytest.mark.parametrize("era", ["v6.1", "v6.8", "v6.9", "v6.18"])
@pytest.mark.parametrize("name", NAMES)
def test_a_run_without_events_has_the_totals_of_one_with_events(
    name: str, era: str, cpus: int
) -> None:
    setting = with_cpus(name, era, cpus)
    lean = Lean(setting)
    lean.run(MOST)
    machine = setting.machine()
    simulate(machine, None, lean.steps)

    assert figures(lean.totals()) == figures(totals(machine.tasks, machine.events))
    assert lean.steps == len(machine.events)


@pytest.mark.parametrize(("pairs", "writers"), [("", 4), ("-2", 2)])
@pytest.mark.parametrize("era", ["v6.1", "v6.12"])
def test_they_are_the_same_where_writers_spin_and_tasks_are_preempted(
    pairs: str, writers: int, era: str
) -> None:
    name = f"qemu-copy-writers{pairs}"
    setting = set_up(Plan(name, era, (), cost_changes("qemu"), {"writer": writers}))
    lean = Lean(setting)
    lean.run(3 * MOST)
    machine = setting.machine()
    simulate(machine, None, lean.steps)

    assert figures(lean.totals()) == figures(totals(machine.tasks, machine.events))
    assert any(event.detail == "spinning" for event in machine.events)
    assert any(event.queued for event in machine.events)


def test_the_same_run_twice_has_the_same_totals() -> None:
    setting = with_cpus("compaction", "v6.8", 2)
    first, second = Lean(setting), Lean(setting)
    first.run()
    while not second.run(977):
        pass
    assert first.totals() == second.totals()


@given(st.sampled_from(NAMES), st.integers(0, 3), st.integers(1, MOST))
@settings(max_examples=15, deadline=None)
def test_an_effect_without_words_does_what_the_one_with_words_does(
    name: str, cpus: int, most: int
) -> None:
    machine = with_cpus(name, "v6.8", cpus).machine()
    seen = []

    def watched(effect: Any, state: Any, task: str, args: Any) -> None:
        if effect in QUICK:
            after, answer, fact = effect(state, task, *args)
            quick = QUICK[effect](state, task, *args)
            assert quick is not None
            quick_after, quick_answer, quick_fact = quick
            assert (quick_after, quick_answer) == (after, answer)
            assert (quick_after is state) == (after is state)
            assert (quick_fact.kind, quick_fact.mode) == (fact.kind, fact.mode)
            seen.append(effect)

    for _ in range(most):
        choices = machine.choices()
        if not choices:
            break
        ask: Any = machine.tasks[choices[0]].ask
        if hasattr(ask, "effect"):
            watched(ask.effect, machine.state(ask.obj), choices[0], ask.args)
        machine.step(choices[0])


@given(st.sampled_from(NAMES), st.sampled_from(["v6.8", "v6.9"]), st.integers(0, 4))
@settings(max_examples=25, deadline=None)
def test_time_is_conserved_and_locks_and_tasks_tell_the_same_waits(
    name: str, era: str, cpus: int
) -> None:
    lean = Lean(with_cpus(name, era, cpus))
    lean.run(4 * MOST)
    sums = lean.totals()
    waited: dict[str, int] = {}
    for row in sums["tasks"].values():
        blocked = sum(row["uninterruptible_ns"].values()) + sum(row["killable_ns"].values())
        spent = row["running_ns"] + row["runnable_ns"] + row["idle_ns"] + row["userfaultfd_ns"]
        assert spent + blocked == row["wall_ns"]
        for kind in ("uninterruptible_ns", "killable_ns"):
            for lock, ns in row[kind].items():
                waited[lock] = waited.get(lock, 0) + ns
    for lock in {row["lock"] for row in sums["locks"]}:
        rows = [row for row in sums["locks"] if row["lock"] == lock]
        if not any(row["contentions"] for row in rows):
            assert all(row["wait_ns"]["total"] == 0 for row in rows)
            assert lock not in waited
    assert sums["wall_ns"] == max(row["wall_ns"] for row in sums["tasks"].values())


def test_littles_law_holds_for_a_lock() -> None:
    """The mean number in the queue is the rate of arrivals times the mean wait, lock by lock."""
    setting = with_cpus("compaction", "v6.8", 2)
    machine = setting.machine()
    simulate(machine, None, 6000)
    lock = "mmap_lock"
    edges, asked = [], {}
    total = count = 0
    for event in machine.events:
        if event.object != lock:
            continue
        if event.fact == "LockContended":
            asked[event.task] = event.end
        elif event.fact == "LockAcquired" and event.task in asked:
            since = asked.pop(event.task)
            edges += [(since, 1), (event.start, -1)]
            total += event.start - since
            count += 1
    assert count
    area = queued = last = 0
    for at, change in sorted(edges):
        area += queued * (at - last)
        queued, last = queued + change, at
    rows = totals(machine.tasks, machine.events)["locks"]
    said = sum(row["wait_ns"]["total"] for row in rows if row["lock"] == lock)
    assert area == total == said
