"""What each task did on virtual time: a fold of the events into segments that can be drawn."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Literal

from uffdviz.trace.events import Event

Kind = Literal["run", "hold", "keep", "wait", "sleep", "idle"]


class Lane:
    """One task: from `starts[i]` on it is `kinds[i]`, with the words `labels[i]`."""

    __slots__ = ("blocked", "end", "held", "kinds", "labels", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.kinds: list[Kind] = []
        self.labels: list[str] = []
        self.held: list[tuple[str, str]] = []
        self.blocked: tuple[Kind, str] | None = None
        self.end = 0

    def at(self, time: int) -> int:
        """Which segment `time` lies in; -1: before the first."""
        return bisect_right(self.starts, time) - 1

    @property
    def label(self) -> str:
        """What is held, in few characters."""
        return " ".join(f"{mode}:{name}" for name, mode in self.held)

    def rest(self, start: int) -> None:
        """From `start` on the task does not run; it may hold locks all the same."""
        self.begin(start, "keep" if self.held else "idle", self.label)

    def begin(self, start: int, kind: Kind, label: str) -> None:
        """From `start` on it is something else, unless it is the same as before."""
        if self.starts and self.starts[-1] == start:
            for column in (self.starts, self.kinds, self.labels):
                column.pop()
        if self.kinds and self.kinds[-1] == kind and self.labels[-1] == label:
            return
        self.starts.append(start)
        self.kinds.append(kind)
        self.labels.append(label)


class Lanes:
    """All tasks; `starts` is when each event starts, never before an earlier one's.

    It grows with the events and begins afresh when they are not those it knows.
    """

    def __init__(self, tasks: Iterable[str]) -> None:
        self.lanes = {task: Lane() for task in tasks}
        self.events: list[Event] = []
        self.end = 0

    def extend(self, events: Iterable[Event]) -> None:
        """Take in the events that came after those it has."""
        for event in events:
            self._add(event)

    def _add(self, event: Event) -> None:
        self.events.append(event)
        self.end = max(self.end, event.end)
        lane = self.lanes.setdefault(event.task, Lane())
        if event.choice.startswith(("kill ", "deadline ")):
            return
        if event.start > lane.end and lane.blocked is None:
            lane.rest(lane.end)
        _hold(lane, event)
        if lane.held:
            lane.begin(event.start, "hold", lane.label)
        else:
            lane.begin(event.start, "run", "")
        lane.end = max(lane.end, event.end)
        lane.blocked = None
        if event.fact == "LockContended":
            lane.blocked = ("wait", event.object)
        elif event.fact == "Slept":
            lane.blocked = ("sleep", "")
        if lane.blocked:
            lane.begin(event.end, *lane.blocked)
        else:
            lane.rest(event.end)


def _hold(lane: Lane, event: Event) -> None:
    mode = {"read": "R", "write": "W"}.get(event.mode, "")
    match event.fact:
        case "LockAcquired":
            lane.held.append((event.object, mode))
        case "LockReleased" if (event.object, mode) in lane.held:
            lane.held.remove((event.object, mode))
        case "LockDowngraded" if (event.object, "W") in lane.held:
            lane.held[lane.held.index((event.object, "W"))] = (event.object, "R")
