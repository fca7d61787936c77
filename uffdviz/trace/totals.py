"""What a run cost, in lock_stat's words: a fold of events.

A wait lasts from the end of the step that found the lock taken to the start of the step that got
it; a hold from there to the start of the release. A task's life is the sum of what it did: run (or
spin, or stand still for a word that another processor uses), wait for a processor or for the end
of a wake-up, wait for locks, sleep in userfaultfd, and pause where the scenario says so (`idle`).
"""

from collections.abc import Iterable
from typing import Any, Final

from uffdviz.trace.events import Event

FIRST: Final = "mmap_lock"
MODES: Final = ("read", "write")


class Spread:
    """The least, the mean, the most and the sum of some durations."""

    __slots__ = ("count", "least", "most", "total")

    def __init__(self) -> None:
        self.count = self.least = self.most = self.total = 0

    def add(self, ns: int) -> None:
        self.least = ns if not self.count else min(self.least, ns)
        self.most = max(self.most, ns)
        self.count += 1
        self.total += ns

    def said(self) -> dict[str, int]:
        """The figures by their JSON keys; the mean is rounded down."""
        mean = self.total // self.count if self.count else 0
        return {"min": self.least, "avg": mean, "max": self.most, "total": self.total}


class LockRow:
    """One lock in one mode."""

    __slots__ = ("acquisitions", "asked", "contentions", "hold", "since", "wait")

    def __init__(self) -> None:
        self.acquisitions = 0
        self.contentions = 0
        self.wait = Spread()
        self.hold = Spread()
        self.since: dict[str, list[int]] = {}
        self.asked: dict[str, int] = {}

    def begin(self, task: str, at: int) -> None:
        self.since.setdefault(task, []).append(at)

    def finish(self, task: str, at: int) -> None:
        if starts := self.since.get(task):
            self.hold.add(max(0, at - starts.pop()))

    def said(self, lock: str, mode: str) -> dict[str, Any]:
        return {
            "lock": lock,
            "mode": mode,
            "acquisitions": self.acquisitions,
            "contentions": self.contentions,
            "wait_ns": self.wait.said(),
            "hold_ns": self.hold.said(),
        }


class TaskRow:
    """What one task did with its time; `waits` says what it has been waiting for since `end`."""

    __slots__ = (
        "asleep",
        "done",
        "end",
        "idle",
        "killable",
        "runnable",
        "running",
        "stuck",
        "waits",
        "woken",
    )

    def __init__(self) -> None:
        self.end = 0
        self.done = False
        self.running = self.runnable = self.asleep = self.idle = 0
        self.stuck: dict[str, int] = {}
        self.killable: dict[str, int] = {}
        self.waits: tuple[str, str] | None = None
        self.woken = -1

    def copy(self) -> "TaskRow":
        other = TaskRow()
        for slot in self.__slots__:
            value = getattr(self, slot)
            setattr(other, slot, dict(value) if isinstance(value, dict) else value)
        return other

    def go_on(self, start: int, queued: int = 0) -> None:
        """Account for the time since the last step; the end of it went by without a processor."""
        gap = start - self.end
        if gap <= 0:
            return
        self.end = start
        kind, lock = self.waits or ("spinning", "")
        late = queued
        if self.waits is not None and 0 <= self.woken <= start:
            late = max(queued, start - self.woken)
        late = min(gap, late)
        waited = gap - late
        self.runnable += late
        match kind:
            case "spinning":
                self.running += waited
            case "idle":
                self.idle += waited
            case "asleep":
                self.asleep += waited
            case "killable":
                self.killable[lock] = self.killable.get(lock, 0) + waited
            case _:
                self.stuck[lock] = self.stuck.get(lock, 0) + waited

    def said(self) -> dict[str, Any]:
        return {
            "wall_ns": self.end,
            "running_ns": self.running,
            "runnable_ns": self.runnable,
            "uninterruptible_ns": dict(sorted(self.stuck.items())),
            "killable_ns": dict(sorted(self.killable.items())),
            "userfaultfd_ns": self.asleep,
            "idle_ns": self.idle,
        }


