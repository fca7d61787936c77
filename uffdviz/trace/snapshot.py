"""What can be known after the first n events: a pure fold.

A snapshot holds the state of every object and, for each task, where it is and what it waits for.
It knows lock states only by what all of them have: `holders`, and most of them a `queue`.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, Literal

from uffdviz.light import msgspec
from uffdviz.trace.events import Calls, Event

State = Literal["ready", "blocked", "asleep", "done"]
PAGE: Final = 4096
EVERY: Final = 256


class TaskView(msgspec.Struct, frozen=True):
    """One task as a person sees it.

    `function` and `step` say where it stands, `stack` what it has entered, outermost first.
    If it is blocked: on `lock`, to get it in `mode`, behind those who hold it or queue before it;
    `place` is its place in the queue, from 1. `results` leaves out what the calls of setup, cleanup
    and signal handlers returned. `manner` is `killable`, `spinning` or empty for a
    lock, and how it sleeps for a task that is asleep.
    """

    name: str
    call: str = ""
    stack: tuple[str, ...] = ()
    function: str = ""
    step: str = ""
    state: State = "ready"
    lock: str = ""
    mode: str = ""
    manner: str = ""
    behind: tuple[str, ...] = ()
    place: int = 0
    holds: tuple[tuple[str, str], ...] = ()
    results: tuple[str, ...] = ()
    clock: int = 0


class Record(msgspec.Struct):
    """What the fold keeps of a task.

    `waits` is (lock, mode, manner) once a lock was contended, `slept` (object, manner) once it
    fell asleep on one: its own state, or a lock that is slept for by itself.
    """

    function: str = ""
    step: str = ""
    calls: tuple[str, ...] = ()
    stack: tuple[str, ...] = ()
    waits: tuple[str, str, str] | None = None
    slept: tuple[str, str] | None = None
    done: bool = False
    holds: tuple[tuple[str, str], ...] = ()
    results: tuple[str, ...] = ()
    clock: int = 0


class Fold:
    """The mutable half of a snapshot; nobody outside this file changes one that is shown."""

    __slots__ = ("layout", "n", "objects", "stuck", "tasks")

    def __init__(
        self,
        n: int,
        objects: dict[str, Any],
        tasks: dict[str, Record],
        layout: Mapping[str, int],
        stuck: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.n = n
        self.objects = objects
        self.tasks = tasks
        self.layout = layout
        self.stuck = stuck

    def copy(self) -> "Fold":
        tasks = {name: msgspec.structs.replace(task) for name, task in self.tasks.items()}
        return Fold(self.n, dict(self.objects), tasks, self.layout, self.stuck)

    def apply(self, event: Event) -> None:
        """Go on by one event."""
        self.n = event.n
        self.stuck = event.stuck
        if event.value is not None:
            self.objects[event.object] = event.value
        elif event.pages is not None:
            before = self.objects[event.object]
            self.objects[event.object] = with_pages(before, event.pages)
        if event.fact in {"Killed", "DeadlinePassed"}:
            return
        task = self.tasks.setdefault(event.task, Record())
        task.clock = event.end
        task.function, task.step = event.at
        task.waits = None
        task.slept = None
        note = FACTS.get(event.fact)
        if note is not None:
            note(task, event)
        if event.calls:
            task.stack = after_calls(task.stack, event.calls)


def _acquired(task: Record, event: Event) -> None:
    task.holds = (*task.holds, (event.object, event.mode))


def _released(task: Record, event: Event) -> None:
    task.holds = without(task.holds, (event.object, event.mode))


def _downgraded(task: Record, event: Event) -> None:
    task.holds = tuple(
        (lock, "read" if lock == event.object else mode) for lock, mode in task.holds
    )


def _contended(task: Record, event: Event) -> None:
    if event.detail != "trying":
        task.waits = (event.object, event.mode, event.detail)


def _slept(task: Record, event: Event) -> None:
    task.slept = (event.object, event.mode)


def _called(task: Record, event: Event) -> None:
    task.calls = (*task.calls, event.detail)


def _returned(task: Record, event: Event) -> None:
    task.calls = task.calls[:-1]
    if not event.mode:
        task.results = (*task.results, event.detail)


def _finished(task: Record, event: Event) -> None:
    task.done = True
    task.stack = ()


FACTS: Final = {
    "LockAcquired": _acquired,
    "LockReleased": _released,
    "LockDowngraded": _downgraded,
    "LockContended": _contended,
    "Slept": _slept,
    "Called": _called,
    "Returned": _returned,
    "Finished": _finished,
}


class Snapshot:
    """The state of everything after event `n`; a value: going on gives another one."""

    def __init__(self, fold: Fold) -> None:
        self._fold = fold

    @property
    def n(self) -> int:
        """The number of the last event; 0 at the start."""
        return self._fold.n

    @property
    def objects(self) -> Mapping[str, Any]:
        """What each object is, by its name."""
        return self._fold.objects

    @property
    def task_names(self) -> tuple[str, ...]:
        return tuple(self._fold.tasks)

    @property
    def layout(self) -> Mapping[str, int]:
        """Where each mapping began at the start: what `src+1` means for the whole run."""
        return self._fold.layout

    @cached_property
    def tasks(self) -> Mapping[str, TaskView]:
        """Every task, in scenario order."""
        return {name: self._view(name, record) for name, record in self._fold.tasks.items()}

    @cached_property
    def locks(self) -> Mapping[str, Any]:
        """The objects that are locks."""
        return {name: s for name, s in self.objects.items() if hasattr(s, "holders")}

    def after(self, event: Event) -> "Snapshot":
        """Give the snapshot one event later."""
        fold = self._fold.copy()
        fold.apply(event)
        return Snapshot(fold)

    def unfolded(self) -> Fold:
        """Give a fold of its own to go on from here, for a loop over many events."""
        return self._fold.copy()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Snapshot):
            return NotImplemented
        mine, theirs = self._fold, other._fold
        return (mine.n, mine.objects, mine.tasks) == (theirs.n, theirs.objects, theirs.tasks)

    def __hash__(self) -> int:
        return hash(self.n)

    def _view(self, name: str, record: Record) -> TaskView:
        state: State = "done" if record.done else "ready"
        lock = mode = manner = ""
        behind: tuple[str, ...] = ()
        place = 0
        if record.waits and self._refused(name, *record.waits):
            state = "blocked"
            lock, mode, manner = record.waits
            behind, place = who_is_before(self.objects[lock], name)
        elif record.slept and record.slept[0] != f"task {name}":
            if self.objects[record.slept[0]].asleep:
                state, lock, mode = "blocked", record.slept[0], "write"
                behind, place = who_is_before(self.objects[lock], name)
        elif record.slept and not self._roused(name):
            state, manner = "asleep", record.slept[1]
        elif name in (silent := dict(self._fold.stuck)):
            state, lock = "blocked", silent[name]
        return TaskView(
            name=name,
            call=record.calls[-1] if record.calls else "",
            stack=record.stack,
            function=record.function,
            step=record.step,
            state=state,
            lock=lock,
            mode=mode,
            manner=manner,
            behind=behind,
            place=place,
            holds=record.holds,
            results=record.results,
            clock=record.clock,
        )

    def _refused(self, task: str, lock: str, mode: str, manner: str) -> bool:
        if manner == "killable" and self._own(task, "signal"):
            return False
        return refuses(self.objects[lock], task, mode)

    def _roused(self, task: str) -> bool:
        run = self._own(task, "run")
        return run == "running" or (bool(self._own(task, "signal")) and run != "uninterruptible")

    def _own(self, task: str, field: str) -> Any:
        return getattr(self.objects.get(f"task {task}"), field, None)


class History:
    """The events of a run with cheap access to the snapshot after any of them."""

    def __init__(self, start: Snapshot, events: list[Event] | None = None) -> None:
        self.events = events if events is not None else []
        self._marks = [start._fold]
        self._tail = start._fold.copy()
        self._told = 0

    def __len__(self) -> int:
        return len(self.events)

    @property
    def last(self) -> Snapshot:
        """The snapshot after the last event so far."""
        for event in self.events[self._told :]:
            self._tail.apply(event)
        self._told = len(self.events)
        return Snapshot(self._tail.copy())

    def at(self, n: int) -> Snapshot:
        """Give the snapshot after event `n`; 0 is the start."""
        n = max(0, min(n, len(self.events)))
        while len(self._marks) <= n // EVERY:
            done = (len(self._marks) - 1) * EVERY
            fold = self._marks[-1].copy()
            for event in self.events[done : done + EVERY]:
                fold.apply(event)
            self._marks.append(fold)
        mark = n // EVERY
        fold = self._marks[mark].copy()
        for event in self.events[mark * EVERY : n]:
            fold.apply(event)
        return Snapshot(fold)


def first_snapshot(
    objects: dict[str, Any],
    places: Mapping[str, tuple[str, str]],
    stuck: tuple[tuple[str, str], ...] = (),
) -> Snapshot:
    """Give the snapshot before the first event: every object's state, and where each task is."""
    tasks = {name: Record(function=where[0], step=where[1]) for name, where in places.items()}
    layout = {
        name.removeprefix("mapping "): state.start
        for name, state in objects.items()
        if name.startswith("mapping ")
    }
    return Snapshot(Fold(0, objects, tasks, layout, stuck))


