"""A run without events whose time is noted as it goes by: slices of virtual time, the longest waits.

Whatever happens between two steps of a task is accounted in `TaskRow.go_on()`. Here it is heard
there, and nowhere else, so what the slices add up to are the totals of the run.
"""

from collections.abc import Mapping
from heapq import heappush, heapreplace
from itertools import accumulate
from typing import Any, ClassVar, Final, NamedTuple

from uffdviz.run.lean import Lean
from uffdviz.run.lean_totals import Runner, Thing
from uffdviz.run.processors import NEVER
from uffdviz.run.scenario import TaskTable
from uffdviz.run.setting import Setting
from uffdviz.trace.profile import Group, Kind, Profile, Row, Wait
from uffdviz.trace.totals import TaskRow, group

SLICES: Final = 4096
FINEST: Final = 16
"""Nanoseconds of a slice when a run begins: there are wider ones when it is longer."""
LONGEST: Final = 100
"""So many waits of a whole run are kept for each kind of task."""
CLOSE: Final = 1000
"""Likewise of a window."""
GO_ON: Final = TaskRow.go_on
SPINS: Final = ("spinning", "")
SPENT: Final[Mapping[str, Kind]] = {
    "spinning": "running",
    "idle": "idle",
    "asleep": "asleep",
    "killable": "killable",
}
"""What a wait counts as, as in `TaskRow.go_on()`; any other is uninterruptible."""
LOCKED: Final = frozenset({"uninterruptible", "killable"})
CHANGES: Final = frozenset(
    {"mmap", "munmap", "mprotect", "mremap", "madvise", "fork", "UFFDIO_REGISTER", "UFFDIO_UNREGISTER"}
)  # fmt: skip
"""Calls that take mmap_lock for writing in every era: what their tasks wait for is told apart."""


class Gap(NamedTuple):
    """A task stopped at `end`, could go on at `ready`, and did at `start`."""

    kind: Kind
    lock: str
    end: int
    ready: int
    start: int


class Watched(Runner):
    """A task whose time is noted: it ran from `since` to `end` without a pause."""

    __slots__ = ("asked", "group", "since", "told")

    told: "Slices"
    group: str
    since: int
    asked: tuple[str, Any]

    def go_on(self, start: int, queued: int = 0) -> None:
        """Account for the time since the last step, and say how it was spent."""
        if self.waits is None and not queued:
            GO_ON(self, start)  # it goes on running
            return
        end, runnable = self.end, self.runnable
        kind, lock = self.waits or SPINS
        GO_ON(self, start, queued)
        if start > end:
            ready = start - (self.runnable - runnable)
            self.told.gap(self, Gap(SPENT.get(kind, "uninterruptible"), lock, end, ready, start))


