"""The task board: what each task does, and if it cannot move, why."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from uffdviz.tui.render.line import Line, Span, flow

ORDINALS: Final = {1: "first", 2: "2nd", 3: "3rd"}
SIGNS: Final = {"ready": "●", "blocked": "■", "asleep": "z", "done": "✓"}
"""A sign beside the word, so that a column of tasks can be read at a glance."""
BUSY: Final = 6
"""With more tasks than this, one that can move takes a single line."""


def task_lines(
    tasks: Mapping[str, Any],
    choices: Collection[str],
    width: int,
    moved: str = "",
    fates: Mapping[str, Span] | None = None,
) -> list[Line]:
    """Each task with its state; `choices`: who may step; `moved`: who did the last step.

    `fates` has a word of the oracle for those who may step.
    """
    room = min(max((len(name) for name in tasks), default=0), 12)
    lines: list[Line] = []
    for number, (name, task) in enumerate(tasks.items(), 1):
        key = str(number) if number < 10 else " "
        mark = "*" if name == moved else " "
        head = [
            Span(mark, "changed"),
            Span(key, "key", f"task {name}"),
            Span(f" {name:<{room}} ", "strong", f"task {name}"),
        ]
        free = task.state == "ready" and name in choices
        if fates and name in fates:
            head.append(fates[name]._replace(target=f"task {name}"))
        lines += _one(task, head, width, free=free, short=len(tasks) > BUSY)
    return lines


def _one(task: Any, head: list[Span], width: int, *, free: bool, short: bool) -> list[Line]:
    state = task.state
    role = state if state in SIGNS else ""
    word = f"{SIGNS.get(state, ' ')} {state.upper() if state == 'blocked' else state:<7} "
    target = head[-1].target
    most = 3 if width >= 50 else 1
    spans = [*head, Span(word, role, target)]
    if state == "blocked":
        spans += _why(task)
    elif state == "ready":
        spans.append(Span(("" if free else "waits its turn  ") + _doing(task, most), "", target))
    elif state == "asleep":
        spans.append(Span(asleep_words(task), role))
    else:
        spans.append(Span(_returned(task), "dim"))
    lines = flow(spans, width, indent=6)
    if state == "done" or (short and state != "blocked"):
        return lines
    if state != "ready" and task.call:
        lines += flow([Span("      "), Span(_doing(task, most), "dim")], width, indent=6)
    if task.holds:
        lines += flow([Span("      holds ", "dim"), *_holds(task)], width, indent=6)
    return lines


def _why(task: Any) -> list[Span]:
    """Why a task is blocked: lock, mode, who stands in front, place in the queue."""
    spans = [
        Span("waits for "),
        Span(task.lock, "strong"),
        Span(f" to {task.mode}{f' ({task.manner})' if task.manner else ''}"),
    ]
    if task.behind:
        spans.append(Span("; behind "))
        for number, other in enumerate(task.behind):
            spans += [Span(", " if number else ""), Span(other, "blocked", f"task {other}")]
    if task.place:
        spans.append(Span(f"; {place_words(task.place)}", "dim"))
    return spans


def place_words(place: int) -> str:
    """A place in a queue, in words."""
    return f"{ORDINALS.get(place, f'{place}th')} in the queue"


def asleep_words(task: Any) -> str:
    """What a sleeping task waits for."""
    return f"sleeps until woken ({task.manner})" if task.manner else "sleeps until woken"


def _holds(task: Any) -> list[Span]:
    spans: list[Span] = []
    for number, (lock, mode) in enumerate(task.holds):
        spans.append(Span(", " if number else ""))
        spans.append(Span(f"{lock} ({mode})", mode))
    return spans


def _doing(task: Any, most: int = 3) -> str:
    """The call and the functions it is in, outermost first."""
    if not task.call:
        return "has not begun" if not task.results else _returned(task)
    stack = " ▸ ".join(task.stack[-most:])
    more = "… ▸ " if len(task.stack) > most else ""
    return f"{task.call} ▸ {more}{stack}" if stack else task.call


def _returned(task: Any) -> str:
    results = ", ".join(str(result) for result in task.results[-4:])
    more = "…, " if len(task.results) > 4 else ""
    return f"returned {more}{results}" if results else "did nothing"
