"""The same choices under two eras, and then the timed order: two runs that can be looked at together."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

import msgspec

from uffdviz.errors import ScheduleError
from uffdviz.run.explore import Tick
from uffdviz.run.interleaving import next_choice
from uffdviz.run.setting import Setting, setting_of
from uffdviz.schedulers.timed import Timed
from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import History, Snapshot
from uffdviz.trace.totals import Totals

MOST: Final = 50_000
OFTEN: Final = 256
START: Final = -1
"""Before everything: the first events may be over at no time at all."""


class Side:
    """One of the runs. `left` says where it could not follow the choices, `whole` that it ended."""

    def __init__(
        self, setting: Setting, choices: Sequence[str], most: int = MOST, tick: Tick | None = None
    ) -> None:
        machine = setting.machine()
        self.era = setting.era_name
        self.tasks = tuple(machine.tasks)
        self.left = ""
        self.whole = False
        for number, choice in enumerate(choices, 1):
            try:
                _ = machine.step(choice)
            except ScheduleError as error:
                self.left = f"step {number}: {error}"
                break
        timed = Timed()
        while len(machine.events) < most:
            choice_ = next_choice(machine, timed)
            if choice_ is None:
                self.whole = True
                break
            event = machine.step(choice_)
            if not event.n % OFTEN and tick is not None and not tick(event.n, event.n):
                break
        self.events: Sequence[Event] = machine.events
        self._history = History(machine.start, machine.events)
        self._ends: list[int] = []
        for event in self.events:
            self._ends.append(max(event.end, self._ends[-1] if self._ends else 0))
        self._sums = (0, Totals(self.tasks))

    @property
    def end(self) -> int:
        """When its last event ends."""
        return self._ends[-1] if self._ends else 0

    def at(self, time: int) -> int:
        """How many events are over at a time."""
        return bisect_right(self._ends, time)

    def time(self, n: int) -> int:
        """When the first `n` events are over; none is before the start."""
        return self._ends[n - 1] if n else START

    def before(self, time: int) -> int:
        """When the last event is over that is over before a time."""
        return self.time(bisect_left(self._ends, time))

    def snapshot(self, n: int) -> Snapshot:
        """What can be known after the first `n` events."""
        return self._history.at(n)

    def totals(self, n: int) -> Mapping[str, Any]:
        """The totals after the first `n` events."""
        done, sums = self._sums
        if done > n:
            done, sums = 0, Totals(self.tasks)
        for event in self.events[done:n]:
            sums.add(event)
        self._sums = n, sums
        return sums.said()


class Race(msgspec.Struct, frozen=True):
    """Two runs, and the first event that differs, counted from 1 (0: none does)."""

    left: Side
    right: Side
    parted: int

    def next(self, time: int) -> int:
        """The next moment at which something is over on either side."""
        later = [
            s.time(s.at(time) + 1) for s in (self.left, self.right) if s.at(time) < len(s.events)
        ]
        return min(later, default=time)

    def before(self, time: int) -> int:
        """The moment before, likewise."""
        return max(self.left.before(time), self.right.before(time))


def race(setting: Setting, other: str, choices: Sequence[str], tick: Tick | None = None) -> Race:
    """Run the same choices under the setting's own era and another."""
    tables = msgspec.to_builtins(setting.scenario)
    rival = setting_of(tables, setting.name, other, setting.mutations)
    left, right = Side(setting, choices, tick=tick), Side(rival, choices, tick=tick)
    pairs = zip_longest(left.events, right.events)
    parted = next((n for n, (a, b) in enumerate(pairs, 1) if _differ(a, b)), 0)
    return Race(left, right, parted)


def _differ(one: Event | None, other: Event | None) -> bool:
    if one is None or other is None:
        return True
    return (one.choice, one.sentence) != (other.choice, other.sentence)
