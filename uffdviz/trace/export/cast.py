"""A run as an asciinema recording (asciicast version 2): a frame a step, by a logical clock."""

from collections.abc import Iterator, Sequence

from uffdviz.light import msgspec
from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import History, Snapshot, TaskView

COLUMNS, LINES = 80, 24
SECONDS_A_STEP = 0.5
KEEPS = 8


def cast(history: History, events: Sequence[Event], title: str) -> str:
    """Write a run as a cast: who is where, who holds what, and the last steps in words."""
    head = {"version": 2, "width": COLUMNS, "height": LINES, "title": title}
    rows = [msgspec.json.encode(head)]
    for n in range(len(events) + 1):
        text = "\x1b[H\x1b[2J" + "\r\n".join(frame(history.at(n), events[:n], title))
        rows.append(msgspec.json.encode([round(n * SECONDS_A_STEP, 3), "o", text]))
    return b"\n".join(rows).decode() + "\n"


def frame(snapshot: Snapshot, past: Sequence[Event], title: str) -> Iterator[str]:
    """One frame: at most the lines and columns of the cast."""
    rows = [f"{title}: step {len(past)}", ""]
    rows += [f"  {task_line(view)}" for view in snapshot.tasks.values()]
    rows += ["", *(f"  {row}" for row in lock_lines(snapshot))]
    room = LINES - len(rows) - 2
    rows += ["", *(f"{e.n:5} {e.sentence}" for e in past[-max(1, min(KEEPS, room)) :])]
    return (row[:COLUMNS] for row in rows[:LINES])


def task_line(view: TaskView) -> str:
    """A task in a line: what it does, or why it does not."""
    if view.state == "blocked":
        behind = f" behind {', '.join(view.behind)}" if view.behind else ""
        return f"{view.name}: waits for {view.lock} to {view.mode}{behind}"
    where = f" in {view.function} {view.step}".rstrip() if view.function else ""
    return f"{view.name}: {view.state}{where}"


def lock_lines(snapshot: Snapshot) -> Iterator[str]:
    """The locks that somebody holds or queues for."""
    for name, lock in snapshot.locks.items():
        queue = [f"{w.task} to {w.mode}" for w in getattr(lock, "queue", ())]
        if lock.holders or queue:
            waiting = f"; queue: {', '.join(queue)}" if queue else ""
            yield f"{name}: held by {', '.join(lock.holders) or 'nobody'}{waiting}"
