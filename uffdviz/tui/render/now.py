"""What changed in the last step, in words, and what follows from it."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from uffdviz.trace.circle import circle_words, find_circle
from uffdviz.trace.events import Event
from uffdviz.tui.render.line import Line, Span, flow, line, wrapped

FEW: Final = 2
"""As many lines Now has at most where it has no border."""


def now_lines(  # noqa: PLR0913
    event: Event | None,
    tasks: Mapping[str, Any],
    choices: Collection[str],
    width: int,
    *,
    height: int,
    upcoming: str = "",
    note: str = "",
) -> list[Line]:
    """The last event as a sentence, a circle if there is one, and who may go on.

    Of a long sentence as much is shown as `height` leaves room for beside the rest; `…` says that
    there is more of it (in an enlarged panel it is whole).
    """
    if height <= FEW:
        most = max(1, height)
        return few_lines(event, tasks, choices, width, height=most, upcoming=upcoming, note=note)
    noted = wrapped(f"! {note}", width, "changed", "  ") if note else []
    said = [line("Nothing has happened yet.")]
    if event is not None:
        said = flow(_said(event), width, indent=2)
    after: list[Line] = []
    if circle := find_circle(tasks):
        after += wrapped(circle_words(circle, tasks), width, "bad")
    after += flow(_next(tasks, choices, upcoming), width, indent=2)
    return noted + _first(said, max(1, height - len(after) - len(noted)), width) + after


def few_lines(  # noqa: PLR0913
    event: Event | None,
    tasks: Mapping[str, Any],
    choices: Collection[str],
    width: int,
    *,
    height: int,
    upcoming: str,
    note: str,
) -> list[Line]:
    """What matters most, a line each: a message, that nobody can move, the last event, who may go on."""
    said = flow(_said(event), width, indent=2) if event else [line("Nothing has happened yet.")]
    follows = flow(_next(tasks, choices, upcoming), width, indent=2)
    stuck = not choices and any(task.state != "done" for task in tasks.values())
    noted = wrapped(f"! {note}", width, "changed", "  ") if note else []
    if noted:
        shown = _first(noted, height, width)
        return shown + _first(said, 1, width) * (len(shown) < height)
    if height == 1:
        return _first(follows if stuck else said, 1, width)
    return [*_first(said, 1, width), *_first(follows, 1, width)]


def _first(lines: list[Line], most: int, width: int) -> list[Line]:
    """The first of some lines; the last of them says if there are more."""
    if len(lines) <= most:
        return lines
    *others, last = lines[:most]
    text = "".join(span.text for span in last).rstrip()
    if len(text) + 2 <= width:
        return [*others, line(*last[:-1], last[-1]._replace(text=f"{last[-1].text.rstrip()} …"))]
    end = last[-1]
    return [*others, line(*last[:-1], end._replace(text=f"{end.text[: width - len(text) - 2]}…"))]


def _said(event: Event) -> list[Span]:
    spans = [Span(f"{event.n}  ", "dim"), Span(event.task, "strong"), Span(f" {event.text}.")]
    if event.fact == "LockContended" and event.tasks:
        spans.append(Span(f" {', '.join(event.tasks)} {_holds(event.tasks)} it."))
    place = f"{event.function} {event.step}".strip()
    if place:
        spans.append(Span(f"  {place}", "dim"))
    returned = [f"{call[1]} returns {call[2]}" for call in event.calls if call[0] == "leave"]
    entered = [call[1] for call in event.calls if call[0] == "enter"]
    if returned:
        spans.append(Span(f"  {'; '.join(returned[-2:])}", "dim"))
    if entered:
        spans.append(Span(f"  then enters {' ▸ '.join(entered[-2:])}", "dim"))
    return spans


def _holds(tasks: Collection[str]) -> str:
    return "holds" if len(tasks) == 1 else "hold"


def _next(tasks: Mapping[str, Any], choices: Collection[str], upcoming: str) -> list[Span]:
    if choices:
        spans = [Span("May go on: ", "dim")]
        numbers = {name: number for number, name in enumerate(tasks, 1)}
        for index, name in enumerate(choices):
            key = f"{numbers[name]} " if numbers.get(name, 10) < 10 else ""
            spans.append(Span("   " if index else ""))
            spans.append(Span(key, "key", f"task {name}"))
            spans.append(Span(name, "strong" if name == upcoming else "", f"task {name}"))
            spans.append(Span(" (next)" if name == upcoming else "", "dim"))
        return spans
    if all(task.state == "done" for task in tasks.values()):
        return [Span("Everybody is done.", "good")]
    waiting = [name for name, task in tasks.items() if task.state in {"blocked", "asleep"}]
    return [Span(f"Nobody can move: {', '.join(waiting)} wait for ever.", "bad")]
