"""What a step was about: the words that somebody may want to have explained."""

from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import TaskView


def things(event: Event | None, task: TaskView, era: str) -> list[str]:
    """Words of a step and its task, nearest first: object, function, step, results, era."""
    words: list[str] = []
    if event is not None:
        words += [event.object.partition(" ")[0], event.function, event.step]
        words += [call[2] for call in event.calls if len(call) > 2 and call[2].startswith("-")]
    words += [task.lock.partition(" ")[0], task.function, *task.results[-1:], era]
    return list(dict.fromkeys(word for word in words if word))
