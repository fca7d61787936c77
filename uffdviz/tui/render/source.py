"""The source of a kernel function, with the line that each task is about to run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from uffdviz.tui.render.line import Line, Span, line


def source_lines(
    tasks: Mapping[str, Any],
    chosen: str,
    source: Callable[[str], Sequence[tuple[str, str]]],
    width: int,
) -> tuple[str, list[Line], int]:
    """The function that `chosen` is in.

    Returns: its name, the lines, and which of them is the chosen task's own.
    """
    task = tasks.get(chosen)
    function = task.function if task is not None else ""
    text = source(function) if function else ()
    if task is None or not text:
        return "", [line(Span("no kernel function is running", "dim"))], 0
    here = {
        (name, other.step): name
        for name, other in tasks.items()
        if other.function == function and other.state != "done"
    }
    numbers = {name: str(number) for number, name in enumerate(tasks, 1)}
    lines: list[Line] = []
    current = -1
    seen: set[str] = set()
    for label, words in text:
        at = [name for (name, step) in here if step == label and label and name not in seen]
        seen.update(at)
        mine = chosen in at
        if mine:
            current = len(lines)
        lines.append(_one(label, words, at, numbers, width, mine=mine))
    return function, lines, max(current, 0)


def _one(  # noqa: PLR0913
    label: str, words: str, at: list[str], numbers: Mapping[str, str], width: int, *, mine: bool
) -> Line:
    who = ",".join(numbers[name] for name in at)
    who = who if len(who) <= 4 else f"{who[:3]}+"
    mark = f"{'▸' if at else ' '}{who:<5}"
    role = "current" if mine else "code"
    body = f"{label:<4} {words}"
    body = body.ljust(width - 6) if mine else body
    return line(Span(mark, "key" if at else ""), Span(body[: max(1, width - 6)], role))
