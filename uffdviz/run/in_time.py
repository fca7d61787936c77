"""Who is first in virtual time: the rule of timed runs, as `lean.py` follows it too.

Of the tasks that can step the one that can start first moves; of several, the first in the
scenario. Where processors are counted, a task without one is considered only from the head of the
run queue (first ready, first served), and gets its turn before a step that starts at that moment.
A writer that finds a rwsem with a writer on a processor spins, first come first served, until the
lock is free, or its owner is off its processor, or a handoff is promised. The deadline of a lock's
first waiter comes before any step that starts then or later.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from uffdviz.kernel.locks.rwsem import RwSem, enter_write
from uffdviz.kernel.steps import Obj, Step

if TYPE_CHECKING:
    from uffdviz.run.machine import Machine

TURN = -1
"""The place of the run queue's head among tasks that could start at the same moment."""


def first_choice(machine: "Machine", ready: Mapping[str, int]) -> str | None:
    """Give the first move, of tasks that can step and could start at the times of `ready`."""
    found = min(_candidates(machine, ready), default=None)
    if found is None:
        return None  # a promise of the lock would let nobody go on either
    deadline = min(_deadlines(machine), default=None)
    if deadline is not None and deadline[0] <= found[0]:
        return f"deadline {deadline[1]}"
    name = found[2]
    if name not in machine.clock.spins and spins_for(machine, name):
        return f"spin {name}"
    return name


def _candidates(machine: "Machine", ready: Mapping[str, int]) -> Iterator[tuple[int, int, str]]:
    clock = machine.clock
    queue = []
    for place, name in enumerate(machine.tasks):
        if name not in ready:
            continue
        if clock.off(name):
            queue.append((ready[name], place, name))
        elif not goes_on_spinning(machine, name):
            yield ready[name], place, name
    if queue and clock.processors is not None:
        due, _, name = min(queue)
        yield clock.processors.opening(name, due, clock.now, clock.pinned), TURN, name


def goes_on_spinning(machine: "Machine", name: str) -> bool:
    """Whether a task that spins has to."""
    clock = machine.clock
    sem = clock.spins.get(name)
    if sem is None or clock.off(name):
        return False
    state: RwSem = machine.state(sem)
    if state.writer and not state.handoff:
        return not clock.off(state.writer)
    free = not state.readers and not state.handoff
    others = (t for t, obj in clock.spins.items() if obj is sem and not clock.off(t))
    return free and next(others, name) != name


def spins_for(machine: "Machine", name: str) -> bool:
    """Whether a task would spin: it is about to take a lock whose writer is on a processor."""
    ask = machine.tasks[name].ask
    clock = machine.clock
    if clock.processors is None or not isinstance(ask, Step) or ask.effect is not enter_write:
        return False
    state: RwSem = machine.state(ask.obj)
    writer = bool(state.writer) and not clock.off(state.writer)
    return writer and not state.handoff and not clock.off(name)


def gives_up_at(machine: "Machine", name: str) -> int:
    """When a task that spins in vain gives up: once the owner of the lock is off its processor."""
    sem = machine.clock.spins.get(name)
    owner = machine.state(sem).writer if sem is not None else ""
    return machine.clock.now.get(owner, 0) if owner and machine.clock.off(owner) else 0


def _deadlines(machine: "Machine") -> Iterator[tuple[int, str]]:
    for sem in queued_for(machine):
        state = machine.state(sem)
        if isinstance(state, RwSem) and state.queue and not state.handoff:
            yield machine.clock.deadline(state.queue[0].task), sem.name


def queued_for(machine: "Machine") -> set[Obj]:
    """The objects that sleeping tasks wait for."""
    asks = (machine.tasks[name].ask for name in machine.clock.waits)
    return {ask.obj for ask in asks if isinstance(ask, Step)}
