"""What two runs by one schedule have to say, beside each other, as sentences."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import Snapshot

KINDS = (
    ("runs", "running_ns"),
    ("ready, no processor", "runnable_ns"),
    ("blocked", "uninterruptible_ns"),
    ("blocked, killable", "killable_ns"),
    ("asleep in userfaultfd", "userfaultfd_ns"),
)


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
        f"{side.era} cannot follow the schedule's {side.left}; timed order from there."
        for side in (race.left, race.right)
        if side.left
    ]


def obstacle(side: Side, n: int, name: str) -> str:
    """Why a task cannot take a step on a side; empty: it can."""
    task = side.snapshot(n).tasks.get(name)
    if task is None or task.state == "ready":
        return ""
    return f"it waits for {task.lock} to {task.mode}" if task.lock else f"it is {task.state}"


def sums_beside(race: Race, moment: int) -> Iterator[tuple[str, int, int]]:
    """The totals of both sides so far: what they are of, to the left, to the right."""
    sides = (race.left, race.right)
    one, other = (s.totals(n) for s, n in zip(sides, race.places(moment), strict=True))
    yield "wall clock", one["wall_ns"], other["wall_ns"]
    for words, key in KINDS:
        yield words, _sum(one["all"][key]), _sum(other["all"][key])
    waits = _waits(one), _waits(other)
    for lock in sorted({*waits[0], *waits[1]}, key=lambda name: (name[0] != "mmap_lock", name)):
        left, right = (table.get(lock, 0) for table in waits)
        if left or right:
            yield f"waited for {lock[0]} to {lock[1]}", left, right


def _waits(totals: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    return {(row["lock"], row["mode"]): row["wait_ns"]["total"] for row in totals["locks"]}


def _sum(value: Any) -> int:
    return sum(value.values()) if isinstance(value, Mapping) else int(value)
