"""Who waits for whom with the circle lit, and in which order locks have been taken so far."""

from collections.abc import Mapping, Sequence
from typing import Any

from uffdviz.trace.events import Event
from uffdviz.tui.render.line import Line, Span, flow, line
from uffdviz.tui.render.now import find_circle

Pairs = dict[tuple[str, str], tuple[str, int]]
"""One kind of lock taken while another is held: by whom first, at which event."""


def graph_lines(tasks: Mapping[str, Any], order: Pairs, width: int) -> list[Line]:
    """The wait-for graph, then the lock-order graph."""
    lines = [line(Span("Who waits for whom", "strong")), *wait_lines(tasks, width), line()]
    lines.append(line(Span("Locks taken while holding another, so far", "strong")))
    return lines + order_lines(order, width)


def wait_lines(tasks: Mapping[str, Any], width: int) -> list[Line]:
    """An arrow for each task that waits; those of a circle are lit and say so."""
    circle = find_circle(tasks)
    lines: list[Line] = []
    for name, task in tasks.items():
        if task.state != "blocked":
            continue
        lit = name in circle
        role = "bad" if lit else ""
        spans = [
            Span("● " if lit else "  ", role),
            Span(name, role or "strong", f"task {name}"),
            Span(f" ─{task.lock} ({task.mode or 'wait'})─▶ ", role),
        ]
        for number, other in enumerate(task.behind):
            spans += [Span(", " if number else ""), Span(other, role, f"task {other}")]
        lines += flow(spans, width, indent=4)
    if circle:
        lines.append(line(Span("● a circle: " + " ▶ ".join([*circle, circle[0]]), "bad")))
    return lines or [line(Span("  nobody waits for a lock", "dim"))]


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


def order_lines(order: Pairs, width: int) -> list[Line]:
    """An arrow for each pair; two kinds that were taken both ways are lit."""
    lines: list[Line] = []
    for (first, second), (task, n) in order.items():
        both = first != second and comes_back(order, second, first)
        role = "bad" if both else ""
        spans = [
            Span("● " if both else "  ", role),
            Span(f"{first} ▶ {second}", role or "strong"),
            Span(f"  {task}, step {n}", "dim", f"step {n}"),
        ]
        if both:
            spans.append(Span("  and the other way round", role))
        lines += flow(spans, width, indent=4)
    return lines or [line(Span("  none yet", "dim"))]


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
