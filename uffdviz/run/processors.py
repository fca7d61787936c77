"""Processors as a resource: who is on which, and when the next task can have one.

A task keeps its processor from step to step until it sleeps, pauses or ends, or until another one
takes it over. In a timed run that happens only after a time slice and only if no processor is idle;
an interleaving made by hand takes over whenever it asks for more tasks than there are processors.
Left out: priorities, preference of who slept long (wake-up preemption), migration costs.
"""

from collections.abc import Mapping
from typing import Final

NEVER: Final = 1 << 62


class Processors:
    """Which task is on which processor; a change of task costs `switch`, unless there was time for it.

    `slice_end` is the earliest time at which a time slice is over.
    """

    def __init__(self, count: int, switch: int, time_slice: int) -> None:
        self.switch = switch
        self.time_slice = time_slice
        self.on: dict[str, int] = {}
        self.since: dict[str, int] = {}
        self.idle = list(range(count))
        self.slice_end = NEVER
        self._until = [0] * count
        self._last = [""] * count

    def leave(self, task: str, at: int) -> None:
        """Give the task's processor up at a time."""
        cpu = self.on.pop(task, -1)
        if cpu >= 0:
            del self.since[task]
            self._until[cpu] = at
            self._last[cpu] = task
            self.idle.append(cpu)
            self._slices()

    def claim(
        self,
        task: str,
        ready: int,
        now: Mapping[str, int],
        pinned: Mapping[str, int],
        spins: Mapping[str, object],
    ) -> int:
        """Put a task that could run from `ready` on a processor. Returns: when it runs."""
        if not self.idle:
            victim = self.victim(pinned)
            at = now.get(victim, 0)
            if victim in spins:
                at = max(at, self.since[victim] + self.time_slice)
            self.leave(victim, at)
        cpu = min(self.idle, key=lambda c: self._rank(c, task, ready))
        self.idle.remove(cpu)
        start = self._start(cpu, task, ready)
        self.on[task] = cpu
        self.since[task] = start
        self._slices()
        return start

    def opening(
        self, task: str, ready: int, now: Mapping[str, int], pinned: Mapping[str, int]
    ) -> int:
        """When a task that could run from `ready` gets its turn in a timed run."""
        if self.idle:
            return min(self._start(cpu, task, ready) for cpu in self.idle)
        victim = self.victim(pinned)
        if pinned.get(victim, 0):
            return NEVER  # who holds a spinlock is not preempted
        return max(ready, now.get(victim, 0), self.since[victim] + self.time_slice)

    def victim(self, pinned: Mapping[str, int]) -> str:
        """Who has to make room: the task that has had its processor longest, without a spinlock."""
        return min(self.since, key=lambda t: (pinned.get(t, 0) > 0, self.since[t], self.on[t]))

    def _slices(self) -> None:
        self.slice_end = min(self.since.values(), default=NEVER) + self.time_slice

    def _start(self, cpu: int, task: str, ready: int) -> int:
        other = self._last[cpu] not in {"", task}
        return max(ready, self._until[cpu] + self.switch * other)

    def _rank(self, cpu: int, task: str, ready: int) -> tuple[int, bool, int]:
        return self._start(cpu, task, ready), self._last[cpu] != task, cpu
