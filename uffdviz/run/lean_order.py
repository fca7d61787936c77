"""Where the tasks of a timed run without events wait: for their time, a processor, or an object.

The rules are those of `in_time.py` and `clock.py`.
"""

from heapq import heapify, heappop, heappush
from typing import Any, Final

from uffdviz.kernel.locks.rwsem import RwSem, pass_deadline
from uffdviz.kernel.steps import Step, Work
from uffdviz.run.lean_spin import Spins
from uffdviz.run.lean_totals import Runner, Thing
from uffdviz.run.processors import NEVER, Processors
from uffdviz.run.quick import QUICK
from uffdviz.run.setting import Setting

Entry = tuple[int, int, Runner]
JUST_QUEUED: Final = frozenset({"LockContended", "LockAcquired"})


class Order(Spins):
    """Lists of tasks: by time, by turn, by object, by deadline."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        costs = setting.costs
        self.patience = costs["handoff_deadline"]
        self.processors = Processors(self.cpus, costs)
        self.heap: list[Entry] = []
        self.queue: list[Runner] = []
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
            return max(own, written + self.notice, self.spin_end(task, thing))
        if task.slept:
            if task.roused >= own and not (task.writes and thing.released >= task.up):
                return max(task.up, written)
            if written > own:
                return written + self.latency
        return max(own, written)

    def can(self, task: Runner) -> bool:
        """Whether the task's next step can be taken now."""
        ask = task.ask
        if type(ask) is not Step or not ask.waits or task.thing is None:
            return ask is not None
        effect = QUICK.get(ask.effect, ask.effect)
        return effect(task.thing.state, task.name, *ask.args) is not None

    def later(self, task: Runner, due: int) -> bool:
        """Put a task off that turns out to be due later than `due`. Returns: whether it was."""
        late = self.due(task)
        if late <= due:
            return False
        if task.spins is not None:
            self.kick(task.spins)  # others were quicker: it may have to go on spinning
        else:
            self.put_back(task, late)
        return True

    def put_back(self, task: Runner | None, due: int) -> None:
        """List a task that was first, and is not any more."""
        if task is not None and not task.listed:
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
        task.listed = True
        if self.cpus and not task.on:
            self.queue.append(task)
            task.ready = self.due(task)
            self._consider(task.ready)
        else:
            heappush(self.heap, (self.due(task), task.place, task))

    def turn(self) -> int:
        """When the next of the run queue gets its turn; it becomes the head of the queue."""
        queue, processors = self.queue, self.processors
        openings = [] if processors.idle else processors.openings(self._nows(), self._pinned)
        free = processors.all_free
        found = (NEVER, 0, 0)
        head = None
        for task in tuple(queue):
            if task.ready > found[0]:
                continue
            ready = task.ready = self.due(task)
            if ready > found[0]:
                continue
            ran = processors.virtual(task.name)
            at = ready if ready >= free else processors.opening(task.name, ready, openings)
            turn = (at, ran, task.place)
            if turn < found and self._stays(task):
                found, head = turn, task
        at = self.soonest = found[0]
        if len(openings) < len(processors.on) and not processors.idle:
            self.soonest = processors.slice_end  # whoever holds a spinlock lets it go soon
        if head is not None:
            queue.remove(head)
            queue.insert(0, head)
        return at

    def _stays(self, task: Runner) -> bool:
        """Whether a task of the run queue can go on; if others were quicker, it waits again."""
        if self.can(task):
            return True
        self.queue.remove(task)
        task.listed = False
        if task.thing is not None:
            task.thing.waiters.append(task)
        return False

    def _consider(self, ready: int) -> None:
        """See whether a task that could run from `ready` might get a processor before others."""
        at = ready if self.processors.idle else max(ready, self.processors.slice_end)
        self.soonest = min(self.soonest, at)

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

    def in_the_way(self) -> Runner | None:
        """Who spins on the processor that the head of the run queue gets, and has to stop."""
        processors = self.processors
        if processors.idle:
            return None
        name = processors.victim(self.queue[0].name, self._nows(), self._pinned)
        task = self.tasks[name]
        if task.spins is None:
            return None
        self._unlist(task)
        self.soonest = 0
        return task

    def claim(self, task: Runner, ready: int) -> tuple[int, int]:
        """Give a task a processor. Returns: when it runs, and how long it had none before."""
        processors = self.processors
        start = processors.claim(task.name, ready, self._nows(), self._pinned)
        since = ready if task.off < 0 else task.off
        task.on = True
        self.soonest = 0 if processors.idle else processors.slice_end
        for name, lost in processors.ousted:
            victim = self.tasks[name]
            victim.off = lost
            self._put_off(victim)
        return start, start - since

    def _put_off(self, task: Runner) -> None:
        """Move a task that lost its processor to the run queue."""
        task.on = False
        self.kick_all(task)
        self._unlist(task)
        if self.can(task):
            self.list(task)

    def _unlist(self, task: Runner) -> None:
        if task.listed:
            self.heap[:] = [entry for entry in self.heap if entry[2] is not task]
            heapify(self.heap)
            task.listed = False

    def _leave(self, task: Runner) -> None:
        if task.on:
            task.on = False
            self.processors.leave(task.name, task.now)
            self.soonest = 0
            self.kick_all(task)

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
        if not head:
            return self.tire(thing, at)
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
        return True
