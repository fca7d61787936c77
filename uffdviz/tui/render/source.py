"""The source of a kernel function, with the line that each task is about to run."""

from collections.abc import Collection, Sequence

from uffdviz.tui.render.line import Line, Span, line
from uffdviz.tui.session import Listing


def source_lines(
    tasks: Collection[str], chosen: str, listing: Listing, width: int
) -> tuple[str, list[Line], int]:
    """The function that `chosen` is in.

    Returns: how it is called, the lines, and which of them is the chosen task's own.
    """
    if not listing.path:
        return "", [line(Span("no kernel function is running", "dim"))], 0
    here: dict[int, list[str]] = {}
    for number, name in enumerate(tasks, 1):
        if name in listing.at:
            here.setdefault(listing.at[name], []).append(str(number))
    mine = listing.at[chosen]
    lines = [
        _one(label, words, here.get(row, ()), width, mine=row == mine)
        for row, (label, words, *_) in enumerate(listing.rows)
    ]
    return " ▸ ".join(listing.path), lines, mine


def _one(label: str, words: str, at: Sequence[str], width: int, *, mine: bool) -> Line:
    who = ",".join(at)
    who = who if len(who) <= 4 else f"{who[:3]}+"
    mark = f"{'▸' if at else ' '}{who:<5}"
    room = max(1, width - 6)
    body = f"{label:<4} {words}"
    body = body if len(body) <= room else f"{body[: room - 1]}…"
    body = body.ljust(room) if mine else body
    return line(Span(mark, "key" if at else ""), Span(body, "current" if mine else "code"))
