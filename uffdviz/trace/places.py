"""Places in what has happened: which event is the next of a kind, one way or the other."""

from collections.abc import Callable, Sequence
from typing import Final

from uffdviz.trace.events import Event

Wanted = Callable[[int], bool]
"""Whether an event, by its number from 1, is one of the kind."""
WAITS: Final = frozenset({"LockContended", "Slept"})


def nearest(wanted: Wanted, here: int, length: int, by: int) -> int | None:
    """The nearest event before (-1) or after (1) the one that is shown."""
    numbers = range(here + 1, length + 1) if by > 0 else range(here - 1, 0, -1)
    return next((n for n in numbers if wanted(n)), None)


def takes_lock(events: Sequence[Event]) -> Wanted:
    """Events that are about a lock."""
    return lambda n: events[n - 1].fact.startswith("Lock")


def has_to_wait(events: Sequence[Event]) -> Wanted:
    """Events with which a task has to wait."""
    return lambda n: events[n - 1].fact in WAITS


def changes_task(events: Sequence[Event]) -> Wanted:
    """Events of another task than the one before."""
    return lambda n: n > 1 and events[n - 1].task != events[n - 2].task


def has_words(events: Sequence[Event], words: str, here: int) -> int | None:
    """The next event with some words in its sentence or place; after the last comes the first."""
    order = (*range(here, len(events)), *range(min(here, len(events))))
    wanted = words.lower()
    return next((at + 1 for at in order if wanted in said(events[at])), None)


def said(event: Event) -> str:
    """What is searched of an event."""
    return f"{event.sentence} {event.function}".lower()
