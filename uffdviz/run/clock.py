"""When each step happens: virtual nanoseconds that follow from the interleaving and the costs.

A step starts at the latest of its task's own clock, the last conflicting use of its object and,
if there are fewer processors than tasks, the next free processor. Who slept is late by a wake-up.
Left out: time slices; a task leaves its processor after each step for whoever is due earlier.
"""

from collections.abc import Mapping

from uffdviz.kernel.steps import Obj


class Clock:
    """Keeps the clock of each task and the last uses of each object, in nanoseconds.

    `cpus` 0 means a processor per task. A cost that no table names costs as much as a check.
    """

    def __init__(self, costs: Mapping[str, int], cpus: int = 0) -> None:
        self.costs = costs
        self.now: dict[str, int] = {}
        self.latest = 0
        self._default = costs["check"]
        self._wake_latency = costs["wake_latency"]
        self._written: dict[Obj, int] = {}
        self._read: dict[Obj, int] = {}
        self._free = [0] * cpus

    def ready_at(self, task: str, obj: Obj | None) -> int:
        """The earliest start of a step of `task` that at least reads `obj`."""
        own = self.now.get(task, 0)
        if obj is None:
            return own
        return max(own, self._written.get(obj, 0))

    def due_at(self, task: str, obj: Obj | None, *, slept: bool) -> int:
        """When a step of `task` would be next in time order, processors aside."""
        ready = self.ready_at(task, obj)
        late = slept and ready > self.now.get(task, 0)
        return ready + self._wake_latency if late else ready

    def charge(  # noqa: PLR0913
        self, task: str, obj: Obj | None, cost: str, units: int, *, changed: bool, slept: bool
    ) -> tuple[int, int]:
        """Let `task` do one step; `changed`: it wrote the object. Returns: its start and end."""
        start = self.due_at(task, obj, slept=slept)
        if changed and obj is not None:
            start = max(start, self._read.get(obj, 0))
        if self._free:
            start = max(start, min(self._free))
        end = start + self.costs.get(cost, self._default) * units
        if self._free:
            self._occupy(start, end)
        self.now[task] = end
        if obj is not None:
            uses = self._written if changed else self._read
            uses[obj] = max(end, uses.get(obj, 0))
        self.latest = max(self.latest, end)
        return start, end

    def align(self, task: str, to: int) -> None:
        """Let the task's clock go on to the next multiple of `to`, if that is not 0."""
        if to:
            self.now[task] = -(-self.now.get(task, 0) // to) * to

    def happen(self, obj: Obj) -> int:
        """Let the environment change `obj`, at no cost, after all that has happened so far."""
        self._written[obj] = self.latest
        return self.latest

    def _occupy(self, start: int, end: int) -> None:
        """Take the processor that was free the shortest time before `start`."""
        free = max(t for t in self._free if t <= start)
        self._free[self._free.index(free)] = end
