"""Who waits for whom with the circle lit, and in which order locks have been taken so far."""

from collections.abc import Mapping
from typing import Any

from uffdviz.trace.circle import find_circle
from uffdviz.trace.lock_order import Pairs, comes_back
from uffdviz.tui.render.line import Line, Span, flow, line


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
