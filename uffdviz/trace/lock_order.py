"""In which order locks were taken while others were held, as lockdep looks at it."""

from collections.abc import Sequence

from uffdviz.trace.events import Event

Pairs = dict[tuple[str, str], tuple[str, int]]
"""One kind of lock taken while another is held: by whom first, at which event."""


class Order:
    """The order of locks, by kind of lock as lockdep has it: a fold of events that grows with them."""

    def __init__(self) -> None:
        self.done = 0
        self._held: dict[str, list[str]] = {}
        self._pairs: Pairs = {}

    def extend(self, events: Sequence[Event]) -> None:
        """Take in the events that came after those it has."""
        for event in events[self.done :]:
            self._add(event)
        self.done = len(events)

    def until(self, n: int) -> Pairs:
        """What was seen in the first `n` events."""
        return {pair: seen for pair, seen in self._pairs.items() if seen[1] <= n}

    def _add(self, event: Event) -> None:
        mine = self._held.setdefault(event.task, [])
        kind = event.object.partition(" ")[0]
        if event.fact in {"LockAcquired", "LockContended"} and event.detail != "trying":
            for before in mine:
                _ = self._pairs.setdefault((before, kind), (event.task, event.n))
        if event.fact == "LockAcquired":
            mine.append(kind)
        elif event.fact == "LockReleased" and kind in mine:
            mine.remove(kind)


def lock_order(events: Sequence[Event]) -> Pairs:
    """The order of locks in some events."""
    order = Order()
    order.extend(events)
    return order.until(len(events))


def comes_back(order: Pairs, start: str, goal: str) -> bool:
    """Whether the arrows lead from one kind of lock to another."""
    todo, seen = [start], {start}
    while todo:
        here = todo.pop()
        if here == goal:
            return True
        for first, second in order:
            if first == here and second not in seen:
                seen.add(second)
                todo.append(second)
    return False
