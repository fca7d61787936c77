"""When each step happens: virtual nanoseconds that follow from the interleaving and the costs.

A step starts at the latest of its task's own clock and the last conflicting use of its object.
"""

from collections.abc import Mapping
from typing import Any

from uffdviz.kernel.steps import Obj


class Clock:
    """Keeps the clock of each task and the last uses of each object, in nanoseconds."""

    def __init__(self, costs: Mapping[str, int]) -> None:
        self.costs = costs
        self.now: dict[str, int] = {}
        self._written: dict[Obj, int] = {}
        self._read: dict[Obj, int] = {}

    def ready_at(self, task: str, obj: Obj | None) -> int:
        """The earliest start of a step of `task` that at least reads `obj`."""
        own = self.now.get(task, 0)
        return own if obj is None else max(own, self._written.get(obj, 0))

    def charge(  # noqa: PLR0913
        self, task: str, obj: Obj | None, cost: str, units: int, *, changed: bool, woken: bool
    ) -> tuple[int, int]:
        """Let `task` do one step; `changed`: it wrote the object; `woken`: it slept before."""
        start = self.ready_at(task, obj)
        if woken:
            start += self.costs["wake_latency"] if start > self.now.get(task, 0) else 0
        if changed and obj is not None:
            start = max(start, self._read.get(obj, 0))
        end = start + self.costs[cost] * units
        self.now[task] = end
        if obj is not None:
            uses: dict[Any, int] = self._written if changed else self._read
            uses[obj] = max(end, uses.get(obj, 0))
        return start, end
