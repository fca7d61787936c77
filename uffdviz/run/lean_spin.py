"""Writers that spin for a lock in a timed run without events.

The rules are those of `in_time.py`. Who spins is on a processor: when its time is up it stops.
"""

from heapq import heappush

from uffdviz.kernel.locks.rwsem import RwSem
from uffdviz.run.lean_totals import Runner, Sums, Thing
from uffdviz.run.setting import Setting
from uffdviz.run.waking import spin_limit


class Spins(Sums):
    """Who spins for what, and for how long yet.

    `timers` are moments to look at a lock again: (when, its name, the lock, whom it concerns); the
    head of its queue by name, or nobody: the first that spins.
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        costs = setting.costs
        self.notice = costs["spin_notice"]
        self.reader_spin = costs["reader_spin"]
        self.moves = 0
        self.spun: list[Thing] = []
        self.timers: list[tuple[int, str, Thing, str]] = []

    def list(self, task: Runner) -> None:
        """Put a task where tasks wait that can step."""
        raise NotImplementedError

    def spins_on(self, task: Runner, thing: Thing, due: int) -> bool:
        """Whether a task that is about to take a lock spins, or goes on to."""
        state: RwSem = thing.state
        first = bool(thing.spinners) and thing.spinners[0] is task
        if state.writer:
            spins = self.tasks[state.writer].on
        elif state.readers:
            spins = not thing.tired and not (first and self.spin_end(task, thing) <= due)
        elif state.handoff:
            spins = True
        else:
            spins = task.spins is not None and not first
        if spins and task.spins is None:
            self._begin_spin(task, thing)
        return spins

    def _begin_spin(self, task: Runner, thing: Thing) -> None:
        at = task.now = max(task.now, thing.written)
        task.go_on(at)
        task.end = at
        task.woken = -1
        self.moves += 1
        self.wall = max(self.wall, at)
        self.contended_row(thing, task, "write", at)
        task.waits = ("spinning", thing.name)
        task.spins = thing
        thing.spinners.append(task)
        if thing not in self.spun:
            self.spun.append(thing)
        if thing.state.readers:
            self.kick(thing)

    def stop_spin(self, task: Runner) -> None:
        """Note that a task spins no longer; in vain, if readers hold the lock."""
        thing = task.spins
        if thing is not None:
            thing.tired = bool(thing.state.readers)
            thing.spinners.remove(task)
            if not thing.spinners:
                self.spun.remove(thing)
            task.spins = None

    def spin_end(self, task: Runner, thing: Thing) -> int:
        """Until when a task spins for readers to leave; 0 if none hold the lock or nobody spins."""
        if thing.tired or not thing.state.readers:
            return 0
        return max(task.now, thing.read_since) + thing.limit

    def floor(self, task: Runner, thing: Thing) -> int:
        """When a spinner gives up because the owner of the lock is off its processor."""
        owner = thing.state.writer
        return self.tasks[owner].now if owner and not self.tasks[owner].on else 0

    def phase(self, thing: Thing, before: RwSem, at: int) -> None:
        """Note when readers have got a lock, or have left it."""
        readers = thing.state.readers
        if not readers:
            thing.tired = False
        elif not before.readers:
            thing.read_since = at
            thing.limit = spin_limit(self.reader_spin, len(readers))

    def kick(self, thing: Thing) -> None:
        """Let those go on who spin for a lock, if they have reason to."""
        state: RwSem = thing.state
        spinners = thing.spinners
        if state.writer:
            if self.tasks[state.writer].on:
                return
        elif state.readers:
            if not thing.tired:
                heappush(self.timers, (self.spin_end(spinners[0], thing), thing.name, thing, ""))
                return
        elif state.handoff:
            return
        else:
            spinners = spinners[:1]
        for task in spinners:
            if not task.listed:
                self.list(task)

    def kick_all(self, owner: Runner) -> None:
        """Let those go on who spin for a lock of a task that has lost its processor."""
        for thing in self.spun:
            if thing.state.writer == owner.name:
                self.kick(thing)

    def tire(self, thing: Thing, at: int) -> bool:
        """Let the first that spins give up if its time has passed. Returns: whether it does."""
        first = thing.spinners[0] if thing.spinners else None
        if first is None or first.listed or thing.tired or not thing.state.readers:
            return False
        if self.spin_end(first, thing) > at:
            return False
        self.list(first)
        return True