class Totals:
    """Adds up events as they come."""

    def __init__(self, tasks: Iterable[str]) -> None:
        self.wall = 0
        self._tasks = {name: TaskRow() for name in tasks}
        self._locks = {(FIRST, mode): LockRow() for mode in MODES}

    def add(self, event: Event) -> None:
        """Add one event."""
        self.wall = max(self.wall, event.end)
        task = self._tasks.setdefault(event.task, TaskRow())
        if event.fact == "Killed":
            task.woken = event.end
            return
        if event.fact == "DeadlinePassed":
            return
        if event.fact == "Paused":
            task.waits = ("idle", "")
        task.go_on(event.start, event.queued)
        task.running += event.end - event.start
        task.end = event.end
        task.waits = None
        task.woken = -1
        for name, _ in event.stuck:
            row = self._tasks[name]
            if name == event.task or not row.end:  # it has just stopped, or has not begun
                row.waits = ("idle", "")
        note = getattr(self, f"_{event.fact.lower()}", None)
        if note is not None:
            note(event, task)

    def said(self) -> dict[str, Any]:
        """The totals by their JSON keys."""
        rows = {name: row.copy() for name, row in self._tasks.items()}
        for row in rows.values():
            if not row.done:
                row.go_on(self.wall)
        tasks = {name: row.said() for name, row in rows.items()}
        order = sorted(self._locks, key=lambda key: (key[0] != FIRST, key))
        return {
            "wall_ns": self.wall,
            "locks": [self._locks[key].said(*key) for key in order],
            "tasks": tasks,
            "all": summed(list(tasks.values())),
        }

    def _lock(self, event: Event, mode: str = "") -> LockRow:
        return self._locks.setdefault((event.object, mode or event.mode), LockRow())

    def _lockacquired(self, event: Event, _: TaskRow) -> None:
        row = self._lock(event)
        row.acquisitions += 1
        row.begin(event.task, event.end)
        asked = row.asked.pop(event.task, None)
        if asked is not None:
            row.wait.add(max(0, event.start - asked))

    def _lockcontended(self, event: Event, task: TaskRow) -> None:
        row = self._lock(event)
        if event.task not in row.asked:  # else it spun in vain: the same wait goes on
            row.contentions += 1
            row.asked[event.task] = event.end
        if event.detail != "trying":
            task.waits = (event.detail or "uninterruptible", event.object)

    def _lockgaveup(self, event: Event, _: TaskRow) -> None:
        self._lock(event).asked.pop(event.task, None)

    def _lockreleased(self, event: Event, _: TaskRow) -> None:
        self._lock(event).finish(event.task, event.start)

    def _lockdowngraded(self, event: Event, _: TaskRow) -> None:
        self._lock(event, "write").finish(event.task, event.start)
        self._lock(event, "read").begin(event.task, event.end)

    def _slept(self, event: Event, task: TaskRow) -> None:
        own = event.object == f"task {event.task}"
        task.waits = ("asleep" if own else event.mode, event.object)

    def _woke(self, event: Event, _: TaskRow) -> None:
        for name in event.tasks:
            if name in self._tasks:
                self._tasks[name].woken = event.end

    def _finished(self, _: Event, task: TaskRow) -> None:
        task.done = True


def totals(tasks: Iterable[str], events: Iterable[Event]) -> dict[str, Any]:
    """Add up a run."""
    sums = Totals(tasks)
    for event in events:
        sums.add(event)
    return sums.said()


def summed(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up the figures of all tasks, by key and by lock."""
    result: dict[str, Any] = {}
    for key in TaskRow().said():
        values = [task[key] for task in tasks]
        if key in {"uninterruptible_ns", "killable_ns"}:
            locks = sorted({lock for value in values for lock in value})
            result[key] = {lock: sum(value.get(lock, 0) for value in values) for lock in locks}
        else:
            result[key] = sum(values)
    return result
