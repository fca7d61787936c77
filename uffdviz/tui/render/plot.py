"""A sweep as a plot: wall clock against the value, one letter an era, and the ratios below."""

from collections.abc import Mapping, Sequence
from math import log10
from typing import Any, Final, NamedTuple

from uffdviz.trace.profile_words import span
from uffdviz.tui.render.line import Line, Span, line, merge

MARKS: Final = (("o", "bad"), ("x", "good"))
BOTH: Final = Span("*", "changed")
LEFT: Final = 13
"""Columns for the numbers of the upright axis."""
WIDE: Final = 8
"""An axis whose last number is so many times the first has a logarithmic scale."""


class Axis(NamedTuple):
    """The numbers from `first` to `last`, evenly or by their logarithms."""

    first: float
    last: float
    log: bool

    def at(self, number: float, room: int) -> int:
        """Where a number is on so many places."""
        low, high, here = (log10(n) if self.log else n for n in (self.first, self.last, number))
        return round((here - low) / (high - low) * (room - 1)) if high > low else 0


class Point(NamedTuple):
    """A value, and the wall clock under each era."""

    value: int
    walls: tuple[int, int]


def points(swept: Mapping[str, Any]) -> list[Point]:
    """What is known of a sweep, by the keys of `compare --sweep --json`."""
    eras = swept["eras"]
    found = []
    for point in swept["points"]:
        left, right = (point["runs"][era]["totals"]["wall_ns"] for era in eras[:2])
        found.append(Point(point["value"], (left, right)))
    return found


def axis(numbers: Sequence[int], *, zero: bool = False) -> Axis:
    """An axis for some numbers; `zero`: it begins there unless it is logarithmic."""
    low, high = min(numbers), max(numbers)
    log = low > 0 and high >= WIDE * low
    return Axis(0 if zero and not log else low, high, log)


def plot_lines(swept: Mapping[str, Any], width: int, height: int, *, cost: bool) -> list[Line]:
    """The plot in so many columns and lines."""
    known = points(swept)
    if not known:
        return [line(Span("No value is done yet.", "dim"))]
    room, rows = max(8, width - LEFT - 1), max(3, height - 5)
    upright = axis([wall for point in known for wall in point.walls], zero=True)
    across = axis(swept["sweep"]["values"])
    cells = [[Span(" ")] * room for _ in range(rows)]
    for point in known:
        x = across.at(point.value, room)
        for wall, mark in zip(point.walls, MARKS, strict=True):
            y = rows - 1 - upright.at(wall, rows)
            cells[y][x] = BOTH if cells[y][x].text.strip() else Span(*mark)
    lines = [legend(swept, upright, across)]
    for y, row in enumerate(cells):
        number = scale(upright, rows - 1 - y, rows)
        lines.append(merge((Span(f"{number:>{LEFT - 1}} │", "dim"), *row)))
    lines.append(line(Span(f"{' ' * LEFT}└{'─' * room}", "dim")))
    return lines + below(known, across, room, swept["sweep"]["name"], cost=cost)


def legend(swept: Mapping[str, Any], upright: Axis, across: Axis) -> Line:
    """Which letter is which era, and which scale is logarithmic."""
    left, right = swept["eras"][:2]
    logs = [words for words, one in (("wall clock", upright), ("value", across)) if one.log]
    said = f"  {' and '.join(logs)} on a logarithmic scale" if logs else ""
    spans = [Span(f"o {left}", "bad"), Span("  "), Span(f"x {right}", "good")]
    return line(Span(" wall clock of "), *spans, Span("  * both", "changed"), Span(said, "dim"))


def scale(upright: Axis, up: int, rows: int) -> str:
    """The number beside a line: at the ends and in the middle."""
    if up not in {0, (rows - 1) // 2, rows - 1}:
        return ""
    part = up / (rows - 1)
    if upright.log:
        return span(round(upright.first * (upright.last / upright.first) ** part))
    return span(round(upright.first + (upright.last - upright.first) * part))


def below(known: Sequence[Point], across: Axis, room: int, name: str, *, cost: bool) -> list[Line]:
    """The values and the ratios, each under its place, as many as there is room for."""
    values = [(across.at(p.value, room), span(p.value) if cost else str(p.value)) for p in known]
    ratios = [
        (across.at(p.value, room), f"{p.walls[0] / p.walls[1]:.1f}" if p.walls[1] else "–")
        for p in known
    ]
    unit = "time a step" if cost else "count"
    return [
        line(Span(f"{name[: LEFT - 1]:>{LEFT - 1}}  "), spread(values, room)),
        line(Span(f"{'ratio':>{LEFT - 1}}  ", "strong"), Span(spread(ratios, room), "strong")),
        line(Span(f"{' ' * LEFT} across: {name} ({unit}); up: wall clock; ratio: o by x", "dim")),
    ]


def spread(words: Sequence[tuple[int, str]], room: int) -> str:
    """Words under their places; one that would run into another is left out, the last one never."""
    text = [" "] * (room + 1)
    taken: list[tuple[int, int]] = []
    for at, word in (words[-1], *words[:-1]):
        start = min(max(0, at - len(word) // 2), max(0, room - len(word)))
        end = start + len(word)
        if all(end < a or b < start for a, b in taken):
            taken.append((start, end))
            text[start:end] = word
    return "".join(text).rstrip()


def table_lines(swept: Mapping[str, Any], width: int) -> list[Line]:
    """The same as a table, with the uninterruptible sleep."""
    eras = swept["eras"][:2]
    heads = [f"wall {eras[0]}", f"wall {eras[1]}", "ratio", f"D {eras[0]}", f"D {eras[1]}"]
    room = max(10, width - 60)
    lines = [_cells(swept["sweep"]["name"], heads, room, "dim")]
    for point in swept["points"]:
        sums = [point["runs"][era]["totals"] for era in eras]
        walls = [one["wall_ns"] for one in sums]
        asleep = [sum(one["all"]["uninterruptible_ns"].values()) for one in sums]
        share = f"{walls[0] / walls[1]:.2f}" if walls[1] else "–"
        cells = [*map(span, walls), share, *map(span, asleep)]
        lines.append(_cells(f"{point['value']:,}", cells, room, ""))
    return lines


def _cells(name: str, cells: Sequence[str], room: int, role: str) -> Line:
    return line(Span(f"{name[:room]:<{room}}" + "".join(f"{cell:>12}" for cell in cells), role))
