"""Where the time of a long run went, in slices of virtual time: a value of bounded size.

A row says what one kind of task did, one way of spending time and one lock each; its `sums[i]` are
the nanoseconds before the i-th border of a slice. So any stretch is the difference of two sums.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from uffdviz.light import msgspec

Kind = Literal["running", "runnable", "uninterruptible", "killable", "asleep", "idle"]
KINDS: Final[tuple[Kind, ...]] = (
    "uninterruptible", "killable", "asleep", "runnable", "running", "idle",
)  # fmt: skip


class Group(msgspec.Struct, frozen=True):
    """Tasks of one kind: how many, and whether they change mappings (else they copy or fault)."""

    name: str
    tasks: int
    changes: bool


class Wait(msgspec.Struct, frozen=True):
    """One wait for a lock; `ran`: when the task went on; `behind`: who had the lock when it began.

    `queued` tasks were in the queue before it.
    """

    task: str
    kind: Kind
    lock: str
    mode: str
    start: int
    end: int
    ran: int
    behind: tuple[str, ...] = ()
    queued: int = 0


class Row(msgspec.Struct, frozen=True):
    """What tasks of a group spent in one way, for one lock if it is a wait for one."""

    group: str
    kind: Kind
    lock: str
    sums: tuple[int, ...]


class Profile(msgspec.Struct, frozen=True):
    """A run, or a window of it, from `start` to `end`; slices are `width` wide, the last one less.

    `over`: the run came to its end. `waits` are the longest ones, by the time when they began, of
    `waited` in all. `stuck` says who waits for whom if nobody could move before that.
    """

    era: str
    start: int
    end: int
    width: int
    over: bool
    groups: tuple[Group, ...]
    rows: tuple[Row, ...]
    waits: tuple[Wait, ...]
    waited: int
    steps: int
    stuck: str = ""

    def until(self, row: Row, time: int) -> int:
        """What a row has spent from the start to a time; within a slice evenly."""
        past = min(max(time, self.start), self.end) - self.start
        at, rest = divmod(past, self.width)
        if not rest:
            return row.sums[min(at, len(row.sums) - 1)]
        room = min(self.width, self.end - self.start - at * self.width)
        return row.sums[at] + (row.sums[at + 1] - row.sums[at]) * rest // room

    def spent(self, start: int, end: int, groups: Sequence[str] = ()) -> dict[Kind, int]:
        """What was spent between two times in each way, by the groups that are named or by all."""
        sums: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        for row in self.rows:
            if not groups or row.group in groups:
                sums[row.kind] += self.until(row, end) - self.until(row, start)
        return sums

    def by_lock(self, end: int, kind: Kind, groups: Sequence[str] = ()) -> dict[str, int]:
        """What was spent in a way from the start to a time, lock by lock, the most first."""
        sums: dict[str, int] = {}
        for row in self.rows:
            if row.kind == kind and (not groups or row.group in groups):
                sums[row.lock] = sums.get(row.lock, 0) + self.until(row, end)
        return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))

    def called(self, *, changes: bool) -> list[str]:
        """The groups that change mappings, or those that do not."""
        return [group.name for group in self.groups if group.changes is changes]

    def tasks(self, groups: Sequence[str]) -> int:
        """How many tasks some groups have."""
        return sum(group.tasks for group in self.groups if group.name in groups)


class Pair(NamedTuple):
    """The same calls under two eras, on one clock."""

    left: Profile
    right: Profile

    @property
    def start(self) -> int:
        """Where both begin."""
        return self.left.start

    @property
    def end(self) -> int:
        """When the longer one ends, as far as it is known."""
        return max(self.left.end, self.right.end)

    def waits(self) -> Iterator[tuple[int, Wait]]:
        """The waits that are known one by one: on which side, in the order in which they began."""
        both = [(0, wait) for wait in self.left.waits] + [(1, wait) for wait in self.right.waits]
        return iter(sorted(both, key=lambda one: (one[1].start, one[0], one[1].task)))
