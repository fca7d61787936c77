"""Two eras of a workload beside each other: what their tasks do, slice by slice, and the totals so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from uffdviz.trace.profile import Kind, Pair, Profile, Wait
from uffdviz.trace.profile_words import BLOCKED, moment, span, wait_sentences
from uffdviz.tui.render.line import Line, Span, line, merge, wrapped

STACK: Final[tuple[tuple[Kind, str, str, str], ...]] = (
    ("uninterruptible", "█", "bad", "D-state by a lock"),
    ("killable", "▓", "write", "killable sleep"),
    ("asleep", "z", "asleep", "asleep in userfaultfd"),
    ("runnable", "░", "dim", "ready, no processor"),
    ("running", "=", "ready", "runs"),
)
"""From the bottom of a picture to its top: the way, its sign, its role, its words."""
SIGNS: Final = {kind: (sign, role) for kind, sign, role, _ in STACK}
TRACE: Final = "▁"
"""Some, but less than half a line of it."""
ROOM, WORDS = 12, 44
"""Columns for a figure, and at most for what it is."""


@dataclass(frozen=True)
class Look:
    """Where one looks: the moment, the window, and the wait that was chosen, with its side.

    `ahead`: what comes after the moment is shown, too, but dim.
    """

    time: int
    start: int
    end: int
    chosen: tuple[int, Wait] | None = None
    ahead: bool = False

    def border(self, x: int, width: int) -> int:
        """The moment at which column `x` of so many begins."""
        return self.start - -x * (self.end - self.start) // width

    def column(self, time: int, width: int) -> int:
        """The column in which a moment is; it may be outside."""
        return (time - self.start) * width // max(1, self.end - self.start)


def side_lines(profile: Profile, side: int, look: Look, width: int, height: int) -> list[Line]:
    """One era: who copies or faults, who changes mappings, a ruler, the wait that was chosen."""
    parts = [names for changes in (False, True) if (names := profile.called(changes=changes))]
    room = max(1, height - len(parts) - 2)
    upper = room if len(parts) < 2 else (room + 1) // 2
    lines: list[Line] = []
    for names, rows in zip(parts, (upper, room - upper), strict=False):
        lines.append(line(Span(group_words(profile, names)[:width], "dim")))
        lines += picture(profile, names, look, width, rows)
    lines.append(merge(tuple(ruler(look, width))))
    lines.append(merge(tuple(wait_marks(side, look, width))))
    return lines


def group_words(profile: Profile, names: Sequence[str]) -> str:
    """Which tasks a picture is about."""
    tasks = profile.tasks(names)
    noun = "task" if tasks == 1 else "tasks"
    return f"{', '.join(names)}: {tasks} {noun}"


def picture(
    profile: Profile, names: Sequence[str], look: Look, width: int, height: int
) -> list[Line]:
    """What the tasks of some groups do, stacked; what comes after the moment is dim or not there."""
    here = look.column(look.time, width)
    tasks = profile.tasks(names)
    columns = []
    for x in range(width):
        start, end = look.border(x, width), look.border(x + 1, width)
        past = x <= here and start < look.time
        shown = start < profile.end and (past or look.ahead)
        spent = profile.spent(start, max(end, start + 1), names) if shown else {}
        cells = column(spent, tasks * max(1, end - start), height)
        columns.append(cells if past else [cell._replace(role="dim") for cell in cells])
    rows = [merge(tuple(columns[x][row] for x in range(width))) for row in range(height)]
    return rows[::-1]


def column(spent: dict[Kind, int], whole: int, height: int) -> list[Span]:
    """A column from the bottom up; what is too little for a line leaves a trace if it is a wait."""
    cells: list[Span] = []
    sum_ = 0
    for kind, sign, role, _ in STACK:
        sum_ += spent.get(kind, 0)
        cells += [Span(sign, role)] * ((2 * sum_ * height + whole) // (2 * whole) - len(cells))
    cells = cells[:height] + [Span(" ")] * (height - len(cells))
    for kind in BLOCKED[::-1]:
        sign, role = SIGNS[kind]
        if height and spent.get(kind, 0) and not any(cell.text == sign for cell in cells):
            cells[0] = Span(TRACE, role)
    return cells


def ruler(look: Look, width: int) -> Iterator[Span]:
    """The ends of the window and the moment in it."""
    step = max(1, (look.end - look.start) // width)
    here = min(max(look.column(look.time, width), 0), width - 1)
    words = moment(look.time, step)
    mark = f"▼ {words}" if here + 2 + len(words) <= width else f"{words} ▼"
    at = min(max(0, here if mark[0] == "▼" else here + 1 - len(mark)), max(0, width - len(mark)))
    head, tail = moment(look.start, step), moment(look.end, step)
    rest = width - at - len(mark)
    yield Span(f"{head:<{at}}" if at > len(head) else " " * at, "dim")
    yield Span(mark[:width], "strong")
    yield Span(f"{tail:>{rest}}" if rest > len(tail) else " " * max(0, rest), "dim")


def wait_marks(side: int, look: Look, width: int) -> Iterator[Span]:
    """The wait that was chosen, where it is on the ruler, or in which direction."""
    if look.chosen is None or look.chosen[0] != side:
        return
    wait = look.chosen[1]
    if wait.end <= look.start:
        yield Span("◂ ", "changed")
    elif wait.start >= look.end:
        yield Span(f"{'▸':>{width}}", "changed")
    else:
        left = max(0, look.column(wait.start, width))
        right = min(width - 1, max(left, look.column(wait.end - 1, width)))
        name = f" {wait.task} "
        bar = f"{'┅' * (right - left - 1)}"
        if len(name) + 2 <= len(bar):
            bar = f"┅{name}".ljust(len(bar), "┅")
        yield Span(" " * left)
        yield Span(f"├{bar}┤" if right > left else "┼", "changed")


def total_lines(pair: Pair, time: int, width: int) -> list[Line]:
    """The totals until a moment, side by side, and what the left one is of the right one."""
    room = max(16, min(WORDS, width - 2 * ROOM - 10))
    lines = [_row("", [side.era for side in pair], "", room, "dim")]
    walls = [min(time, side.end) for side in pair]
    over = ["✓" if side.over and time >= side.end else "" for side in pair]
    cells = [f"{span(wall)}{mark}" for wall, mark in zip(walls, over, strict=True)]
    lines.append(_row("wall clock", cells, ratio(*walls), room, "strong"))
    spent = [side.spent(0, time) for side in pair]

    def rows(*kinds: Kind) -> list[Line]:
        return [_kind(kind, "", [sums[kind] for sums in spent], room) for kind in kinds]

    lines += rows("running", "runnable")
    for changes in (False, True):
        names = pair.left.called(changes=changes)
        if names:
            waits = [side.spent(0, time, names)["uninterruptible"] for side in pair]
            lines.append(_kind("uninterruptible", f": {', '.join(names)}", waits, room))
    return lines + rows("killable", "asleep") + lock_lines(pair, time, room)


def lock_lines(pair: Pair, time: int, room: int) -> list[Line]:
    """What was waited for, lock by lock, the most first."""
    lines = []
    for kind in BLOCKED:
        waits = [side.by_lock(time, kind) for side in pair]
        for lock in dict.fromkeys([*waits[0], *waits[1]]):
            figures = [found.get(lock, 0) for found in waits]
            if any(figures):
                lines.append(_kind(kind, f" for {lock}", figures, room, short=True))
    return lines


def _kind(
    kind: Kind, about: str, figures: Sequence[int], room: int, *, short: bool = False
) -> Line:
    sign, role, words = next((s, r, w) for k, s, r, w in STACK if k == kind)
    said = "" if short else f" {words}"
    cells = [span(figure) if figure else "–" for figure in figures]
    blocked = kind in BLOCKED and any(figures)
    body = _row(f"{said}{about}", cells, ratio(*figures), room - 1, role if blocked else "")
    return line(Span(sign, role), *body)


def _row(name: str, cells: Sequence[str], last: str, room: int, role: str) -> Line:
    head = f"{name[:room]:<{room}}"
    return line(
        Span(head, role), Span("".join(f"{cell:>{ROOM}}" for cell in cells), role), f"{last:>10}"
    )


def ratio(left: int, right: int) -> str:
    """How many times the right figure the left one is."""
    if left == right:
        return "=" if left else ""
    return f"{left / right:.1f} ×" if right else "only here"


def wait_lines(pair: Pair, chosen: tuple[int, Wait], width: int) -> list[Line]:
    """One wait in words."""
    side = pair[chosen[0]]
    first, *rest = wait_sentences(side.era, chosen[1])
    lines = [line(Span(f"{first}.", "strong"))]
    for sentence in rest:
        lines += wrapped(f"{sentence}.", width)
    all_ = len(side.waits) == side.waited
    known = "all" if all_ else f"the longest {len(side.waits):,}"
    length = span(side.end - side.start)
    said = f"Of {side.waited:,} waits for locks within {length} of {side.era}, {known} can be gone to with [ and ]."
    return [*lines, line(), *wrapped(said, width, "dim")]
