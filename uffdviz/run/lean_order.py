"""Where the tasks of a timed run without events wait: for their time, a processor, or an object.

The rules are those of `in_time.py` and `clock.py`.
"""

from heapq import heapify, heappop, heappush
from typing import Any, Final

from uffdviz.kernel.locks.rwsem import RwSem, pass_deadline
from uffdviz.kernel.steps import Step, Work
from uffdviz.run.lean_totals import Runner, Sums, Thing
from uffdviz.run.processors import NEVER, Processors
from uffdviz.run.setting import Setting

Entry = tuple[int, int, Runner]
JUST_QUEUED: Final = frozenset({"LockContended", "LockAcquired"})


class Order(Sums):
    """Lists of tasks: by time, by turn, by object, by deadline."""

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        costs = setting.costs
        self.cpus = setting.scenario.cpus or 0
        self.moves = 0
        self.latency = costs["wake_latency"]
        self.notice = costs["spin_notice"]
        self.patience = costs["handoff_deadline"]
        self.processors = Processors(self.cpus, costs["context_switch"], costs["time_slice"])
        self.heap: list[Entry] = []
        self.queue: list[Entry] = []
        self.timers: list[tuple[int, str, Thing, str]] = []
        self._now: dict[str, int] = {}
        self._pinned: dict[str, int] = {}

    # Where a task waits to be taken

    def due(self, task: Runner) -> int:
        """When the task's step could start, processors aside."""
        thing = task.thing
        own = task.now
        if thing is None:
            ask = task.ask
            if type(ask) is Work and ask.align:
                return -(-own // ask.align) * ask.align
            return own
        written = thing.written
        if task.spins is not None:
            return max(own, written + self.notice)
        if task.slept:
            woken = task.roused
            if woken >= own and not (task.writes and thing.taken >= woken):
                return max(woken + self.latency, written)
            if written > own:
                return written + self.latency
        return max(own, written)

    def can(self, task: Runner) -> bool:
        """Whether the task's next step can be taken now."""
        ask = task.ask
        if type(ask) is not Step or not ask.waits or task.thing is None:
            return ask is not None
        return ask.effect(task.thing.state, task.name, *ask.args) is not None

    def later(self, task: Runner, due: int) -> bool:
        """Put a task off that turns out to be due later than `due`. Returns: whether it was."""
        late = self.due(task)
        if late > due:
            self.put_back(task, late)
        return late > due

    def put_back(self, task: Runner | None, due: int) -> None:
        """List a task that was first, and is not any more."""
        if task is not None:
            task.listed = True
            heappush(self.heap, (due, task.place, task))

    def place(self, task: Runner) -> None:
        """Put a task that is in no list where it belongs, off its processor if it rests."""
        ask = task.ask
        can = self.can(task)
        rests = ask is None or (type(ask) is Work and ask.align > 0) or (task.slept and not can)
        if rests:
            self._leave(task)
        if ask is None:
            return
        if can:
            self.list(task)
        elif task.thing is not None:
            task.thing.waiters.append(task)

    def list(self, task: Runner) -> None:
        off = self.cpus and not task.on
        heappush(self.queue if off else self.heap, (self.due(task), task.place, task))
        task.listed = True

    def turn(self) -> int:
        """When the head of the run queue gets its turn."""
        queue = self.queue
        while queue:
            ready, _, task = queue[0]
            late = self.due(task)
            if late > ready:
                heappop(queue)
                heappush(queue, (late, task.place, task))
                continue
            if not self.can(task):
                heappop(queue)
                task.listed = False
                if task.thing is not None:
                    task.thing.waiters.append(task)
                continue
            processors = self.processors
            if processors.idle:
                return processors.opening(task.name, ready, self._now, self._pinned)
            return processors.opening(task.name, ready, self._nows(), self._pinned)
        return NEVER

    def _nows(self) -> dict[str, int]:
        """The clocks and spinlocks of the tasks on processors."""
        now, pinned = self._now, self._pinned
        now.clear()
        pinned.clear()
        for name in self.processors.on:
            task = self.tasks[name]
            now[name] = task.now
            pinned[name] = task.pinned
        return now

    def claim(self, task: Runner, ready: int) -> int:
        processors = self.processors
        victim = None
        if not processors.idle:
            now = self._nows()
            victim = self.tasks[processors.victim(self._pinned)]
        else:
            now = self._now
        start = processors.claim(task.name, ready, now, self._pinned, self.spins)
        task.on = True
        if victim is not None:
            self._put_off(victim)
        return start

    def _put_off(self, task: Runner) -> None:
        """Move a task that lost its processor to the run queue."""
        task.on = False
        self._owner_off(task)
        if task.listed:
            self.heap[:] = [entry for entry in self.heap if entry[2] is not task]
            heapify(self.heap)
            task.listed = False
        if task.spins is not None and task.spins.spinners:
            self.kick(task.spins)
        if not task.listed and (task.spins is not None or self.can(task)):
            self.list(task)

    def _leave(self, task: Runner) -> None:
        if task.on:
            task.on = False
            self.processors.leave(task.name, task.now)
            self._owner_off(task)

    def _owner_off(self, task: Runner) -> None:
        for thing in self.spun:
            if thing.spinners and thing.state.writer == task.name:
                self.kick(thing)

    # Waiters

    def ask_again(self, thing: Thing, fact: Any) -> None:
        """Let those go on who can, now that their object has changed."""
        state = thing.state
        waiters = thing.waiters
        if hasattr(state, "queue"):
            if fact.kind in JUST_QUEUED:
                return
            names = fact.tasks if fact.kind == "Woke" else tuple(w.task for w in state.queue[:1])
            able = [w for w in waiters if w.name in names]
        else:
            able = list(waiters)
        for task in able:
            if self.can(task):
                waiters.remove(task)
                self.list(task)

    def kick(self, thing: Thing) -> None:
        """Let those go on who spin for a lock, if they have reason to."""
        state: RwSem = thing.state
        if state.writer and not state.handoff and self.tasks[state.writer].on:
            return
        spinners = [t for t in thing.spinners if t.on]
        if not (state.writer or state.readers or state.handoff):
            spinners = spinners[:1]
        for task in spinners:
            if not task.listed:
                self.list(task)

    def spins_on(self, task: Runner, thing: Thing) -> bool:
        """Whether a task that is about to take a lock spins, or goes on to."""
        state: RwSem = thing.state
        spinning = task.spins is not None
        if state.writer and not state.handoff:
            if not self.tasks[state.writer].on:
                return False
        elif (
            not spinning
            or state.readers
            or state.handoff
            or next(t for t in thing.spinners if t.on) is task
        ):
            return False
        if not spinning:
            self._begin_spin(task, thing)
        return True

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
        self.spins[task.name] = thing
        thing.spinners.append(task)
        if thing not in self.spun:
            self.spun.append(thing)

    def floor(self, task: Runner) -> int:
        """When a spinner gives up, and the end of its spinning."""
        thing = task.spins
        if thing is None:
            return 0
        owner = thing.state.writer
        if owner and not self.tasks[owner].on:
            return self.tasks[owner].now
        return 0

    # Deadlines

    def look_at_head(self, thing: Thing) -> None:
        """See whether a lock's queue has another head, whose deadline counts from now on."""
        line = getattr(thing.state, "queue", None)
        if line is not None:
            head = line[0].task if line else ""
            if thing.head != head:
                self.patient(thing, head)

    def patient(self, thing: Thing, head: str) -> None:
        """Note the head of a lock's queue, whose deadline counts."""
        thing.head = head
        if head and isinstance(thing.state, RwSem):
            at = self.tasks[head].waits_since + self.patience
            heappush(self.timers, (at, thing.name, thing, head))

    def deadline(self, due: int) -> bool:
        """Let one deadline pass that comes no later than `due`. Returns: whether there was one."""
        while self.timers and self.timers[0][0] <= due:
            if self._expire():
                return True
        return False

    def _expire(self) -> bool:
        """Let the first deadline pass if it still means anything."""
        at, _, thing, head = heappop(self.timers)
        state = thing.state
        if not state.queue or state.queue[0].task != head or state.handoff:
            return False
        if at != self.tasks[head].waits_since + self.patience:
            return False
        outcome = pass_deadline(state, head)
        if outcome is None:
            return False
        thing.state = outcome[0]
        at = max(at, thing.written)
        thing.written = at
        self.wall = max(self.wall, at)
        self.moves += 1
        if thing.spinners:
            self.kick(thing)
        return True
