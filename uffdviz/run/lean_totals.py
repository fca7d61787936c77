"""The totals of a timed run without events: objects and tasks of the run, and what steps did to them.

The rules are those of `trace/totals.py`; here they are applied as the steps are taken.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from uffdviz.kernel.steps import Ask, Mark, Obj, Step
from uffdviz.run.setting import Setting
from uffdviz.run.waking import lateness
from uffdviz.trace.events import Fact
from uffdviz.trace.totals import FIRST, MODES, LockRow, TaskRow, all_said, group, grouped_row

QUIET: Final = frozenset({"Saw", "Changed", "Resumed", "LockRefused", "LockMisused"})


class Thing:
    """An object in a run: its state, its last uses, who waits for it, and its rows of the totals."""

    __slots__ = (
        "asked", "head", "limit", "name", "obj", "read", "read_since", "released", "rows", "since",
        "spinners", "state", "tired", "waiters", "written",
    )  # fmt: skip

    def __init__(self, obj: Obj, state: Any) -> None:
        self.obj = obj
        self.name = obj.name
        self.state = state
        self.written = self.read = 0
        self.released = -1
        self.read_since = self.limit = 0
        self.tired = False
        self.head = ""
        self.waiters: list[Runner] = []
        self.spinners: list[Runner] = []
        self.rows: dict[str, LockRow] = {}
        self.asked: dict[tuple[str, str], int] = {}
        self.since: dict[tuple[str, str], list[int]] = {}


class Runner(TaskRow):
    """A task in a run: what it wants to do next, and when it could."""

    __slots__ = (
        "ask", "listed", "name", "now", "on", "over", "pinned", "place", "ready", "results",
        "roused", "send", "slept", "spins", "spun", "thing", "up", "waits_since", "wakes", "writes",
    )  # fmt: skip

    def __init__(self, name: str, place: int, send: Callable[[Any], Ask]) -> None:
        super().__init__()
        self.name = name
        self.place = place
        self.send = send
        self.ask: Ask | None = None
        self.thing: Thing | None = None
        self.now = 0
        self.on = False
        self.over = False
        self.listed = False
        self.slept = False
        self.spins: Thing | None = None
        self.spun = False
        self.pinned = 0
        self.roused = self.up = -1
        self.wakes = 0
        self.writes = False
        self.ready = 0
        self.waits_since = 0
        self.results: list[str] = []


Note = Callable[[Fact, Runner, Thing, int, int], None]


class Sums:
    """What a run cost so far. Mappings of the same name share a row."""

    def __init__(self, setting: Setting) -> None:
        self.wall = 0
        self.cpus = setting.scenario.cpus or 0
        self.latency = setting.costs["wake_latency"]
        self.soonest = 0
        self.tasks: dict[str, Runner] = {}
        self._rows: dict[tuple[str, str], LockRow] = {(FIRST, mode): LockRow() for mode in MODES}
        self.notes: dict[str, Note] = {
            "LockAcquired": self._acquired,
            "LockContended": self._contended,
            "LockReleased": self._released,
            "LockDowngraded": self._downgraded,
            "LockGaveUp": self._gave_up,
            "Slept": self._slept,
            "Woke": self._woke,
        }

    def marked(self, task: Runner, mark: Mark) -> None:
        """Note that a call returned, or that the task is done."""
        if mark.begins:
            return
        if mark.fact.kind == "Returned" and not mark.fact.mode:
            task.results.append(mark.fact.detail)
        elif mark.fact.kind == "Finished":
            task.done = True

    def stop_spin(self, task: Runner) -> None:
        """Note that a task spins no longer."""
        raise NotImplementedError

    def _row(self, thing: Thing, mode: str) -> LockRow:
        row = thing.rows.get(mode)
        if row is None:
            key = (group(thing.name), mode)
            row = thing.rows[mode] = self._rows.setdefault(key, LockRow())
        return row

    def _acquired(self, fact: Any, task: Runner, thing: Thing, start: int, end: int) -> None:
        row = self._row(thing, fact.mode)
        row.acquisitions += 1
        key = (task.name, fact.mode)
        thing.since.setdefault(key, []).append(end)
        asked = thing.asked.pop(key, None)
        if asked is not None:
            waited = max(0, start - asked)
            row.wait.add(waited)
            task.got(thing.name, waited)
        if task.spins is not None:
            self.stop_spin(task)
        if thing.obj.kind == "spinlock":
            task.pinned += not task.spun
            task.spun = False
        else:
            task.writes = False

    def contended_row(self, thing: Thing, task: Runner, mode: str, end: int) -> None:
        """Note that a task found a lock taken, once until it gets it."""
        key = (task.name, mode)
        if key not in thing.asked:
            self._row(thing, mode).contentions += 1
            thing.asked[key] = end

    def _contended(self, fact: Any, task: Runner, thing: Thing, start: int, end: int) -> None:
        ask = task.ask
        self.contended_row(thing, task, fact.mode, end)
        if not isinstance(ask, Step) or not ask.waits:
            return  # it looks again before it sleeps
        spins = thing.obj.kind == "spinlock"
        how = "spinning" if spins else "killable" if ask.killable else "uninterruptible"
        task.waits = (how, thing.name)
        if spins:
            task.pinned += 1
            task.spun = True
        else:
            if task.spins is not None:
                self.stop_spin(task)
            task.writes = fact.mode == "write"
            task.waits_since = end

    def _released(self, fact: Any, task: Runner, thing: Thing, start: int, end: int) -> None:
        if thing.obj.kind == "spinlock":
            task.pinned -= 1
        else:
            thing.released = end
        if starts := thing.since.get((task.name, fact.mode)):
            self._row(thing, fact.mode).hold.add(max(0, start - starts.pop()))

    def _downgraded(self, fact: Any, task: Runner, thing: Thing, start: int, end: int) -> None:
        thing.released = end
        if starts := thing.since.get((task.name, "write")):
            self._row(thing, "write").hold.add(max(0, start - starts.pop()))
        self._row(thing, "read").acquisitions += 1
        thing.since.setdefault((task.name, "read"), []).append(end)

    def _gave_up(self, fact: Any, task: Runner, thing: Thing, start: int, end: int) -> None:
        thing.asked.pop((task.name, fact.mode), None)
        task.writes = False

    def _slept(self, fact: Any, task: Runner, thing: Thing, start: int, end: int) -> None:
        own = thing.name == f"task {task.name}"
        task.waits = ("asleep" if own else fact.mode, thing.name)

    def _woke(self, fact: Any, task: Runner, thing: Thing, start: int, end: int) -> None:
        for name in fact.tasks:
            if name in self.tasks:
                self._rouse(self.tasks[name], thing, end)

    def _rouse(self, task: Runner, thing: Thing, at: int) -> None:
        task.woken = at
        if task.writes and task.roused >= task.now and thing.released < task.up:
            return  # it is waking up already
        task.roused = at
        task.wakes += 1
        self.soonest = 0
        task.up = at + self.latency
        if self.cpus:
            task.up = at + lateness(self.latency, task.name, task.wakes)
        task.ready = min(task.ready, task.up)

    def totals(self) -> dict[str, Any]:
        """The totals by their JSON keys; mappings of the same name are one row."""
        self.wall = max((task.end for task in self.tasks.values()), default=0)
        for task in self.tasks.values():
            task.last(self.wall)
        tasks = {name: grouped_row(task.said()) for name, task in self.tasks.items()}
        return all_said(self.wall, self._rows, tasks)

    def returns(self) -> dict[str, dict[str, int]]:
        """How often the calls of each task returned what."""
        return {name: dict(Counter(task.results)) for name, task in self.tasks.items()}
