"""What two runs by one schedule have to say, beside each other, as sentences."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import Snapshot


class Side(Protocol):
    """One of two runs that are looked at together; `left` says where it could not follow."""

    era: str
    left: str
    whole: bool

    @property
    def tasks(self) -> Sequence[str]:
        """Every task, in scenario order."""

    @property
    def events(self) -> Sequence[Event]:
        """What happened in it, to the end."""

    @property
    def followed(self) -> int:
        """How many choices of the schedule it could take."""

    def snapshot(self, n: int) -> Snapshot:
        """What can be known after the first `n` events."""

    def totals(self, n: int) -> Mapping[str, Any]:
        """The totals after the first `n` events."""


class Race(Protocol):
    """Two runs by one schedule and then one clock, looked at moment by moment from 0 to `last`."""

    @property
    def left(self) -> Side:
        """The era of the session."""

    @property
    def right(self) -> Side:
        """The other era."""

    @property
    def parted(self) -> int:
        """The first event that differs; 0: none does."""

    @property
    def steps(self) -> int:
        """How many moments are choices of the schedule; the rest are times."""

    @property
    def last(self) -> int:
        """The number of the last moment."""

    def places(self, moment: int) -> tuple[int, int]:
        """How many events of each side are shown at a moment."""

    def time(self, moment: int) -> int:
        """What the clock says at a moment."""

    def parting(self) -> int:
        """The moment at which the first event that differs is seen on both sides."""

    def shared(self, moment: int) -> tuple[str, ...]:
        """The schedule that both sides have followed at a moment."""


def parted_words(race: Race) -> str:
    """Where the two runs part, as a sentence."""
    if not race.parted:
        return "The two runs are the same, event by event."
    words = []
    for side in (race.left, race.right):
        events = side.events
        at = race.parted - 1
        words.append(f"{side.era}: {events[at].sentence if at < len(events) else 'it is over'}")
    return f"They part at step {race.parted}. {'; '.join(words)}."


def left_words(race: Race) -> list[str]:
    """Which side could not follow the schedule, and from where on."""
    return [
        f"≠ {side.era} cannot follow the schedule's {side.left}; timed order from there."
        for side in (race.left, race.right)
        if side.left
    ]


def obstacle(side: Side, n: int, name: str) -> str:
    """Why a task cannot take a step on a side; empty: it can."""
    task = side.snapshot(n).tasks.get(name)
    if task is None or task.state == "ready":
        return ""
    return f"it waits for {task.lock} to {task.mode}" if task.lock else f"it is {task.state}"
