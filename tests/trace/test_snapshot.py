from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.run.stages import three_tasks
from uffdviz.run.machine import Machine
from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import EVERY, Fold, History


def walk(machine: Machine, seed: int, steps: int = 10_000) -> None:
    chance = Random(seed)
    for _ in range(steps):
        choices = machine.choices()
        if not choices:
            return
        machine.step(choices[int(chance.random() * len(choices))])


@given(st.integers(0, 10_000), st.integers(0, 150))
def test_the_snapshot_folded_from_events_is_the_machine_s_world(seed: int, steps: int) -> None:
    machine = three_tasks()
    walk(machine, seed, steps)
    snapshot = History(machine.start, machine.events).last

    assert snapshot.objects == machine.named
    ready = [name for name, task in snapshot.tasks.items() if task.state == "ready"]
    assert ready == machine.choices()
    done = [name for name, task in snapshot.tasks.items() if task.state == "done"]
    assert [n for n in machine.tasks if n not in machine.unfinished] == done


@given(st.integers(0, 10_000))
def test_a_task_holds_what_the_locks_say_it_holds(seed: int) -> None:
    machine = three_tasks()
    walk(machine, seed, 40)
    snapshot = History(machine.start, machine.events).last

    for name, task in snapshot.tasks.items():
        for lock, _ in task.holds:
            assert name in snapshot.locks[lock].holders


def test_going_on_from_a_snapshot_leaves_it_as_it_was() -> None:
    machine = three_tasks()
    first = machine.start
    second = first.after(machine.step("app"))
    third = second.after(machine.step("app"))

    assert (first.n, second.n, third.n) == (0, 1, 2)
    assert second.tasks["app"].holds == ()
    assert third.tasks["app"].holds == (("mmap_lock", "write"),)
    assert third == History(machine.start, machine.events).at(2)


def test_a_blocked_task_says_who_is_before_it() -> None:
    machine = three_tasks()
    for choice in ("app", "app", "ui", "ui", "gc", "gc"):
        machine.step(choice)
    gc = History(machine.start, machine.events).last.tasks["gc"]

    assert (gc.state, gc.lock, gc.mode, gc.place) == ("blocked", "mmap_lock", "read", 2)
    assert gc.behind == ("app", "ui")
    assert gc.stack == ("mmap_read_lock",)


def test_a_killed_task_is_ready_to_give_up_a_killable_wait() -> None:
    machine = three_tasks()
    for choice in ("gc", "gc", "app", "app"):
        machine.step(choice)
    history = History(machine.start, machine.events)
    assert history.last.tasks["app"].manner == "killable"

    machine.step("kill app")
    assert history.last.tasks["app"].state == "ready"
    assert machine.step("app").fact == "Resumed"
    assert machine.step("app").fact == "LockGaveUp"


def test_any_snapshot_of_a_long_run_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = three_tasks()
    walk(machine, 1)
    events: list[Event] = (machine.events * (100_000 // len(machine.events) + 1))[:100_000]
    history = History(machine.start, events)
    assert history.at(100_000).n == events[-1].n

    folded: list[int] = []
    apply = Fold.apply

    def count_and_apply(fold: Fold, event: Event) -> None:
        folded.append(event.n)
        apply(fold, event)

    monkeypatch.setattr(Fold, "apply", count_and_apply)
    for n in (1, 255, 70_001):
        folded.clear()
        history.at(n)
        assert len(folded) <= EVERY
