"""What lasted how long: calls, waits, sleeps and holds, folded from the events."""

from collections.abc import Iterable

from uffdviz.light import msgspec
from uffdviz.trace.events import Event

ENVIRONMENT = ("kill ", "deadline ")


class Span(msgspec.Struct, frozen=True):
    """Something that a task did from `start` to `end` (virtual ns): `lane` is a task or a lock."""

    lane: str
    name: str
    kind: str
    start: int
    end: int
    task: str
    step: int


class _Open:
    """What is under way for one task."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, int]] = []
        self.waits: tuple[str, str, int, int] | None = None
        self.holds: list[tuple[str, str, int, int]] = []
        self.end = 0


def spans(events: Iterable[Event]) -> list[Span]:
    """Every span of a run, in the order in which they end; what is still under way ends last."""
    done: list[Span] = []
    tasks: dict[str, _Open] = {}
    last = 0
    for event in events:
        if event.choice.startswith(ENVIRONMENT):
            continue
        task = tasks.setdefault(event.task, _Open())
        _waited(done, event, task)
        _held(done, event, task)
        _called(done, event, task)
        task.end = event.end
        last = max(last, event.end)
    for name, task in tasks.items():
        _close(done, name, task, last)
    return done


def _waited(done: list[Span], event: Event, task: _Open) -> None:
    if task.waits:
        name, kind, start, step = task.waits
        done.append(Span(event.task, name, kind, start, max(start, event.start), event.task, step))
        task.waits = None
    if event.fact == "LockContended":
        said = f"waits for {event.object} to {event.mode}"
        task.waits = (said, "wait", event.end, event.n)
    elif event.fact == "Slept":
        task.waits = ("asleep", "sleep", event.end, event.n)


def _held(done: list[Span], event: Event, task: _Open) -> None:
    key = (event.object, event.mode)
    if event.fact == "LockAcquired":
        task.holds.append((*key, event.start, event.n))
    elif event.fact in {"LockReleased", "LockDowngraded"}:
        mode = "write" if event.fact == "LockDowngraded" else event.mode
        for at, (name, held, start, step) in enumerate(task.holds):
            if (name, held) == (event.object, mode):
                del task.holds[at]
                said = f"{event.task} for {held}"
                done.append(Span(name, said, "hold", start, event.end, event.task, step))
                break
        if event.fact == "LockDowngraded":
            task.holds.append((event.object, "read", event.end, event.n))


def _called(done: list[Span], event: Event, task: _Open) -> None:
    for what, function, *_ in event.calls:
        if what == "enter":
            task.calls.append((function, event.end, event.n))
        elif task.calls and task.calls[-1][0] == function:
            name, start, step = task.calls.pop()
            done.append(Span(event.task, name, "call", start, event.end, event.task, step))


def _close(done: list[Span], name: str, task: _Open, last: int) -> None:
    if task.waits:
        said, kind, start, step = task.waits
        done.append(Span(name, said, kind, start, last, name, step))
    end = last if task.waits else task.end
    for lock, mode, start, step in task.holds:
        done.append(Span(lock, f"{name} for {mode}", "hold", start, last, name, step))
    for function, start, step in reversed(task.calls):
        done.append(Span(name, function, "call", start, end, name, step))
