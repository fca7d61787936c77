"""A lane per task on virtual time."""

from typing import Final, NamedTuple

from uffdviz.tui.render.lanes import Lane, Lanes
from uffdviz.tui.render.line import Line, Span, line, merge

STROKES: Final = {
    "run": "─",
    "hold": "━",
    "keep": "╌",
    "wait": "┅",
    "sleep": "·",
    "idle": " ",
}
ROLES: Final = {
    "run": "",
    "hold": "ready",
    "keep": "ready",
    "wait": "blocked",
    "sleep": "asleep",
    "idle": "dim",
}
LEGEND: Final = "─ runs  ━ runs holding a lock  ╌ holds it, not running  ┅ waits for one  · asleep"

SHORT_LEGEND: Final = "━ holds a lock  ╌ not running  ┅ waits  · asleep"


CLOSEST: Final = 64
"""Nanoseconds across the screen, about."""
NEARER: Final = "key:zoom_in"
WIDER: Final = "key:zoom_out"


class Window(NamedTuple):
    """The stretch of virtual time that is drawn."""

    start: int
    end: int


def window(lanes: Lanes, now: int, zoom: int) -> Window:
    """All of it, or a part of it around `now`: each `zoom` is half as long."""
    whole = max(lanes.end, 1)
    part = max(whole >> zoom, 1)
    start = min(max(0, now - part // 2), whole - part)
    return Window(start, start + part)


def most_zoom(lanes: Lanes) -> int:
    """How often one can zoom in before a column is less than a nanosecond."""
    return max(0, (lanes.end // CLOSEST).bit_length())


def now_at(lanes: Lanes, n: int) -> int:
    """When event `n` is over."""
    return lanes.events[n - 1].end if n else 0


def lane_room(lanes: Lanes) -> int:
    """How many columns the names of the tasks take."""
    return min(max((len(name) for name in lanes.lanes), default=0), 12) + 3


def timeline_lines(
    lanes: Lanes, n: int, width: int, view: Window, lost: int | None = None
) -> list[Line]:
    """A ruler with the place of event `n` and the point of no return, then a lane per task."""
    left = lane_room(lanes)
    room = max(8, width - left)
    now = now_at(lanes, n)
    cursor = column_of(now, view, room)
    ruler = _ruler(view, now, cursor, room)
    if lost and lost <= len(lanes.events):
        ruler = marked(ruler, lanes.events[lost - 1].end, view, room)
    signs = Span("-", "key", WIDER), Span("/", "dim"), Span("+", "key", NEARER)
    lines = [line(*signs, " " * (left - 3), *ruler)]
    length = view.end - view.start
    spots = [view.start + (2 * x + 1) * length // (2 * room) for x in range(room)]
    for number, (name, lane) in enumerate(lanes.lanes.items(), 1):
        key = str(number) if number < 10 else " "
        head = Span(f"{key} {name[: left - 3]:<{left - 3}} ", "strong", f"task {name}")
        lines.append(merge((head, *_strokes(lane, max(lane.end, lanes.end), spots, cursor))))
    return lines


def column_of(time: int, view: Window, room: int) -> int:
    """The column where a moment is drawn."""
    at = (time - view.start) * room // (view.end - view.start)
    return min(max(at, 0), room - 1)


def event_at(lanes: Lanes, x: int, width: int, view: Window) -> int:
    """The event that a click on column `x` means: the last one that had begun by then."""
    left = lane_room(lanes)
    room = max(8, width - left)
    column = min(max(0, x - left), room - 1)
    time = view.start + (2 * column + 1) * (view.end - view.start) // (2 * room)
    return max((e.n for e in lanes.events if e.start <= time), default=0)


def nanoseconds(time: int) -> str:
    """A span of virtual time, as people write it."""
    if time < 1_000:
        return f"{time} ns"
    if time < 1_000_000:
        return f"{time / 1_000:.4g} µs"
    if time < 1_000_000_000:
        return f"{time / 1_000_000:.4g} ms"
    return f"{time / 1_000_000_000:.4g} s"


def _ruler(view: Window, now: int, cursor: int, room: int) -> list[Span]:
    words = nanoseconds(now)
    after = cursor + 2 + len(words) <= room
    mark = f"▼ {words}" if after else f"{words} ▼"
    at = cursor if after else max(0, cursor + 1 - len(mark))
    head, tail = nanoseconds(view.start), nanoseconds(view.end)
    before = f"{head:<{at}}" if at > len(head) else " " * at
    rest = room - at - len(mark)
    behind = f"{tail:>{rest}}" if rest > len(tail) else " " * max(0, rest)
    return [Span(before, "dim"), Span(mark, "strong"), Span(behind, "dim")]


def marked(ruler: list[Span], time: int, view: Window, room: int) -> list[Span]:
    """The ruler with a mark where the run was lost, if that can be seen."""
    if not view.start <= time <= view.end:
        return ruler
    at = column_of(time, view, room)
    text = "".join(span.text for span in ruler)
    return [Span(text[:at], "dim"), Span("▲", "bad"), Span(text[at + 1 :], "dim")]


def _strokes(lane: Lane, last: int, spots: list[int], cursor: int) -> list[Span]:
    """One character a column: the segment at its moment; a label where there is room for it."""
    which = [lane.at(t) if t <= last else -1 for t in spots]
    spans: list[Span] = []
    x = 0
    while x < len(spots):
        y = x
        while y < len(spots) and which[y] == which[x]:
            y += 1
        kind = lane.kinds[which[x]] if which[x] >= 0 else "idle"
        label = lane.labels[which[x]] if which[x] >= 0 else ""
        spans += _piece(kind, label, x, y, cursor)
        x = y
    return spans


def _piece(kind: str, label: str, x: int, y: int, cursor: int) -> list[Span]:
    """The columns x to y of one segment; what comes after the cursor has not happened yet."""
    stroke, role, length = STROKES[kind], ROLES[kind], y - x
    text = stroke * length
    if label and length >= len(label) + 4:
        text = f"{stroke * 2}{label}".ljust(length, stroke)
    seen = max(0, min(length, cursor + 1 - x))
    return [Span(text[:seen], role), Span(text[seen:], "dim")]
