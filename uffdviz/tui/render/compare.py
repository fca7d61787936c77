"""Two eras beside each other: one side in lines, and the totals subtracted."""

from collections.abc import Mapping, Sequence
from typing import Any

from uffdviz.trace.beside_words import Race, Side, sums_beside
from uffdviz.tui.render.line import Line, Span, columns, flow, line, wrapped
from uffdviz.tui.render.locks import lock_lines
from uffdviz.tui.render.tasks import task_lines
from uffdviz.tui.render.timeline import nanoseconds


def side_lines(side: Side, race: Race, moment: int, width: int) -> list[Line]:
    """One era at a moment: how far, the last event, blocked time as a bar, tasks, locks."""
    n = race.places(moment)[side is race.right]
    event = side.events[n - 1] if n else None
    snapshot = side.snapshot(n)
    now = side.totals(n)
    place = f"{'over' if n == len(side.events) else 'step'} {n}/{len(side.events)}"
    lines = [columns(line(Span(side.era, "strong"), "  ", _sign(race, n)), line(place), width)]
    lines += blocked_lines(now, race, width)
    if event is not None:
        lines += flow([Span(event.task, "strong"), Span(f" {event.text}")], width, indent=2)
    else:
        lines.append(line(Span("Nothing has happened yet.", "dim")))
    if side.left and moment > side.followed:
        lines += wrapped(f"≠ left the schedule at {side.left}", width, "changed", "  ")
    lines.append(line())
    moved = event.task if event else ""
    lines += task_lines(
        snapshot.tasks, [t for t in side.tasks if t in snapshot.tasks], width, moved
    )
    lines.append(line())
    return lines + lock_lines(snapshot.objects, width, event.object if event else "")


def _sign(race: Race, n: int) -> Span:
    """Whether a side was the same as the other one in its first `n` events."""
    if race.parted and n >= race.parted:
        return Span(f"≠ since step {race.parted}", "changed")
    return Span("= so far", "good")


def blocked_lines(totals: Mapping[str, Any], race: Race, width: int) -> list[Line]:
    """How long all tasks were blocked so far, on a scale that fits both sides to the end."""
    most = max(blocked(s.totals(len(s.events))) for s in (race.left, race.right))
    now = blocked(totals)
    words = f" {nanoseconds(now)}"
    room = max(4, width - len("blocked ") - 10)
    full = room * now // most if most else 0
    return [line("blocked ", Span("█" * full, "bad"), Span("░" * (room - full), "dim"), words)]


def blocked(totals: Mapping[str, Any]) -> int:
    """Blocked and not to be killed, all tasks together."""
    every = totals["all"]["uninterruptible_ns"]
    return sum(every.values()) if isinstance(every, Mapping) else every


def difference_lines(race: Race, moment: int, width: int) -> list[Line]:
    """The totals of both sides so far, and what is left if one is taken from the other."""
    room = max(14, width - 36)
    eras = [side.era for side in (race.left, race.right)]
    lines = [_row("", [*eras, "difference"], room, "dim")]
    rows = sums_beside(race, moment)
    return lines + [_figures(name, figures, room) for name, *figures in rows]


def _figures(name: str, figures: Sequence[int], room: int) -> Line:
    change = figures[1] - figures[0]
    sign = "+" if change > 0 else "-" if change < 0 else ""
    cells = [nanoseconds(figure) if figure else "–" for figure in figures]
    cells.append(f"{sign}{nanoseconds(abs(change))}" if change else "same")
    return _row(name, cells, room, "bad" if change > 0 else "good" if change < 0 else "")


def _row(name: str, cells: Sequence[str], room: int, role: str) -> Line:
    *first, last = cells
    head = f"{name[:room]:<{room}}" + "".join(f"{cell:>11}" for cell in first)
    return line(head, Span(f"{last:>13}", role))
