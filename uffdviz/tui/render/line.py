"""What a panel shows: lines of spans. A span is text, what it means, and what a click on it does.

Nothing here knows a terminal: a render function returns lines, a panel paints them.
"""

import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

ROLES = (
    "dim",
    "strong",
    "ready",
    "blocked",
    "asleep",
    "done",
    "read",
    "write",
    "current",
    "changed",
    "bad",
    "good",
    "key",
    "code",
)
"""What a span can mean. A theme gives each a style; the words say the same without one."""


class Span(NamedTuple):
    """A piece of a line; `target` is what a click on it means, e.g. `task gc` or `step 12`."""

    text: str
    role: str = ""
    target: str = ""


Line = tuple[Span, ...]
Part = str | Span


def line(*parts: Part) -> Line:
    """Make a line of strings and spans; empty ones are dropped."""
    spans = (Span(part) if isinstance(part, str) else part for part in parts)
    return tuple(span for span in spans if span.text)


def plain(lines: Iterable[Line]) -> str:
    """What the lines say, as text."""
    return "\n".join("".join(span.text for span in one).rstrip() for one in lines)


def width_of(spans: Iterable[Span]) -> int:
    """How many columns the spans take; every character of ours takes one."""
    return sum(len(span.text) for span in spans)


def columns(left: Line, right: Line, width: int) -> Line:
    """Put `right` at the right edge; the first span of `left` is cut if there is no room for all."""
    gap = width - width_of(left) - width_of(right)
    if gap < 1 and left:
        first = left[0]
        room = max(0, len(first.text) + gap - 2)
        left = (first._replace(text=f"{first.text[:room]}…"), *left[1:])
        gap = width - width_of(left) - width_of(right)
    return (*left, Span(" " * gap), *right)


def flow(parts: Sequence[Span], width: int, indent: int = 0) -> list[Line]:
    """Break spans into lines at spaces; every line but the first begins with `indent` spaces."""
    at, room, lead = 0, max(4, width), ""
    if width_of(parts) <= room:
        return [merge(parts)]
    cells = [(c, span.role, span.target) for span in parts for c in span.text]
    lines: list[Line] = []
    while len(cells) - at > room:
        end = next((i for i in range(at + room, at, -1) if cells[i][0] == " "), at + room)
        lines.append(line(lead, *_group(cells[at:end])))
        at = end
        while at < len(cells) and cells[at][0] == " ":
            at += 1
        room, lead = max(2, width - indent), " " * indent
    lines.append(line(lead, *_group(cells[at:])))
    return lines


def _group(cells: Sequence[tuple[str, str, str]]) -> list[Span]:
    """Join characters of one kind into spans."""
    groups = groupby(cells, key=lambda cell: cell[1:])
    return [Span("".join(c for c, _, _ in group), *kind) for kind, group in groups]


def wrapped(text: str, width: int, role: str = "", indent: str = "") -> list[Line]:
    """Break plain text into lines."""
    return [
        line(Span(piece, role))
        for piece in textwrap.wrap(text, max(8, width), subsequent_indent=indent) or [""]
    ]


def merge(spans: Iterable[Span]) -> Line:
    """Join neighbours of one kind, so that a line has few pieces."""
    cells = groupby((span for span in spans if span.text), key=lambda span: span[1:])
    return tuple(Span("".join(span.text for span in group), *kind) for kind, group in cells)
