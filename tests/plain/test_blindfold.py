"""Whoever hears the sentences alone knows at every step what the snapshot knows."""

from collections import Counter
from typing import Any

import pytest

from tests.plain.listener import Listener
from uffdviz.run.interleaving import next_choice
from uffdviz.run.read_scenario import shipped
from uffdviz.run.setting import load_setting
from uffdviz.run.simulate import make_scheduler
from uffdviz.trace.snapshot import Snapshot, TaskView
from uffdviz.trace.speak import opening, told, words

MOST = 400
PAGE = 4096
ORDERS = [("time", 0, ""), ("random", 1, ""), ("random", 2, "v6.18"), ("pct", 3, "v6.1")]


@pytest.mark.parametrize(("order", "seed", "era"), ORDERS)
@pytest.mark.parametrize("name", shipped())
def test_the_sentences_alone_tell_everything(name: str, order: str, seed: int, era: str) -> None:
    machine = load_setting(name, era).machine()
    scheduler = make_scheduler(order, seed)
    before = machine.start
    listener = Listener()
    listener.stands = dict.fromkeys(machine.tasks, ("ready",))
    listener.hear(opening(before))
    agrees(listener, before)
    while len(machine.events) < MOST and (choice := next_choice(machine, scheduler)):
        event = machine.step(choice)
        after = before.after(event)
        listener.hear(told(before, event, after))
        agrees(listener, after)
        heard_every_change(listener, before, after, event.object)
        before = after


def agrees(listener: Listener, snapshot: Snapshot) -> None:
    """Compare who holds, who is in which queue at which place, and how each task stands."""
    held: Counter[tuple[str, str, str]] = Counter()
    queued = {}
    for lock, state in snapshot.locks.items():
        for task in state.holders:
            reads = task in getattr(state, "readers", ())
            held[task, lock, "read" if reads else "write"] += 1
        for place, waiter in enumerate(getattr(state, "queue", ()), 1):
            queued[waiter.task] = (lock, waiter.mode, place)
    assert +listener.holds == held
    assert listener.queued == queued
    assert listener.stands == {name: stand(view) for name, view in snapshot.tasks.items()}


def stand(view: TaskView) -> tuple[str, ...]:
    if view.state == "blocked":
        return "blocked", view.lock, view.mode, *view.behind
    return ("asleep", view.manner) if view.state == "asleep" else (view.state,)


def heard_every_change(listener: Listener, before: Snapshot, after: Snapshot, name: str) -> None:
    """Compare what was heard of an object with what it is: every part that differs, and no other."""
    was, now = before.objects.get(name), after.objects.get(name)
    if hasattr(now, "holders") or hasattr(now, "signal"):
        return
    differing = changes(was, now)
    assert set(listener.changed) <= {name}
    heard = dict(expanded(listener.changed.get(name, {})))
    if not heard and len(differing) == 1:
        assert listener.lead.endswith(f" {next(iter(differing.values()))}")
    else:
        assert heard == differing


def expanded(heard: dict[str, str]) -> list[tuple[str, str]]:
    """Take ranges of pages apart."""
    found = []
    for key, value in heard.items():
        first, to, last = key.partition(" to ")
        if to:
            found += [(f"{a:#x}", value) for a in range(int(first, 16), int(last, 16) + 1, PAGE)]
        else:
            found.append((key, value))
    return found


def changes(was: Any, now: Any) -> dict[str, str]:
    """The parts of a state that are not as they were; one that is not there is none."""
    old, new = dict(parts(was)), dict(parts(now))
    keys = [k for k in {**old, **new} if old.get(k) != new.get(k)]
    return {k: words(new.get(k)) for k in keys if k in old or words(new[k]) not in {"none", "no"}}


def parts(state: Any) -> list[tuple[str, Any]]:
    if not hasattr(state, "__struct_fields__"):
        return [] if state is None else [("its value", state)]
    found = []
    for field in state.__struct_fields__:
        value = getattr(state, field)
        if field != "entries":
            found.append((field, value))
        elif type(state).__name__ == "Queue":
            found.append(("the list", value))
        elif type(state).__name__ == "Tree":
            found += [(name, f"{start:#x}-{end:#x}") for start, end, name in value]
        else:
            found += [(f"{k * PAGE:#x}" if isinstance(k, int) else k, v) for k, v in value]
    return found