class Strip:
    """A row of slices: nanoseconds in `parts`, and whole tasks from one slice to another in `steps`."""

    def __init__(self, most: int) -> None:
        self.parts = [0] * most
        self.steps = [0] * (most + 1)

    def slices(self, width: int) -> list[int]:
        """What was spent in each slice."""
        whole = accumulate(self.steps)
        return [part + width * tasks for part, tasks in zip(self.parts, whole, strict=False)]

    def widen(self, width: int) -> None:
        """Make one slice of two."""
        spent = self.slices(width)
        most = len(spent)
        pairs = zip(spent[::2], spent[1::2], strict=True)
        self.parts = [*map(sum, pairs), *[0] * (most // 2)]
        self.steps = [0] * (most + 1)


class Slices:
    """Adds up stretches of time in at most `most` slices, wider ones if the run is longer.

    With a window only what is in it counts.
    """

    def __init__(self, window: tuple[int, int] | None = None, most: int = SLICES) -> None:
        self.first, self.last = window or (0, NEVER)
        self.width = max(1, -(-(self.last - self.first) // most)) if window else FINEST
        self.most = most
        self.longest = CLOSE if window else LONGEST
        self.rows: dict[tuple[str, Kind, str], Strip] = {}
        self.waits: dict[str, list[tuple[int, int, Wait]]] = {}
        self.waited = 0

    def gap(self, task: Watched, gap: Gap) -> None:
        """Note how a task spent the time between two steps."""
        kind, lock, end, ready, start = gap
        if kind == "running":
            end = ready
        self.flush(task, end)
        task.since = start
        if ready > end:
            locked = kind in LOCKED
            self.spend(task.group, kind, lock if locked else "", end, ready)
            if locked and end < self.last and ready > self.first:
                self._keep(task, gap)
        if start > ready:
            self.spend(task.group, "runnable", "", ready, start)

    def flush(self, task: Watched, end: int) -> None:
        """Note that a task ran until `end`."""
        if end > task.since:
            self.spend(task.group, "running", "", task.since, end)
            task.since = end

    def spend(self, name: str, kind: Kind, lock: str, start: int, end: int) -> None:
        """Add a stretch to its slices."""
        first = self.first
        start, end = max(start, first) - first, min(end, self.last) - first
        if end <= start:
            return
        while end > self.width * self.most:
            self._widen()
        key = (name, kind, group(lock))
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Strip(self.most)
        at, to = start // self.width, (end - 1) // self.width
        parts = row.parts
        if at == to:
            parts[at] += end - start
            return
        parts[at] += (at + 1) * self.width - start
        parts[to] += end - to * self.width
        row.steps[at + 1] += 1
        row.steps[to] -= 1

    def _widen(self) -> None:
        for row in self.rows.values():
            row.widen(self.width)
        self.width *= 2

    def _keep(self, task: Watched, gap: Gap) -> None:
        """Keep a wait if it is among the longest of its kind of task."""
        self.waited += 1
        kept = self.waits.setdefault(task.group, [])
        length = gap.ready - gap.end
        if len(kept) < self.longest:
            heappush(kept, (length, -self.waited, wait_of(task, gap)))
        elif length > kept[0][0]:
            heapreplace(kept, (length, -self.waited, wait_of(task, gap)))

    def sums(self, length: int) -> list[Row]:
        """The rows, added up from slice to slice over a length of time."""
        slices = max(1, -(-length // self.width))
        return [
            Row(*key, tuple(accumulate(self.rows[key].slices(self.width)[:slices], initial=0)))
            for key in sorted(self.rows)
        ]


def wait_of(task: Watched, gap: Gap) -> Wait:
    """Say what a wait was for, and behind whom it began."""
    kind, lock, end, ready, start = gap
    mode, state = task.asked
    queue = [waiter.task for waiter in getattr(state, "queue", ())]
    place = queue.index(task.name) if task.name in queue else len(queue)
    behind = tuple(name for name in getattr(state, "holders", ()) if name != task.name)
    return Wait(task.name, kind, lock, mode, end, ready, start, behind, place)


class Recorder(Lean):
    """A run of which a profile is wanted, of all of it or of a window."""

    runner: ClassVar[type[Runner]] = Watched

    def __init__(self, setting: Setting, window: tuple[int, int] | None = None) -> None:
        super().__init__(setting)
        self.slices = Slices(window)
        self.era_name = setting.era_name
        self.stuck = ""
        self.groups = groups(setting.tables)
        for name, task in self._watched().items():
            task.told, task.since, task.asked = self.slices, 0, ("", None)
            task.group = setting.tables[name].name

    def _watched(self) -> Mapping[str, Watched]:
        return {name: task for name, task in self.tasks.items() if isinstance(task, Watched)}

    def _contended(self, fact: Any, task: Runner, thing: Thing, start: int, end: int) -> None:
        super()._contended(fact, task, thing, start, end)
        if isinstance(task, Watched):
            task.asked = (fact.mode, thing.state)

    def _slept(self, fact: Any, task: Runner, thing: Thing, start: int, end: int) -> None:
        super()._slept(fact, task, thing, start, end)
        if isinstance(task, Watched):
            task.asked = ("", thing.state)

    def known(self) -> int:
        """Until when everything has been noted: the first time that some task has not left."""
        return min((t.end for t in self.tasks.values() if not t.over), default=self.now())

    def profile(self, *, last: bool = False) -> Profile:
        """What is known so far; `last`: nothing more will come, so whoever waits has waited."""
        if last:
            _ = self.totals()
        for task in self._watched().values():
            self.slices.flush(task, task.end)
        slices = self.slices
        until = max(slices.first, min(self.wall if last else self.known(), slices.last))
        waits = [wait for kept in slices.waits.values() for _, _, wait in kept]
        return Profile(
            era=self.era_name,
            start=slices.first,
            end=until,
            width=slices.width,
            over=self.over,
            groups=self.groups,
            rows=tuple(slices.sums(until - slices.first)),
            waits=tuple(sorted(waits, key=lambda w: (w.start, w.task))),
            waited=slices.waited,
            steps=self.steps,
            stuck=self.stuck,
        )


def groups(tables: Mapping[str, TaskTable]) -> tuple[Group, ...]:
    """The kinds of tasks of a scenario, in its order."""
    names = dict.fromkeys(table.name for table in tables.values())
    return tuple(
        Group(name, len(mine), any(changes(table) for table in mine))
        for name in names
        for mine in [[table for table in tables.values() if table.name == name]]
    )


def changes(table: TaskTable) -> bool:
    """Whether the calls of a task change mappings."""
    return any(call.__struct_config__.tag in CHANGES for call in table.calls)