def refuses(state: Any, task: str, mode: str) -> bool:
    """Whether a lock in this state still refuses a task that queues for it.

    A reader is let in by being moved from the queue to the holders; a writer takes the free lock
    from the head of the queue. A lock with other rules has a method `refuses` of its own.
    """
    if hasattr(state, "refuses"):
        return bool(state.refuses(task, mode))
    queue = state.queue
    if mode == "read":
        return any(waiter.task == task for waiter in queue)
    return bool(state.holders) or (bool(queue) and queue[0].task != task)


def who_is_before(state: Any, task: str) -> tuple[tuple[str, ...], int]:
    """Name the holders of a lock and those queued before `task`; and the task's place, from 1."""
    queued = [waiter.task for waiter in getattr(state, "queue", ())]
    place = queued.index(task) + 1 if task in queued else 0
    names = (*state.holders, *queued[: max(0, place - 1)])
    return tuple(dict.fromkeys(name for name in names if name != task)), place


def with_pages(table: Any, pages: Mapping[str, Any]) -> Any:
    """Put changed entries into a page table; None removes one."""
    entries = dict(table.entries)
    entries.update((int(page), pte) for page, pte in pages.items())
    kept = sorted((page, pte) for page, pte in entries.items() if pte is not None)
    return msgspec.structs.replace(table, entries=tuple(kept))


def after_calls(stack: tuple[str, ...], calls: Calls) -> tuple[str, ...]:
    """Enter and leave functions."""
    names = list(stack)
    for verb, name, *_ in calls:
        if verb == "enter":
            names.append(name)
        elif name in names:
            del names[len(names) - 1 - names[::-1].index(name) :]
    return tuple(names)


def without(
    holds: tuple[tuple[str, str], ...], one: tuple[str, str]
) -> tuple[tuple[str, str], ...]:
    """Drop the latest hold that is equal to `one`."""
    for at in range(len(holds) - 1, -1, -1):
        if holds[at] == one:
            return (*holds[:at], *holds[at + 1 :])
    return holds
