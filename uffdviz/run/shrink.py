"""A shorter schedule with the same finding: blocks of one task's steps are moved together.

For runs that were found by chance, where the search for the easiest run is too large.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from uffdviz.run.rows import Row
from uffdviz.run.shortest import Goal, Move
from uffdviz.run.space import Space

Blocks = list[list[str]]


def shrink(
    space: Space, goal: Goal, path: Sequence[Move], goes_on: Callable[[], bool]
) -> list[Move]:
    """Move blocks together and leave steps out, as long as that helps and the finding stays."""
    best = list(path)
    again = True
    while again:
        again = False
        for blocks in simpler(blocks_of(best)):
            shorter = follow(space, goal, [choice for block in blocks for choice in block])
            if shorter is not None and weight(shorter) < weight(best):
                best, again = shorter, True
                break
            if not goes_on():
                return best
    return best


def blocks_of(path: Sequence[Move]) -> Blocks:
    """The choices of a path, those of one task in a row together."""
    return [list(same) for _, same in groupby(row.actor.choice for row, _ in path)]


def simpler(blocks: Blocks) -> Iterator[Blocks]:
    """Schedules with a block less: left out, or joined to the next or the last of its task."""
    for i, block in enumerate(blocks):
        yield [*blocks[:i], *blocks[i + 1 :]]
        for j in range(i + 1, len(blocks)):
            if blocks[j][0] == block[0]:
                yield [*blocks[:i], *blocks[i + 1 : j], block + blocks[j], *blocks[j + 1 :]]
                yield [*blocks[:i], block + blocks[j], *blocks[i + 1 : j], *blocks[j + 1 :]]
                break


def weight(path: Sequence[Move]) -> tuple[int, int]:
    """How hard a path is to follow: its switches, then its steps."""
    return len(blocks_of(path)), len(path)


def follow(space: Space, goal: Goal, choices: Sequence[str]) -> list[Move] | None:
    """Follow choices as far as they can be taken. Returns: the path if it comes to the goal."""
    state, path = space.start, []
    for choice in choices:
        moves: dict[str, tuple[Row, int]] = {m[0].actor.choice: m for m in space.moves(state)}
        if choice not in moves:
            return None
        row, after = moves[choice]
        path.append((row, state))
        if goal.breaks(row, state):
            return path
        state = after
    return path if not space.moves(state) and goal.ends(state) else None
