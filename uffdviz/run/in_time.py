"""Who is first in virtual time: the rule of timed runs, as `lean.py` follows it too.

Of the tasks that can step the one that can start first moves; of several, the first in the
scenario. Where processors are counted, tasks without one are considered as the run queue: the one
that gets a processor first, of several the one that has had least, and its turn comes before a step
that starts at that moment.

A writer that finds a rwsem with a writer on a processor, or with readers, or promised to somebody,
spins, first come first served, until the lock is free. It gives up when the owner is off its
processor, when readers have had the lock too long (nobody spins for them after that), or when
somebody else gets its processor. The deadline of a lock's first waiter comes before any step that
starts then or later.

Kernel: kernel/locking/rwsem.c (rwsem_optimistic_spin(), the same in 6.1 and 6.8).
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
    for place, name in enumerate(machine.tasks):
        if name in ready and not machine.clock.off(name) and not goes_on_spinning(machine, name):
            yield max(ready[name], spins_until(machine, name)), place, name
    turn = next_turn(machine, ready)
    if turn is not None:
        yield turn[0], TURN, turn[1]


def next_turn(machine: "Machine", ready: Mapping[str, int]) -> tuple[int, str] | None:
    """When who moves so that the next of the run queue gets a processor: itself, or who spins there."""
    clock = machine.clock
    processors = clock.processors
    if processors is None:
        return None
    now, pinned = clock.now, clock.pinned
    openings = processors.openings(now, pinned)
    turns = (
        (processors.opening(name, ready[name], openings), processors.virtual(name), place, name)
        for place, name in enumerate(machine.tasks)
        if name in ready and clock.off(name)
    )
    at, _, _, name = min(turns, default=(0, 0, 0, ""))
    if not name:
        return None
    if not processors.idle:
        victim = processors.victim(name, now, pinned)
        if victim in clock.spins:
            return at, victim
    return at, name


def goes_on_spinning(machine: "Machine", name: str) -> bool:
    """Whether a task that spins has to."""
    clock = machine.clock
    sem = clock.spins.get(name)
    if sem is None or clock.off(name):
        return False
    state: RwSem = machine.state(sem)
    if state.writer:
        return not clock.off(state.writer)
    if state.handoff and not state.readers:
        return True
    if state.readers and not clock.spin_end(name, sem):
        return False
    others = (t for t, obj in clock.spins.items() if obj is sem and not clock.off(t))
    return next(others, name) != name


def spins_until(machine: "Machine", name: str) -> int:
    """Until when a task that spins hopes for the readers of a lock to leave."""
    sem = machine.clock.spins.get(name)
    if sem is None or not machine.state(sem).readers:
        return 0
    return machine.clock.spin_end(name, sem)


def spins_for(machine: "Machine", name: str) -> bool:
    """Whether a task would spin: it is about to take a lock that it may get soon."""
    ask = machine.tasks[name].ask
    clock = machine.clock
    if clock.processors is None or not isinstance(ask, Step) or ask.effect is not enter_write:
        return False
    if clock.off(name):
        return False
    state: RwSem = machine.state(ask.obj)
    if state.writer:
        return not clock.off(state.writer)
    if state.readers:
        return clock.spin_end(name, ask.obj) > 0
    return state.handoff


def gives_up_at(machine: "Machine", name: str) -> int:
    """When a task that spins in vain gives up: its time is over, or that of the lock's owner."""
    clock = machine.clock
    sem = clock.spins.get(name)
    if sem is None or clock.off(name):
        return 0
    ready = {n: machine.due_at(n) for n in machine.tasks if machine.can_step(n)}
    turn = next_turn(machine, ready)
    own = max(ready[name], spins_until(machine, name))
    if turn is not None and turn[1] == name and (turn[0] <= own or goes_on_spinning(machine, name)):
        return turn[0]
    owner = machine.state(sem).writer
    return max(own, clock.now.get(owner, 0) if clock.off(owner) else 0)


def _deadlines(machine: "Machine") -> Iterator[tuple[int, str]]:
    for sem in queued_for(machine):
        state = machine.state(sem)
        if isinstance(state, RwSem) and state.queue and not state.handoff:
            yield machine.clock.deadline(state.queue[0].task), sem.name


def queued_for(machine: "Machine") -> set[Obj]:
    """The objects that sleeping tasks wait for."""
    asks = (machine.tasks[name].ask for name in machine.clock.waits)
    return {ask.obj for ask in asks if isinstance(ask, Step)}
