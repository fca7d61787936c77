"""On which line of which kernel function each task stands, after any event of a run."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from types import CodeType
from typing import NamedTuple

from uffdviz.kernel.labels import Spot, Spots, line
from uffdviz.run.machine import Machine
from uffdviz.run.source import Row, source


class Listing(NamedTuple):
    """A kernel function as text, and the row of each task that is in it.

    `path` are its name and those of functions of one line that the task is in, called from there:
    they are named and not shown, for the line that calls them says more.
    """

    path: Sequence[str] = ()
    rows: Sequence[Row] = ()
    at: Mapping[str, int] = {}


class Lines:
    """The lines of one run, by task: found at once however long the run is."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._known = 0
        self._moves: dict[str, list[int]] = {name: [0] for name in machine.tasks}
        self._spots: dict[str, list[Spots]] = {
            name: [spots] for name, spots in machine.first_spots.items()
        }

    def listing(self, task: str, n: int) -> Listing:
        """The function that a task has entered last, after the first `n` events."""
        self._read_on()
        path = shown(self._at(task, n))
        if not path:
            return Listing()
        code = path[0][0]
        first = {name: shown(self._at(name, n))[:1] for name in self._moves}
        at = {
            name: row_at(*spot)
            for name, spots in first.items()
            for spot in spots
            if spot[0] is code
        }
        return Listing([source(one).function for one, _ in path], source(code).rows, at)

    def _at(self, task: str, n: int) -> Spots:
        return self._spots[task][bisect_right(self._moves[task], n) - 1]

    def _read_on(self) -> None:
        """Take in what happened since."""
        events = self.machine.events
        for number in range(self._known, len(events)):
            task = events[number].task
            self._moves[task].append(number + 1)
            self._spots[task].append(self.machine.spots[number])
        self._known = len(events)


def shown(spots: Spots) -> Sequence[Spot]:
    """The spot that is shown, and those in functions of one line that it leads to."""
    longer = (number for number in range(len(spots) - 1, -1, -1) if not is_short(spots[number][0]))
    return spots[next(longer, -1) :]


@cache
def is_short(code: CodeType) -> bool:
    """Whether a function is its head and one line."""
    return len(source(code).rows) <= 2


@cache
def row_at(code: CodeType, lasti: int) -> int:
    """The row of a function's text where an instruction stands."""
    return source(code).row(line(code, lasti) - code.co_firstlineno)
