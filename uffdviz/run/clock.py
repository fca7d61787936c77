"""When each step happens: virtual nanoseconds that follow from the interleaving and the costs.

A step starts at the latest of its task's own clock, the last conflicting use of its object and,
if the scenario counts processors, the moment when its task has one. Who slept is late by a wake-up.
"""

from collections.abc import Mapping

from uffdviz.kernel.steps import Obj
from uffdviz.run.processors import Processors
from uffdviz.trace.events import Fact


class Clock:
    """Keeps the clock of each task and the last uses of each object, in nanoseconds.

    `cpus` 0 means a processor per task. A cost that no table names costs as much as a check.
    `queued` is how long the last step had to wait for a processor. `waits` says since when a task
    is in the queue of a lock, and `spins` which task spins for which.
    """

    def __init__(self, costs: Mapping[str, int], cpus: int = 0) -> None:
        self.costs = costs
        self.now: dict[str, int] = {}
        self.latest = 0
        self.queued = 0
        self.waits: dict[str, int] = {}
        self.spins: dict[str, Obj] = {}
        self.pinned: dict[str, int] = {}
        self.processors: Processors | None = None
        if cpus:
            self.processors = Processors(cpus, costs["context_switch"], costs["time_slice"])
        self._default = costs["check"]
        self._wake_latency = costs["wake_latency"]
        self._notice = costs["spin_notice"]
        self._written: dict[Obj, int] = {}
        self._read: dict[Obj, int] = {}
        self._woken: dict[str, int] = {}
        self._taken: dict[Obj, int] = {}
        self._writes: dict[str, bool] = {}
        self._spinning: set[str] = set()

    def due_at(self, task: str, obj: Obj | None, *, slept: bool) -> int:
        """When a step of `task` could start, processors aside.

        A sleeper counts from its wake-up; a writer whose lock was taken by somebody else after its
        wake-up, and a sleeper that nobody wakes by name, count from the last change of the object.
        """
        own = self.now.get(task, 0)
        if obj is None:
            return own
        written = self._written.get(obj, 0)
        if task in self.spins:
            return max(own, written + self._notice)
        if slept:
            woken = self._woken.get(task, -1)
            robbed = self._writes.get(task, False) and self._taken.get(obj, -1) >= woken
            if woken >= own and not robbed:
                return max(woken + self._wake_latency, written)
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
        self.queued = 0
        if self.processors is not None and task not in self.processors.on:
            ready = start
            start = self.processors.claim(task, ready, self.now, self.pinned, self.spins)
            self.queued = start - ready
        if changed and obj is not None:
            start = max(start, self._read.get(obj, 0))
        end = start + self.costs.get(cost, self._default) * units
        self.now[task] = end
        if obj is not None:
            uses = self._written if changed else self._read
            uses[obj] = max(end, uses.get(obj, 0))
        self.latest = max(self.latest, end)
        return start, end

    def leave(self, task: str) -> None:
        """Let the task give up its processor: it sleeps, pauses or has ended."""
        if self.processors is not None:
            self.processors.leave(task, self.now.get(task, 0))

    def off(self, task: str) -> bool:
        """Whether processors are counted and the task has none."""
        return self.processors is not None and task not in self.processors.on

    def tell(self, task: str, obj: Obj | None, fact: Fact) -> None:
        """Learn what the step that was just charged did, as far as it matters for times."""
        match fact.kind:
            case "Woke":
                self._woken.update(dict.fromkeys(fact.tasks, self.now[task]))
            case "LockContended":
                self._contended(task, obj, fact)
            case "LockAcquired" if obj is not None:
                self._acquired(task, obj)
            case "LockReleased" if obj is not None and obj.kind == "spinlock":
                self.pinned[task] -= 1
            case "LockGaveUp":
                self.waits.pop(task, None)
            case _:
                pass

    def _contended(self, task: str, obj: Obj | None, fact: Fact) -> None:
        if obj is not None and obj.kind == "spinlock":
            self.pinned[task] = self.pinned.get(task, 0) + 1
            self._spinning.add(task)
        elif fact.detail != "trying":
            self.spins.pop(task, None)
            self.waits[task] = self.now[task]
            self._writes[task] = fact.mode == "write"

    def _acquired(self, task: str, obj: Obj) -> None:
        self.waits.pop(task, None)
        self.spins.pop(task, None)
        if obj.kind != "spinlock":
            self._taken[obj] = self.now[task]
        elif task in self._spinning:
            self._spinning.remove(task)
        else:
            self.pinned[task] = self.pinned.get(task, 0) + 1

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
        self._woken[task] = (
            self.latest - self._wake_latency
        )  # it is awake at once: no wake-up is counted
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
