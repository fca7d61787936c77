"""What a run cost, in lock_stat's words: a fold of events.

A wait lasts from the end of the step that found the lock taken to the start of the step that got
it; a hold from there to the start of the release, or of the downgrade, where a hold for reading
begins. A wait that is not over, or ends without the lock, is in no lock's sum, nor in a task's. A task's life is the sum of what it did: run (or
spin, or stand still for a word that another processor uses), wait for a processor or for the end
of a wake-up, wait for locks, sleep in userfaultfd, and pause where the scenario says so (`idle`).
"""

from collections.abc import Iterable
from typing import Any, Final

from uffdviz.trace.events import Event

FIRST: Final = "mmap_lock"
MODES: Final = ("read", "write")
IDLE: Final = ("idle", "")


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

    def join(self, other: "Spread") -> None:
        """Add the durations of another."""
        if other.count:
            self.least = min(self.least, other.least) if self.count else other.least
            self.most = max(self.most, other.most)
            self.count += other.count
            self.total += other.total

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

    def join(self, other: "LockRow") -> None:
        """Add what another lock cost."""
        self.acquisitions += other.acquisitions
        self.contentions += other.contentions
        self.wait.join(other.wait)
        self.hold.join(other.hold)

    def said(self, lock: str, mode: str) -> dict[str, Any]:
        return {
            "lock": lock,
            "mode": mode,
            "acquisitions": self.acquisitions,
            "contentions": self.contentions,
            "wait_ns": self.wait.said(),
            "hold_ns": self.hold.said(),
        }


Rows = dict[tuple[str, str], LockRow]
"""The rows of locks, by lock and mode."""


class TaskRow:
    """What one task did with its time; `waits` says what it has been waiting for since `end`.

    `off` is since when a task that could go on has had no processor; negative if it has one.
    """

    __slots__ = (
        "asleep",
        "done",
        "end",
        "idle",
        "killable",
        "lock_waits",
        "off",
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
        self.lock_waits: dict[str, int] = {}
        self.waits: tuple[str, str] | None = None
        self.woken = -1
        self.off = -1

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

    def got(self, lock: str, waited: int) -> None:
        """Account for the whole wait for a lock: asleep, spinning, and waking up until it has it."""
        self.lock_waits[lock] = self.lock_waits.get(lock, 0) + waited

    def last(self, wall: int) -> None:
        """Account for the time until the end of the run, or of what is known of it."""
        if self.done:
            return
        could = self.off >= 0 and (self.waits is None or self.waits[0] == "spinning")
        self.go_on(wall, wall - self.off if could else 0)

    def said(self) -> dict[str, Any]:
        return {
            "wall_ns": self.end,
            "running_ns": self.running,
            "runnable_ns": self.runnable,
            "uninterruptible_ns": dict(sorted(self.stuck.items())),
            "killable_ns": dict(sorted(self.killable.items())),
            "userfaultfd_ns": self.asleep,
            "idle_ns": self.idle,
            "lock_wait_ns": dict(sorted(self.lock_waits.items())),
        }


class Totals:
    """Adds up events as they come."""

    def __init__(self, tasks: Iterable[str]) -> None:
        self.wall = 0
        self._begun = False
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
            task.waits = IDLE
        task.go_on(event.start, event.queued)
        task.running += event.end - event.start
        task.end = event.end
        task.waits = None
        task.woken = task.off = -1
        self._stopped(event)
        note = getattr(self, f"_{event.fact.lower()}", None)
        if note is not None:
            note(event, task)

    def _stopped(self, event: Event) -> None:
        """Note which tasks wait, pause or have lost their processor from now on."""
        for name, _ in event.stuck:
            if name == event.task or not self._begun:  # it has just stopped, or begins so
                self._tasks[name].waits = IDLE
        self._begun = True
        for name, since in event.off:
            if name == event.task:
                self._tasks[name].waits = IDLE
            else:
                self._tasks[name].off = since

    def said(self, *, grouped: bool = False) -> dict[str, Any]:
        """The totals by their JSON keys; `grouped`: mappings of the same name are one row."""
        rows = {name: row.copy() for name, row in self._tasks.items()}
        for row in rows.values():
            row.last(self.wall)
        tasks = {name: row.said() for name, row in rows.items()}
        if not grouped:
            return all_said(self.wall, self._locks, tasks)
        tasks = {name: grouped_row(row) for name, row in tasks.items()}
        return all_said(self.wall, grouped_locks(self._locks), tasks)

    def _lock(self, event: Event, mode: str = "") -> LockRow:
        return self._locks.setdefault((event.object, mode or event.mode), LockRow())

    def _lockacquired(self, event: Event, task: TaskRow) -> None:
        row = self._lock(event)
        row.acquisitions += 1
        row.begin(event.task, event.end)
        asked = row.asked.pop(event.task, None)
        if asked is not None:
            waited = max(0, event.start - asked)
            row.wait.add(waited)
            task.got(event.object, waited)

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
        row = self._lock(event, "read")
        row.acquisitions += 1
        row.begin(event.task, event.end)

    def _slept(self, event: Event, task: TaskRow) -> None:
        own = event.object == f"task {event.task}"
        task.waits = ("asleep" if own else event.mode, event.object)

    def _woke(self, event: Event, _: TaskRow) -> None:
        for name in event.tasks:
            if name in self._tasks:
                self._tasks[name].woken = event.end

    def _finished(self, _: Event, task: TaskRow) -> None:
        task.done = True


def totals(
    tasks: Iterable[str], events: Iterable[Event], *, grouped: bool = False
) -> dict[str, Any]:
    """Add up a run; `grouped`: mappings of the same name are one row."""
    sums = Totals(tasks)
    for event in events:
        sums.add(event)
    return sums.said(grouped=grouped)


def all_said(wall: int, locks: Rows, tasks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The totals by their JSON keys."""
    order = sorted(locks, key=lambda key: (key[0] != FIRST, key))
    return {
        "wall_ns": wall,
        "locks": [locks[key].said(*key) for key in order],
        "tasks": tasks,
        "all": summed(list(tasks.values())),
    }


def group(lock: str) -> str:
    """The row of a lock: that of a mapping which came later is that of the first of the name."""
    return lock.partition("~")[0]


def grouped_row(task: dict[str, Any]) -> dict[str, Any]:
    """The figures of a task, with its waits added up by the rows of their locks."""
    return {k: grouped_waits(v) if isinstance(v, dict) else v for k, v in task.items()}


def grouped_waits(waits: dict[str, int]) -> dict[str, int]:
    """Add up waits by the rows of their locks."""
    sums: dict[str, int] = {}
    for lock, ns in sorted(waits.items()):
        sums[group(lock)] = sums.get(group(lock), 0) + ns
    return sums


def grouped_locks(locks: Rows) -> Rows:
    """Add up the rows of locks that belong to mappings of the same name."""
    rows: Rows = {}
    for (lock, mode), row in locks.items():
        rows.setdefault((group(lock), mode), LockRow()).join(row)
    return rows


def summed(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up the figures of all tasks, by key and by lock."""
    result: dict[str, Any] = {}
    for key, nothing in TaskRow().said().items():
        values = [task[key] for task in tasks]
        if isinstance(nothing, dict):
            locks = sorted({lock for value in values for lock in value})
            result[key] = {lock: sum(value.get(lock, 0) for value in values) for lock in locks}
        else:
            result[key] = sum(values)
    return result
