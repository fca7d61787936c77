"""Every interleaving, breadth first over the states of a space, each state once.

With `reduce`, a state is left by one task's step alone where that step cannot matter to anybody:
nothing that any other task may ever do from there clashes with it. What a task may do is learned
on the way, so every such decision is looked at again at the end, and taken back if it was wrong.
The reduction finds every deadlock and every step that can be taken; it keeps no lengths, and is
never used to judge what has to happen in the end.
"""

from collections.abc import Callable
from typing import Final

from uffdviz.light import msgspec
from uffdviz.run.rows import Guards, Row
from uffdviz.run.space import BLOCKED, Space

OFTEN: Final = 1000
Tick = Callable[[int, int], bool]
"""Told the states and transitions so far now and then. Returns: whether to go on.

The transitions are 0 where states that were seen are looked at again.
"""


class Limits(msgspec.Struct, frozen=True):
    """When to give up: after so many states, when `tick` says so, or at the first standstill."""

    max_states: int = 2_000_000
    tick: Tick | None = None
    first: bool = False

    def again(self, states: int) -> bool:
        """Whether to go on where states are looked at again; asks `tick` now and then."""
        return states % OFTEN != 0 or self.tick is None or self.tick(states, 0)


class Seen(msgspec.Struct):
    """What a search saw. `finished` is False if a limit ended it: then nothing is proven."""

    parents: dict[int, int]
    least: Callable[[int], int] | None = None
    transitions: int = 0
    finished: bool = True
    stuck: list[int] = msgspec.field(default_factory=list)
    ends: list[int] = msgspec.field(default_factory=list)

    @property
    def states(self) -> int:
        """How many states were seen."""
        return len(self.parents)

    def stands_for(self, state: int) -> int:
        """The state that was seen in place of this one."""
        return state if self.least is None else self.least(state)


def explore(
    space: Space,
    limits: Limits,
    *,
    reduce: bool = False,
    swap: bool = False,
    start: int | None = None,
) -> Seen:
    """See every state that can be reached from `start` (default: the beginning).

    With `swap`, where tasks are alike, one state stands for all in which they have changed places;
    the order of steps is not reduced then, as what a task may ever do is only learned of some.
    """
    search = Search(space, limits, space.start if start is None else start, swap=swap)
    reduce = reduce and search.seen.least is None
    todo = [search.first]
    while todo:
        todo = search.reduced(todo) if reduce else search.full(todo)
        if reduce and not todo:
            todo = search.full(search.take_back())
    return search.seen


class Search:
    """One search over a space: the states seen, and those that were left by one step alone."""

    def __init__(self, space: Space, limits: Limits, first: int, *, swap: bool = False) -> None:
        self.space = space
        self.limits = limits
        self.first = first
        least = space.symmetry.least if swap and space.symmetry is not None else None
        self.seen = Seen({first: first}, least)
        self._alone: dict[int, Row] = {}

    def full(self, layer: list[int]) -> list[int]:  # noqa: C901  a call per move costs half the speed
        """Take every move from every state of a layer. Returns: the states that are new."""
        space, parents, new, least = self.space, self.seen.parents, [], self.seen.least
        width, views, moves = space.packing.width, space.views, 0
        for count, state in enumerate(layer):
            if space.packing.width != width:
                width, views = space.packing.width, space.views
            before = moves
            for part in views:
                for rows, mask in part:
                    row = rows[state & mask]
                    if row is None:
                        continue
                    change = row.table.get(state & row.mask)
                    if change is None:
                        change = space.take(row, state)
                    if change is BLOCKED:
                        continue
                    moves += 1
                    after = state + change
                    if after not in parents:
                        if least is not None and (after := least(after)) in parents:
                            continue
                        parents[after] = state
                        new.append(after)
                if moves == before:
                    if self._ended(state):
                        return []
                    break
            if not count % OFTEN and not self._goes_on(moves):
                return []
        self.seen.transitions += moves
        return new if self._goes_on(0) else []

    def reduced(self, layer: list[int]) -> list[int]:  # noqa: C901, PLR0912  a call per move costs half the speed
        """As `full`, but by one step alone where that is enough."""
        space, parents, new = self.space, self.seen.parents, []
        width, views, moves = space.packing.width, space.views, 0
        for count, state in enumerate(layer):
            if space.packing.width != width:
                width, views = space.packing.width, space.views
            here: list[Row] = []
            changes: list[tuple[Row, int]] = []
            for part in views:
                for rows, mask in part:
                    row = rows[state & mask]
                    if row is None:
                        continue
                    here.append(row)
                    change = row.table.get(state & row.mask)
                    if change is None:
                        change = space.take(row, state)
                    if change is not BLOCKED and not (row.busy and state & row.mask in row.busy):
                        changes.append((row, change))
                if not changes:
                    break
            if not changes:
                if self._ended(state):
                    return []
            elif len(changes) > 1:
                for move in changes:
                    if clashes_with_nobody(move[0], here, space.guards):
                        self._alone[state] = move[0]
                        changes = [move]
                        break
            moves += len(changes)
            for _, change in changes:
                after = state + change
                if after not in parents:
                    parents[after] = state
                    new.append(after)
            if not count % OFTEN and not self._goes_on(moves):
                return []
        self.seen.transitions += moves
        return new if self._goes_on(0) else []

    def take_back(self) -> list[int]:
        """Find the states that one step alone was not enough for, by what is known now."""
        wrong = [state for state, row in self._alone.items() if not self._was_right(state, row)]
        for state in wrong:
            del self._alone[state]
        return wrong

    def _was_right(self, state: int, row: Row) -> bool:
        here = [rows[state & mask] for part in self.space.views for rows, mask in part]
        return clashes_with_nobody(
            row, [other for other in here if other is not None], self.space.guards
        )

    def _ended(self, state: int) -> bool:
        """Note a state in which nobody moves. Returns: whether that is enough."""
        stuck = self.space.is_stuck(state)
        (self.seen.stuck if stuck else self.seen.ends).append(state)
        if stuck and self.limits.first:
            self.seen.finished = False
        return not self.seen.finished

    def _goes_on(self, moves: int) -> bool:
        seen, limits = self.seen, self.limits
        if len(seen.parents) > limits.max_states or (
            limits.tick is not None and not limits.tick(seen.states, seen.transitions + moves)
        ):
            seen.finished = False
            while len(seen.parents) > limits.max_states:  # states that nobody has left yet
                _ = seen.parents.popitem()
        return seen.finished


def clashes_with_nobody(row: Row, here: list[Row], guards: Guards) -> bool:
    """Whether nothing that the others may ever do from `here` clashes with the step of `row`."""
    if row.goes_back:
        return False
    uses = row.known_uses if row.version == guards.version else row.matters(guards)
    for other in here:  # noqa: SIM110  a generator costs as much as the rest of the search
        if uses & other.future and other is not row:
            return False
    return True
