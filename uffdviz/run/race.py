"""The same choices under two eras, and then the timed order: two runs that can be looked at together."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from uffdviz.errors import ScheduleError
from uffdviz.light import msgspec
from uffdviz.run.explore import Tick
from uffdviz.run.interleaving import next_choice
from uffdviz.run.machine import Machine
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
    """One of the runs. `left` says where it could not follow the choices, `whole` that it ended.

    `places[k]` is how many events there were after `k` choices; a move that the scenario wants comes
    before a choice, and is none.
    """

    def __init__(
        self, setting: Setting, choices: Sequence[str], most: int = MOST, tick: Tick | None = None
    ) -> None:
        machine = setting.machine()
        self.era = setting.era_name
        self.tasks = tuple(machine.tasks)
        self.left = ""
        self.whole = False
        self.places = [0]
        self._follow(machine, choices)
        timed = Timed()
        while len(machine.events) < most:
            choice = next_choice(machine, timed)
            if choice is None:
                self.whole = True
                break
            event = machine.step(choice)
            if not event.n % OFTEN and tick is not None and not tick(event.n, event.n):
                break
        self.events: Sequence[Event] = machine.events
        self._history = History(machine.start, machine.events)
        self._ends: list[int] = []
        for event in self.events:
            self._ends.append(max(event.end, self._ends[-1] if self._ends else 0))
        self._sums = (0, Totals(self.tasks))

    def _follow(self, machine: Machine, choices: Sequence[str]) -> None:
        """Take the choices as far as this era goes that way."""
        came: list[str] = []
        for number, choice in enumerate(choices, 1):
            try:
                while (due := machine.due()) is not None and due != choice:
                    _ = machine.step(due)
                    came.append(due)
                if choice in came:
                    came.remove(choice)
                else:
                    _ = machine.step(machine.planned(choice))
            except ScheduleError as error:
                self.left = f"choice {number}: {error}"
                return
            self.places.append(len(machine.events))

    @property
    def followed(self) -> int:
        """How many of the choices could be taken."""
        return len(self.places) - 1

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

    def times(self, n: int) -> Sequence[int]:
        """When each event after the first `n` is over."""
        return self._ends[n:]

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
    """Two runs, and the first event that differs, counted from 1 (0: none does).

    They are looked at moment by moment: moment 0 is the beginning, each choice of the schedule is
    one, and from then on each time of the common clock at which something is over.
    """

    left: Side
    right: Side
    parted: int
    choices: tuple[str, ...]
    clock: tuple[int, ...]

    @property
    def steps(self) -> int:
        """How many choices one side or the other could take."""
        return max(self.left.followed, self.right.followed)

    @property
    def last(self) -> int:
        """The number of the last moment."""
        return self.steps + len(self.clock)

    def places(self, moment: int) -> tuple[int, int]:
        """How many events of each side are shown at a moment."""
        if moment > self.steps:
            time = self.clock[min(moment, self.last) - self.steps - 1]
            return self.left.at(time), self.right.at(time)
        return step_places(self.left, self.right, moment)

    def time(self, moment: int) -> int:
        """What the clock says at a moment."""
        if moment > self.steps:
            return self.clock[min(moment, self.last) - self.steps - 1]
        left, right = self.places(moment)
        return max(self.left.time(left), self.right.time(right))

    def parting(self) -> int:
        """The moment at which the first event that differs is seen on both sides."""
        sides = (self.left, self.right)
        wanted = [min(self.parted, len(side.events)) for side in sides]
        return bisect_left(
            range(self.last),
            True,  # noqa: FBT003
            key=lambda at: all(n >= w for n, w in zip(self.places(at), wanted, strict=True)),
        )

    def shared(self, moment: int) -> tuple[str, ...]:
        """The schedule that both sides have followed at a moment, as far as they could.

        By the clock one side may be further than the other: then it is the further one's, or as
        much as they have in common.
        """
        if moment <= self.steps:
            return self.choices[:moment]
        sides = (self.left, self.right)
        taken = sorted(
            (
                tuple(event.choice for event in side.events[:n])
                for side, n in zip(sides, self.places(moment), strict=True)
                if side.followed == self.steps
            ),
            key=len,
        )
        shorter, longer = taken[0], taken[-1]
        return longer[: next((i for i, c in enumerate(shorter) if c != longer[i]), len(longer))]


def step_places(left: Side, right: Side, step: int) -> tuple[int, int]:
    """How many events of each side are shown after so many choices.

    A side that could not take them all goes on in timed order, as long as the other one needs.
    """
    time = max(s.time(s.places[step]) if step <= s.followed else START for s in (left, right))
    n, m = (
        s.places[step] if step <= s.followed else max(s.places[-1], s.at(time))
        for s in (left, right)
    )
    return n, m


def race(setting: Setting, other: str, choices: Sequence[str], tick: Tick | None = None) -> Race:
    """Run the same choices under the setting's own era and another."""
    tables = msgspec.to_builtins(setting.scenario)
    rival = setting_of(tables, setting.name, other, setting.mutations)
    left, right = Side(setting, choices, tick=tick), Side(rival, choices, tick=tick)
    pairs = zip_longest(left.events, right.events)
    parted = next((n for n, (a, b) in enumerate(pairs, 1) if _differ(a, b)), 0)
    steps = max(left.followed, right.followed)
    shown = step_places(left, right, steps)
    start = max(left.time(shown[0]), right.time(shown[1]))
    ends = {*left.times(shown[0]), *right.times(shown[1])}
    clock = tuple(sorted({max(end, start) for end in ends}))
    return Race(left, right, parted, tuple(choices[:steps]), clock)


def _differ(one: Event | None, other: Event | None) -> bool:
    if one is None or other is None:
        return True
    return (one.choice, one.sentence) != (other.choice, other.sentence)
