"""A run on the machine, followed in the packed states of a search, event by event."""

from collections.abc import Mapping, Sequence

from uffdviz.light import msgspec
from uffdviz.run.rows import Row
from uffdviz.run.space import Space
from uffdviz.trace.events import Event


class Mark(msgspec.Struct, frozen=True):
    """Where a run is: the packed state, and the private choices each task has left before it.

    `gone` says what has broken on the way, if anything has.
    """

    state: int
    private: Mapping[str, tuple[str, ...]]
    gone: tuple[str, ...] = ()


def beginning(space: Space) -> Mark:
    """Give the mark before the first event."""
    left = {name: automaton.before.choices for name, automaton in space.automata.items()}
    return Mark(space.start, left)


def go_on(space: Space, mark: Mark, choice: str) -> Mark | None:
    """Give the mark after a choice; None: the search knows no such move."""
    task = whose(choice)
    left = mark.private.get(task, ())
    if left:
        rest = {**mark.private, task: left[1:]}
        return Mark(mark.state, rest, mark.gone) if choice == left[0] else None
    move = next((m for m in space.moves(mark.state) if m[0].actor.choice == choice), None)
    if move is None:
        return None
    row, after = move
    private = mark.private
    if task:
        private = {**private, task: row.edges[mark.state & row.mask].private.choices}
    return Mark(after, private, (*mark.gone, *broken_by(row, mark.state)))


def whose(choice: str) -> str:
    """The task that takes a step by a choice; nobody for a signal, or a deadline that passes."""
    return "" if choice.startswith(("kill ", "deadline ")) else choice.rpartition(" ")[2]


def broken_by(row: Row, state: int) -> tuple[str, ...]:
    """Name the properties that a step breaks."""
    return tuple(ident for ident, _ in row.bad.get(state & row.mask, ()))


class Trail:
    """The marks of a run that grows; another run, or the same made again, is followed anew."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._marks: list[Mark | None] = [beginning(space)]
        self._events: list[Event] = []

    def at(self, events: Sequence[Event], n: int) -> Mark | None:
        """Give the mark after the first `n` events; None: the run left what the search knows."""
        known = len(self._events)
        if known and (known > len(events) or events[known - 1] is not self._events[-1]):
            del self._marks[1:], self._events[:]
            known = 0
        for event in events[known:n]:
            last = self._marks[-1]
            self._events.append(event)
            self._marks.append(last and go_on(self._space, last, event.choice))
        return self._marks[n]
