"""Processors as a resource: who is on which, and who gets the next one when.

The rule of a timed run is that of the fair scheduler, with one run queue for all processors. Each
task has its virtual runtime: the time that it had a processor. Who comes from sleep is not owed for
all of it: it begins at `floor` less two time slices, if it has had less. Who waits takes the
processor of a running task at the end of that one's time slice, as soon as that one has had more.
An interleaving made by hand takes over whenever it asks for more tasks than there are processors.

Kernel: kernel/sched/fair.c (since v6.6: update_deadline(), pick_eevdf() with RUN_TO_PARITY,
update_entity_lag(), which limits what a task is owed to two slices).
Left out: priorities, preemption at a wake-up (v6.5 and older), run queues of single processors,
migration costs, ticks.
"""

from collections.abc import Mapping, Sequence
from typing import Final

NEVER: Final = 1 << 62


class Processors:
    """Which task is on which processor; a change of task costs `switch`, unless there was time for it.

    `floor` is the least virtual runtime of those that run or could; it never falls. `slice_end` is
    when the first time slice ends, and `all_free` from when on any task finds the idle ones ready.
    `ousted` names who lost its processor to the last claim, if somebody did, and when.
    """

    def __init__(self, count: int, costs: Mapping[str, int]) -> None:
        self.switch = costs["context_switch"]
        self.time_slice = costs["time_slice"]
        self.credit = 2 * self.time_slice
        self.on: dict[str, int] = {}
        self.since: dict[str, int] = {}
        self.idle = list(range(count))
        self.floor = 0
        self.slice_end = NEVER
        self.all_free = 0
        self.ousted: tuple[tuple[str, int], ...] = ()
        self._ran: dict[str, int] = {}
        self._put_off: dict[str, int] = {}
        self._until = [0] * count
        self._last = [""] * count

    def leave(self, task: str, at: int) -> None:
        """Give the task's processor up at a time."""
        cpu = self.on.pop(task, -1)
        if cpu >= 0:
            since = self.since.pop(task)
            self._ran[task] += max(0, at - since)
            self._until[cpu] = at
            self._last[cpu] = task
            self.idle.append(cpu)
            self._moved(at)

    def claim(
        self,
        task: str,
        ready: int,
        now: Mapping[str, int],
        pinned: Mapping[str, int],
    ) -> int:
        """Put a task that could run from `ready` on a processor. Returns: when it runs."""
        ran = self.virtual(task)
        self.ousted = ()
        if not self.idle:
            victim = self.victim(task, now, pinned)
            lost = max(ready, now.get(victim, 0))
            self.leave(victim, lost)
            self.ousted = ((victim, lost),)
            self._put_off[victim] = self._ran[victim]
        cpu = min(self.idle, key=lambda c: self._rank(c, task, ready))
        self.idle.remove(cpu)
        start = self._start(cpu, task, ready)
        self._put_off.pop(task, None)
        self._ran[task] = ran
        self.on[task] = cpu
        self.since[task] = start
        self._moved(start)
        return start

    def openings(self, now: Mapping[str, int], pinned: Mapping[str, int]) -> list[tuple[int, int]]:
        """From when on each running task can be preempted, and when it had as much as one of 0 ns.

        Who holds a spinlock is not preempted.
        """
        return [
            (max(now.get(task, 0), since + self.time_slice), since - self._ran[task])
            for task, since in self.since.items()
            if not pinned.get(task, 0)
        ]

    def opening(self, task: str, ready: int, openings: Sequence[tuple[int, int]]) -> int:
        """When a task that could run from `ready` gets its turn in a timed run."""
        if self.idle:
            return min([self._start(cpu, task, ready) for cpu in self.idle])
        ran = self.virtual(task)
        return max(ready, min([max(end, even + ran) for end, even in openings], default=NEVER))

    def virtual(self, task: str) -> int:
        """The virtual runtime of a task without a processor."""
        ran = self._put_off.get(task)
        return max(self._ran.get(task, 0), self.floor - self.credit) if ran is None else ran

    def victim(self, task: str, now: Mapping[str, int], pinned: Mapping[str, int]) -> str:
        """Who has to make room first for a task without a processor."""
        ran = self.virtual(task)
        turns = []
        for other, since in self.since.items():
            end = max(now.get(other, 0), since + self.time_slice, since - self._ran[other] + ran)
            turns.append((pinned.get(other, 0) > 0, end, self.on[other], other))
        return min(turns)[3]

    def _moved(self, at: int) -> None:
        self.slice_end = min(self.since.values(), default=NEVER) + self.time_slice
        self.all_free = max([self._until[c] for c in self.idle], default=NEVER) + self.switch
        running = [self._ran[t] + max(0, at - since) for t, since in self.since.items()]
        self.floor = max(self.floor, min((*running, *self._put_off.values()), default=0))

    def _start(self, cpu: int, task: str, ready: int) -> int:
        other = self._last[cpu] not in {"", task}
        return max(ready, self._until[cpu] + self.switch * other)

    def _rank(self, cpu: int, task: str, ready: int) -> tuple[int, bool, int]:
        return self._start(cpu, task, ready), self._last[cpu] != task, cpu
