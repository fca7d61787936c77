"""Runs that share their beginnings, as a tree."""

from collections.abc import Sequence
from typing import NamedTuple

from uffdviz.trace.events import Event


class Fork(NamedTuple):
    """A run in the tree: `number` says which it is, `parts` after which step it left the one above."""

    number: int
    depth: int
    parts: int


def common(one: Sequence[Event], other: Sequence[Event]) -> int:
    """How many choices two runs share from the start."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a.choice != b.choice), min(len(one), len(other)))


def tree(runs: Sequence[Sequence[Event]]) -> list[Fork]:
    """Order runs so that each stands below the one before it in time that it shares most with."""
    parents: dict[int, tuple[int, int]] = {}
    for index in range(1, len(runs)):
        shared = [(common(runs[index], runs[other]), -other) for other in range(index)]
        parts, parent = max(shared)
        parents[index] = -parent, parts
    rows: list[Fork] = []
    todo = [(0, 0)] if runs else []
    while todo:
        index, depth = todo.pop()
        rows.append(Fork(index, depth, parents.get(index, (0, 0))[1]))
        todo += [(i, depth + 1) for i in sorted(parents, reverse=True) if parents[i][0] == index]
    return rows
