"""The easiest run to a finding: fewest switches first, then fewest steps; and where it was lost.

Both look at every move, without reduction: a reduction keeps no lengths.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

from uffdviz.run.explore import Limits
from uffdviz.run.livelock import Round
from uffdviz.run.rows import Row
from uffdviz.run.space import Space

FOUND: Final = -1
Move = tuple[Row, int]
"""A step, and the packed state in which it is taken."""


class Goal:
    """What a run shall come to: a state in which nobody moves, or a step that breaks a property."""

    def ends(self, state: int) -> bool:
        """Whether it is an end that is looked for; nobody moves in `state`."""
        return False

    def breaks(self, row: Row, state: int) -> bool:
        """Whether it is a step that is looked for."""
        return False

    def holds(self, state: int) -> bool:
        """Whether it is a state that is looked for, though somebody moves."""
        return False


class Trapped(Goal):
    """A state of a round."""

    def __init__(self, found: Round) -> None:
        self.round = found

    def holds(self, state: int) -> bool:
        """Whether it is one of them."""
        return state in self.round.states


class Ended(Goal):
    """An end of a certain kind."""

    def __init__(self, is_one: Callable[[int], bool]) -> None:
        self._is_one = is_one

    def ends(self, state: int) -> bool:
        """Whether it is one of them."""
        return self._is_one(state)


class Broken(Goal):
    """A step that breaks one property."""

    def __init__(self, ident: str) -> None:
        self.ident = ident

    def breaks(self, row: Row, state: int) -> bool:
        """Whether this step breaks the property."""
        found = row.bad.get(state & row.mask, ())
        return any(ident == self.ident for ident, _ in found)


class Shortest:
    """A search by switches, then steps, over the states and who moved last."""

    def __init__(self, space: Space, goal: Goal, limits: Limits) -> None:
        self.space = space
        self.goal = goal
        self.limits = limits
        self.tasks = {actor.task: number for number, actor in enumerate(space.tasks)}
        self.nobody = len(self.tasks)
        self._best: dict[int, tuple[int, int]] = {}
        self._came: dict[int, tuple[int, Row]] = {}
        self._queue: list[tuple[int, int, int, int]] = []
        self.states = 0
        self.finished = True

    def path(self) -> list[Move] | None:
        """Find the run. Returns: its steps; None if a limit came first, or there is no such run.

        `finished` says which of the two; `states` how many were looked at.
        """
        many = self.nobody + 1
        self._queue.append((0, 0, 0, self.space.start * many + self.nobody))
        self._best[self._queue[0][3]] = 0, 0
        while self._queue:
            switches, steps, _, key = heappop(self._queue)
            if (switches, steps) != self._best[key]:
                continue
            if key == FOUND:
                return self._back(key, many)
            state, last = divmod(key, many)
            moves = self.space.moves(state)
            if (not moves and self.goal.ends(state)) or self.goal.holds(state):
                return self._back(key, many)
            self.states += 1
            if len(self._best) > self.limits.max_states or not self.limits.again(self.states):
                self.finished = False
                return None
            for row, after in moves:
                task = self.tasks.get(row.actor.task, last)
                switch = last not in {task, self.nobody}
                cost = switches + switch, steps + len(choices(self.space, row, state))
                found = self.goal.breaks(row, state)
                self._reach(FOUND if found else after * many + task, cost, key, row)
        return None

    def some_path(self) -> list[Move] | None:
        """Give the best run that was seen before a limit ended the search; None if none was."""
        return self._back(FOUND, self.nobody + 1) if FOUND in self._came else None

    def _reach(self, to: int, cost: tuple[int, int], key: int, row: Row) -> None:
        if to not in self._best or cost < self._best[to]:
            self._best[to] = cost
            self._came[to] = key, row
            heappush(self._queue, (*cost, len(self._came), to))

    def _back(self, key: int, many: int) -> list[Move]:
        path = []
        while key in self._came:
            key, row = self._came[key]
            path.append((row, key // many))
        return path[::-1]


def choices(space: Space, row: Row, state: int) -> list[str]:
    """The choices that make a machine take one step of the search."""
    edge = row.edges[state & row.mask]
    begins = row.node.parent is None and not row.actor.is_outside
    before = space.automata[row.actor.task].before.choices if begins else ()
    return [*before, row.actor.choice, *edge.private.choices]


def escapes(space: Space, state: int, goal: Goal, lost: set[int], limits: Limits) -> bool | None:
    """Whether a run from `state` can come to a good end without the finding; None: not known.

    States in `lost` cannot; if this one cannot either, it and all behind it are added.
    """
    seen = {state}
    todo = [state]
    while todo:
        here = todo.pop()
        moves = space.moves(here)
        if not moves and not space.is_stuck(here) and not goal.ends(here):
            return True
        for row, after in moves:
            if (
                not goal.breaks(row, here)
                and not goal.holds(after)
                and after not in seen
                and after not in lost
            ):
                seen.add(after)
                todo.append(after)
        if len(seen) > limits.max_states or not limits.again(len(seen)):
            return None
    lost |= seen
    return False


def point_of_no_return(space: Space, path: list[Move], goal: Goal, limits: Limits) -> int | None:
    """Find the first move of a path after which every continuation ends in the finding.

    Returns: its index in the path; None if it is not known.
    """
    if isinstance(goal, Trapped) and not goal.round.final:
        return None
    lost: set[int] = set()
    for index in range(len(path) - 1, 0, -1):
        escaped = escapes(space, path[index][1], goal, lost, limits)
        if escaped is not False:
            return index if escaped else None
    escaped = escapes(space, space.start, goal, lost, limits)
    return 0 if escaped is not None else None
