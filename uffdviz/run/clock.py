"""When each step happens: virtual nanoseconds that follow from the interleaving and the costs.

A step starts at the latest of its task's own clock, the last conflicting use of its object and,
if the scenario counts processors, the moment when its task has one. Who slept is late by a wake-up.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from uffdviz.kernel.steps import Obj
from uffdviz.run.processors import Processors
from uffdviz.run.waking import lateness, spin_limit
from uffdviz.trace.events import Fact


class Clock:
    """Keeps the clock of each task and the last uses of each object, in nanoseconds.

    `cpus` 0 means a processor per task. A cost that no table names costs as much as a check.
    `queued` is how long the last step had to wait for a processor, and `ousted` who lost one to it
    and when; after the first step, who else has none. `waits` says since when a task is in the queue of a lock, and `spins` which task spins
    for which.
    """

    def __init__(self, costs: Mapping[str, int], cpus: int = 0) -> None:
        self.costs = costs
        self.now: dict[str, int] = {}
        self.latest = 0
        self.queued = 0
        self.ousted: tuple[tuple[str, int], ...] = ()
        self.waits: dict[str, int] = {}
        self.spins: dict[str, Obj] = {}
        self.pinned: dict[str, int] = {}
        self.processors: Processors | None = None
        if cpus:
            self.processors = Processors(cpus, costs)
        self._default = costs["check"]
        self._wake_latency = costs["wake_latency"]
        self._notice = costs["spin_notice"]
        self._reader_spin = costs["reader_spin"]
        self._written: dict[Obj, int] = {}
        self._read: dict[Obj, int] = {}
        self._woken: dict[str, int] = {}
        self._up: dict[str, int] = {}
        self._wakes: dict[str, int] = {}
        self._released: dict[Obj, int] = {}
        self._writes: set[str] = set()
        self._reading: dict[Obj, tuple[int, int]] = {}
        self._tired: set[Obj] = set()
        self._spinning: set[str] = set()
        self._without: dict[str, int] = {}
        self._begins = True

    def due_at(self, task: str, obj: Obj | None, *, slept: bool) -> int:
        """When a step of `task` could start, processors aside.

        A sleeper counts from its wake-up. A writer that came and found the lock taken sleeps again;
        it, and a sleeper that nobody wakes by name, count from the last change of the object.
        """
        own = self.now.get(task, 0)
        if obj is None:
            return own
        written = self._written.get(obj, 0)
        if task in self.spins:
            return max(own, written + self._notice)
        if slept:
            if self._woken.get(task, -1) >= own and not self._in_vain(task, obj):
                return max(self._up[task], written)
            if written > own:
                return written + self._wake_latency
        return max(own, written)

    def charge(  # noqa: PLR0913
        self,
        task: str,
        obj: Obj | None,
        cost: str,
        units: int,
        *,
        changed: bool,
        slept: bool,
        floor: int = 0,
    ) -> tuple[int, int]:
        """Let `task` do one step; `changed`: it wrote the object. Returns: its start and end."""
        start = max(floor, self.due_at(task, obj, slept=slept))
        self.queued, self.ousted = 0, ()
        if self.processors is not None and task not in self.processors.on:
            since = self._without.pop(task, start)
            start = self.processors.claim(task, start, self.now, self.pinned)
            self.queued, self.ousted = start - since, self.processors.ousted
            self._without.update(self.ousted)
            if self._begins:
                self._begins, self.ousted = False, tuple(self._without.items())
        if changed and obj is not None:
            start = max(start, self._read.get(obj, 0))
        end = start + self.costs.get(cost, self._default) * units
        self.now[task] = end
        if obj is not None:
            uses = self._written if changed else self._read
            uses[obj] = max(end, uses.get(obj, 0))
        self.latest = max(self.latest, end)
        return start, end

    def begin(self, tasks: Iterable[str]) -> None:
        """Note which tasks could go on at the start: they have no processor yet."""
        self._without.update(dict.fromkeys(tasks, 0))

    def leave(self, task: str) -> None:
        """Let the task give up its processor: it sleeps, pauses or has ended."""
        if self.processors is not None:
            self.processors.leave(task, self.now.get(task, 0))

    def off(self, task: str) -> bool:
        """Whether processors are counted and the task has none."""
        return self.processors is not None and task not in self.processors.on

    def tell(self, task: str, change: tuple[Obj | None, Any, Any], fact: Fact) -> None:
        """Learn what the step that was just charged did, as far as it matters for times."""
        obj = change[0]
        self._readers(*change)
        match fact.kind:
            case "Woke":
                for name in fact.tasks:
                    self._wake(name, obj, self.now[task])
            case "LockContended":
                self._contended(task, obj, fact)
            case "LockAcquired" if obj is not None:
                self._acquired(task, obj)
            case "LockReleased" if obj is not None and obj.kind == "spinlock":
                self.pinned[task] -= 1
            case "LockReleased" | "LockDowngraded" if obj is not None:
                self._released[obj] = self.now[task]
            case "LockGaveUp":
                self.waits.pop(task, None)
                self._writes.discard(task)
            case _:
                pass

    def _contended(self, task: str, obj: Obj | None, fact: Fact) -> None:
        if obj is not None and obj.kind == "spinlock":
            self.pinned[task] = self.pinned.get(task, 0) + 1
            self._spinning.add(task)
        elif fact.detail != "trying":
            if self.spins.pop(task, None) is obj and obj in self._reading:
                self._tired.add(obj)
            self.waits[task] = self.now[task]
            if fact.mode == "write":
                self._writes.add(task)

    def _acquired(self, task: str, obj: Obj) -> None:
        self.waits.pop(task, None)
        self.spins.pop(task, None)
        if obj.kind != "spinlock":
            self._writes.discard(task)
        elif task in self._spinning:
            self._spinning.remove(task)
        else:
            self.pinned[task] = self.pinned.get(task, 0) + 1

    def _in_vain(self, task: str, obj: Obj) -> bool:
        """Whether a writer came after its wake-up when the lock was taken, and sleeps again."""
        return task in self._writes and self._released.get(obj, -1) >= self._up[task]

    def _wake(self, task: str, obj: Obj | None, at: int) -> None:
        """Note that a task is woken, unless it is a writer that is waking up already."""
        awake = task in self._writes and self._woken.get(task, -1) >= self.now.get(task, 0)
        if awake and obj is not None and not self._in_vain(task, obj):
            return
        self._woken[task] = at
        self._wakes[task] = self._wakes.get(task, 0) + 1
        late = self._wake_latency
        if self.processors is not None:
            late = lateness(late, task, self._wakes[task])
        self._up[task] = at + late

    def _readers(self, obj: Obj | None, before: Any, after: Any) -> None:
        """Note when readers have got a lock, or have left it."""
        if obj is None or obj.kind != "rwsem" or after is before:
            return
        if not after.readers:
            self._reading.pop(obj, None)
            self._tired.discard(obj)
        elif not before.readers:
            limit = spin_limit(self._reader_spin, len(after.readers))
            self._reading[obj] = (self._written[obj], limit)

    def spin_end(self, task: str, obj: Obj) -> int:
        """Until when a task spins for a lock that readers hold; 0 if nobody does any more."""
        if obj in self._tired:
            return 0
        since, limit = self._reading.get(obj, (0, 0))
        return max(self.now.get(task, 0), since) + limit

    def spin(self, task: str, obj: Obj) -> int:
        """Let a task on a processor begin to spin for a lock. Returns: when."""
        self.spins[task] = obj
        self.now[task] = max(self.now.get(task, 0), self._written.get(obj, 0))
        return self.now[task]

    def align(self, task: str, to: int) -> None:
        """Let the task's clock go on to the next multiple of `to`, if that is not 0."""
        if to:
            self.now[task] = -(-self.now.get(task, 0) // to) * to

    def signal(self, obj: Obj, task: str) -> int:
        """Let the environment send `task` a signal, after all that has happened so far."""
        self._written[obj] = self.latest
        self._woken[task] = self._up[task] = self.latest  # it is awake at once
        return self.latest

    def deadline(self, task: str) -> int:
        """When a task that queues for a lock has waited as long as it has to."""
        return self.waits.get(task, 0) + self.costs["handoff_deadline"]

    def expire(self, obj: Obj, task: str) -> int:
        """Let the deadline of the first waiter pass. Returns: when."""
        at = max(self.deadline(task), self._written.get(obj, 0))
        self._written[obj] = at
        self.latest = max(self.latest, at)
        return at
