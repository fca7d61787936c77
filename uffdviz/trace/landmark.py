"""Places in a run, in words: `holds mmap_lock for write`, `leaves mfill_atomic with -EAGAIN`.

What a task *is* (holds, waits, sleeps, done) is a state, and is there at once if it is so already;
what it *does* (enters, leaves, sees, returns) has to happen after one began to look for it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, Literal

from uffdviz.errors import ScheduleError, near_miss
from uffdviz.light import msgspec
from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import PAGE, Snapshot, TaskView

Kind = Literal["holds", "waits", "enters", "leaves", "sees", "sleeps", "returns", "done"]
TABLE: Final = 512 * PAGE
FORMS: Final = (
    (re.compile(r"holds (?P<subject>.+?)(?: for (?P<mode>read|write))?"), "holds"),
    (re.compile(r"waits for (?P<subject>.+?)(?: (?:to|for) (?P<mode>read|write))?"), "waits"),
    (re.compile(r"enters (?P<subject>\S+)"), "enters"),
    (re.compile(r"leaves (?P<subject>\S+)(?: with (?P<result>.+))?"), "leaves"),
    (re.compile(r"sees (?P<subject>.+ .+)"), "sees"),
    (re.compile(r"sleeps"), "sleeps"),
    (re.compile(r"returns(?: (?P<result>.+))?"), "returns"),
    (re.compile(r"done"), "done"),
)
MODE: Final = re.compile(r" (?:for|to)\b.*")
RIGHT: Final = {
    "holds": "holds LOCK [for read|write]",
    "waits": "waits for LOCK [to read|write]",
    "enters": "enters FUNCTION",
    "leaves": "leaves FUNCTION [with RESULT]",
    "sees": "sees WORD VALUE",
    "sleeps": "sleeps",
    "returns": "returns [RESULT]",
    "done": "done",
}


class Landmark(msgspec.Struct, frozen=True):
    """One place in a run: what kind, and of which lock, function or word."""

    kind: Kind
    text: str
    subject: str = ""
    mode: str = ""
    result: str = ""


def parse_landmark(text: str, functions: Collection[str] = ()) -> Landmark:
    """Read a landmark; the names of functions are checked if any are given.

    Raises: ScheduleError with the right form, or the nearest name.
    """
    words = " ".join(text.split())
    for form, kind in FORMS:
        if match := form.fullmatch(words):
            parts = {key: value or "" for key, value in match.groupdict().items()}
            landmark = msgspec.convert({"kind": kind, "text": words, **parts}, Landmark)
            if kind in {"holds", "waits"} and (odd := MODE.search(landmark.subject)):
                msg = f"{words!r}: {odd[0].strip()!r} is no mode; write {RIGHT[kind]!r}"
                raise ScheduleError(msg)
            if kind in {"enters", "leaves"} and functions and landmark.subject not in functions:
                msg = f"no function {landmark.subject!r}{near_miss(landmark.subject, functions)}"
                raise ScheduleError(msg)
            return landmark
    first = words.partition(" ")[0]
    if first in RIGHT:
        msg = f"{words!r} is not a landmark; write {RIGHT[first]!r}"
    else:
        msg = f"no landmark {words!r}; landmarks begin with {', '.join(RIGHT)}{near_miss(first, RIGHT)}"
    raise ScheduleError(msg)


def check_lock(landmark: Landmark, snapshot: Snapshot) -> None:
    """Refuse a lock of a kind that is not there, and one that leaves open which of several.

    A lock of a known kind may come to be later, with a page or a mapping.
    """
    if landmark.kind not in {"holds", "waits"} or landmark.subject in snapshot.locks:
        return
    kind, _, rest = landmark.subject.partition(" ")
    same = [name for name in snapshot.locks if name.partition(" ")[0] == kind]
    if not same:
        near = near_miss(landmark.subject, snapshot.locks)
        msg = f"no lock {landmark.subject!r}; locks are {some(snapshot.locks)}{near}"
        raise ScheduleError(msg)
    if not rest and len(same) > 1:
        msg = f"{kind!r} may be {some(same)}: say which"
        raise ScheduleError(msg)


def reached(landmark: Landmark, task: str, event: Event, snapshot: Snapshot) -> bool:
    """Whether `event`, after which everything is as in `snapshot`, brought `task` there."""
    if event.task != task and landmark.kind in {"enters", "leaves", "sees", "returns"}:
        return False
    match landmark.kind:
        case "enters":
            return any(call[:2] == ("enter", landmark.subject) for call in event.calls)
        case "leaves":
            return any(_left(landmark, call) for call in event.calls)
        case "sees":
            return event.fact == "Saw" and landmark.subject in sayings(event)
        case "returns":
            returned = (
                event.fact == "Returned" and not event.mode
            )  # not of setup, cleanup or a handler
            return returned and landmark.result in {"", event.detail}
        case _:
            return holds_now(landmark, snapshot.tasks[task], snapshot)


def holds_now(landmark: Landmark, view: TaskView, snapshot: Snapshot) -> bool:
    """Whether a state (holds, waits, sleeps, done) is so now; what is done or seen never is."""
    match landmark.kind:
        case "holds":
            return any(
                landmark.mode in {"", mode} and is_called(lock, landmark.subject, snapshot)
                for lock, mode in view.holds
            )
        case "waits":
            right = view.state == "blocked" and landmark.mode in {"", view.mode}
            return right and is_called(view.lock, landmark.subject, snapshot)
        case "sleeps":
            return view.state == "asleep"
        case "done":
            return view.state == "done"
        case _:
            return False


def expected(landmark: Landmark, task: str, events: Sequence[Event], snapshot: Snapshot) -> bool:
    """Whether a stated fact holds now: a state is so, or the thing has happened at some time.

    `returns RESULT` is about the last call that returned.
    """
    if landmark.kind == "returns":
        results = snapshot.tasks[task].results
        return bool(results) and landmark.result in {"", results[-1]}
    if landmark.kind in {"enters", "leaves", "sees"}:
        return any(reached(landmark, task, event, snapshot) for event in events)
    return holds_now(landmark, snapshot.tasks[task], snapshot)


def is_called(lock: str, said: str, snapshot: Snapshot) -> bool:
    """Whether a lock may be called `said`: by its name, its kind alone, or what it belongs to."""
    if lock == said:
        return True
    kind, _, of = lock.partition(" ")
    said_kind, _, said_of = said.partition(" ")
    if kind != said_kind or said in snapshot.locks:
        return False
    if not said_of:
        return True
    at = address(said_of, snapshot)
    if at is None:
        return False
    if kind == "folio":
        return of in mapped_at(at, snapshot)
    own = address(of.partition(" ")[0], snapshot)  # a second address space's lock names that too
    return kind == "ptl" and own is not None and own // TABLE == at // TABLE


def address(name: str, snapshot: Snapshot) -> int | None:
    """Where `NAME` or `NAME+PAGE` began at the start of the run."""
    mapping, _, page = name.partition("+")
    start = snapshot.layout.get(mapping)
    if start is None or (page and not page.isdecimal()):
        return None
    return int(start) + int(page or 0) * PAGE


def mapped_at(addr: int, snapshot: Snapshot) -> Iterator[str]:
    """The pages that some page table maps at an address."""
    for state in snapshot.objects.values():
        if hasattr(state, "linked"):
            for page, pte in state.entries:
                if page == addr // PAGE:
                    yield pte.folio


def sayings(event: Event) -> Iterator[str]:
    """Every way to say what an event saw: with the whole name of the object, its kind, or neither."""
    details = [event.detail, *event.detail.split(", ")]
    for prefix in (f"{event.object} ", f"{event.object.partition(' ')[0]} ", ""):
        yield from (prefix + detail for detail in details)


def _left(landmark: Landmark, call: tuple[str, ...]) -> bool:
    left = call[:2] == ("leave", landmark.subject)
    return left and (not landmark.result or call[2:] == (landmark.result,))


def where_it_is(view: TaskView) -> str:
    """Say what a task does instead of what was hoped for."""
    match view.state:
        case "done":
            said = f", it returned {', '.join(view.results)}" if view.results else ""
            return f"it is done{said}"
        case "blocked":
            behind = f" behind {', '.join(view.behind)}" if view.behind else ""
            return f"it waits for {view.lock} to {view.mode}{behind}"
        case "asleep":
            return "it sleeps"
        case _:
            return f"it is in {view.function or 'no function'}"


def some(names: Iterable[Any], most: int = 12) -> str:
    """Say the first of many names."""
    listed = [str(name) for name in names]
    return ", ".join(listed[:most]) + (", …" if len(listed) > most else "")
