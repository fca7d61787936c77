"""A piece of a run in words: only what matters, a sentence for each time a task had its turn."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from uffdviz.trace.events import Event
from uffdviz.trace.landmark import where_it_is
from uffdviz.trace.snapshot import Snapshot

LOCKS: Final = ("mmap_lock", "vma ", "map_changing_lock", "folio ")
QUIET: Final = (
    "mm_users",
    "page ",
    "task ",
    "ctx ",
    "fd_wqh",
    "anon_vma users ",
    "refile_seq",
    "vma slab",
    "vma_writer_wait",
)
LOUD: Final = ("page table ", "pins ", "unpins ")
MOST: Final = 6
OF_LOCKS: Final = frozenset({"LockAcquired", "LockReleased", "LockDowngraded", "LockRefused"})
TELLING: Final[dict[str, Callable[[Event], bool]]] = {
    "LockContended": lambda event: event.detail != "trying",
    "Changed": lambda event: loud(event) or not event.object.startswith(QUIET),
    "Saw": lambda event: event.object.startswith("mmap_changing") and event.detail != "0",
    "Worked": lambda event: event.text == "copy_page",
    "Finished": lambda event: False,
    "Paused": lambda event: False,
    "Resumed": lambda event: False,
}
MODES: Final = {"read": "reading", "write": "writing"}


def loud(event: Event) -> bool:
    """Whether a change is told although its object is a quiet one."""
    return event.object.startswith(LOUD) or event.text.startswith(LOUD)


def sentences(events: Sequence[Event], behind: Mapping[int, Sequence[str]]) -> Iterator[str]:
    """Tell events; `behind` names, by the number of an event, behind whom its task waits."""
    for task, turn in groupby(events, key=lambda event: event.task):
        phrases = [phrase for event in turn for phrase in phrases_of(event, behind)]
        for at in range(0, len(phrases), MOST):
            yield f"{task} {joined(phrases[at : at + MOST])}."


def joined(phrases: Sequence[str]) -> str:
    """Put phrases into one sentence."""
    if len(phrases) < 3:
        return " and ".join(phrases)
    return f"{', '.join(phrases[:-1])}, and {phrases[-1]}"


def phrases_of(event: Event, behind: Mapping[int, Sequence[str]]) -> Iterator[str]:
    """What there is to say of one event; most have nothing to say."""
    if told(event):
        yield phrase(event, behind)
    for call in event.calls:
        if call[:3] == ("leave", "lock_vma_under_rcu", "NULL"):
            yield "cannot lock the mapping under RCU"


def told(event: Event) -> bool:
    """Whether an event belongs into a short telling; what happens to a forked child does not."""
    if "child" in event.object:
        return False
    if event.fact in OF_LOCKS:
        instant = event.object.startswith("vma ") and event.mode == "write"
        return event.object.startswith(LOCKS) and not instant
    rule = TELLING.get(event.fact)
    return rule is None or rule(event)


def phrase(event: Event, behind: Mapping[int, Sequence[str]]) -> str:
    """One event, without the task in front."""
    lock, mode = event.object, MODES.get(event.mode, event.mode)
    said = event.text
    if event.fact == "LockAcquired":
        said = f"takes {lock} for {mode}"
    elif event.fact == "LockReleased":
        said = f"releases {lock}"
    elif event.fact == "LockContended":
        whom = behind.get(event.n, ())
        said += f" behind {joined(whom)}" if whom else ""
    elif event.fact == "Worked":
        said = "copies the page"
    elif said.startswith("sets lock_seq of "):
        said = f"marks {lock.replace('mapping', 'vma')} as locked for writing"
    elif any(call[:2] == ("leave", "vma_end_write_all") for call in event.calls):
        said += ", which unlocks every mapping it had marked"
    return said


def where(snapshot: Snapshot) -> Iterator[str]:
    """Where every task stands now, a sentence each."""
    for view in snapshot.tasks.values():
        if not view.stack and view.state == "ready" and not view.results:
            yield f"{view.name} has not begun."
            continue
        held = [f"{lock} for {MODES.get(mode, mode)}" for lock, mode in view.holds]
        also = f"; it holds {joined(held)}" if held else ""
        doing = where_it_is(view) if view.mode or view.state != "blocked" else "it waits"
        if view.state == "ready" and not view.function:
            doing = "it is between two calls"
        yield f"{view.name}: {doing}{also}."


def wrapped(text: str, first: str = "", width: int = 96) -> Iterable[str]:
    """Break a sentence into lines."""
    from textwrap import wrap

    return wrap(text, width, initial_indent=first, subsequent_indent=" " * len(first))
