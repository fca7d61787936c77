"""Operations and layout events: S4, S5, S6, L4.

An event is known by who raised it and a number. It is unread from its RAISE until a monitor takes
it (or its sender gives up). An operation is inside from the moment its lock is got, and has tested
once it has seen the counter at zero under that lock; it is out when it holds neither.
"""

from typing import Final

from uffdviz.check.held import Names, holds
from uffdviz.check.pages import PAGE, entries_set
from uffdviz.check.taken import Look, Property, Taken
from uffdviz.light import msgspec

OPERATIONS: Final = frozenset({"mfill_atomic", "move_pages", "mwriteprotect_range"})
FAULTS: Final = frozenset({"kernel_fault", "page_fault", "copy_from_user"})
RAISES: Final = frozenset({"add", "store"})
EVERYWHERE: Final = 1 << 63
SENDING: Final = "userfaultfd_event_wait_completion"


class Raised(msgspec.Struct, frozen=True):
    """An event that nobody has read. `tested`: the operations that it must not see afterwards."""

    sender: str
    number: int
    tested: Names = ()
    kind: str = ""
    start: int = 0
    end: int = 0


def in_operation(taken: Taken) -> bool:
    """Whether a step is part of an operation's body, and not of a fault inside it."""
    stack = set(taken.stack)
    return bool(OPERATIONS & stack) and not FAULTS & stack


def is_raise(taken: Taken) -> bool:
    """Whether a step announces an event."""
    if not taken.object.startswith("mmap_changing ") or taken.verb not in RAISES:
        return False
    return bool(taken.after > (0 if taken.verb == "store" else taken.before))


def changes_entries(taken: Taken) -> bool:
    """Whether a step of an operation changes page-table entries."""
    return (
        taken.kind == "table"
        and taken.before.entries != taken.after.entries
        and in_operation(taken)
    )


class Layout(Property):
    """Keeps the notes for the properties below; never finds anything wrong.

    `unread CTX`: the events; `tested CTX`: the operations that have seen zero and are still inside;
    `inside T`: whether T's operation is; `ctx of T`: the context it works for; `read CTX`: the
    event that this very step took.
    """

    def step(self, taken: Taken, look: Look) -> str | None:
        """Fold one step into the notes."""
        task = taken.task
        inside = in_operation(taken) and (
            bool(look.note(f"in {task}", ())) or holds(look, task, "mmap_lock")
        )
        ctx: str = look.note(f"ctx of {task}", "")
        if ctx and not inside and look.note(f"inside {task}", 0):
            leave(task, ctx, look)
        look.keep(f"inside {task}", 0, int(inside))
        if taken.object.startswith("mmap_changing "):
            counter(taken, look, taken.object.partition(" ")[2])
        if taken.object.startswith("event_wqh "):
            queue(taken, look, taken.object.partition(" ")[2])
        if any(mark.kind == "Returned" for mark in taken.marks):
            look.keep(f"raises {task}", 0, 0)
        return None


def leave(task: str, ctx: str, look: Look) -> None:
    """Note that an operation is out: no event is about it any more."""
    tested: Names = look.note(f"tested {ctx}", ())
    if task not in tested:
        return
    look.keep(f"tested {ctx}", (), tuple(t for t in tested if t != task))
    unread: tuple[Raised, ...] = look.note(f"unread {ctx}", ())
    kept = tuple(
        msgspec.structs.replace(event, tested=tuple(t for t in event.tested if t != task))
        for event in unread
    )
    look.keep(f"unread {ctx}", (), kept)


def counter(taken: Taken, look: Look, ctx: str) -> None:
    """Fold a look at the counter, or a RAISE."""
    task = taken.task
    tested: Names = look.note(f"tested {ctx}", ())
    if taken.fact.kind == "Saw":
        look.keep(f"ctx of {task}", "", ctx)
        if in_operation(taken) and taken.before == 0 and task not in tested:
            look.keep(f"tested {ctx}", (), tuple(sorted((*tested, task))))
    if taken.after < taken.before and SENDING not in taken.stack:
        drop(task, ctx, look)
    if is_raise(taken):
        number: int = look.note(f"raises {task}", 0) + 1
        look.keep(f"raises {task}", 0, number)
        unread: tuple[Raised, ...] = look.note(f"unread {ctx}", ())
        event = Raised(task, number, tuple(t for t in tested if t != task))
        look.keep(f"unread {ctx}", (), (*unread, event))


def drop(task: str, ctx: str, look: Look) -> None:
    """Note that a task has lowered the counter and sends nothing: its event is never to be read."""
    unread: tuple[Raised, ...] = look.note(f"unread {ctx}", ())
    mine = next((event for event in unread if event.sender == task and not event.kind), None)
    if mine is not None:
        look.keep(f"unread {ctx}", (), tuple(event for event in unread if event is not mine))


def queue(taken: Taken, look: Look, ctx: str) -> None:
    """Follow an event into the queue, where its range shows, and out of it."""
    before = {e.task: e for e in taken.before.entries if not e.taken}
    after = {e.task: e for e in taken.after.entries if not e.taken}
    unread: tuple[Raised, ...] = look.note(f"unread {ctx}", ())
    for sender in sorted({*before} ^ {*after}):
        mine = next((event for event in unread if event.sender == sender), None)
        if mine is None:
            continue
        if sender in after:
            entry = after[sender]
            end = entry.end or EVERYWHERE
            known = msgspec.structs.replace(mine, kind=entry.kind, start=entry.addr, end=end)
            unread = tuple(known if event is mine else event for event in unread)
        else:
            unread = tuple(event for event in unread if event is not mine)
            if sender != taken.task:
                outdate(mine, look)
    look.keep(f"unread {ctx}", (), unread)


def outdate(event: Raised, look: Look) -> None:
    """Note that the monitor has read an event that these operations have not seen."""
    for task in event.tested:
        stale: tuple[Raised, ...] = look.note(f"stale {task}", ())
        look.keep(f"stale {task}", (), (*stale, event))


class EventExclusion(Property):
    """S4: an operation that tested before an event changes nothing after the monitor has read it."""

    ident = "S4"
    rule = "an operation that saw no event coming changes no entry of its range once it is read"

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        task, key = taken.task, f"stale {taken.task}"
        if moved(taken, look, "S4") < 0:
            look.keep(key, (), ())
        if changes_entries(taken):
            stale: tuple[Raised, ...] = look.note(key, ())
            for page, _, _ in entries_set(taken):
                for event in stale:
                    if event.start <= page * PAGE < event.end:
                        return f"{task} sets an entry after the monitor has read of {event.kind}"
        return None


def moved(taken: Taken, look: Look, who: str) -> int:
    """Whether an operation has just come inside (1), gone out (-1), or neither (0)."""
    key = f"{who} inside {taken.task}"
    was: int = look.note(key, 0)
    now: int = look.note(f"inside {taken.task}", 0)
    look.keep(key, 0, now)
    return now - was


class StaleView(Property):
    """S5: what an operation changes, it changes with no older event unread."""

    ident = "S5"
    rule = "when an operation changes an entry, every event before its entry has been read"

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        task = taken.task
        alone = holds(look, task, "mmap_lock", "write")
        if changed_layout(taken, look) and is_raise(taken) and not alone:
            return f"{task} announces an event after it has let the change be seen"
        way = moved(taken, look, "S5")
        key = f"S5 before {task}"
        if way < 0:
            look.keep(key, (), ())
        elif way > 0:
            look.keep(key, (), unread_now(task, look))
        if changes_entries(taken):
            now = unread_now(task, look)
            old = [one for one in look.note(key, ()) if one in now]
            if old:
                return f"{task} changes an entry while the event of {old[0][0]} is unread"
        return None


def changed_layout(taken: Taken, look: Look) -> bool:
    """Whether a task has held mmap_lock for writing in its call.

    Only a writer's unlock lets a change be seen: MADV_DONTNEED reads, and drops its pages later.
    """
    key = f"S5 wrote {taken.task}"
    was = bool(look.note(key, 0))
    wrote = was or (
        taken.object.startswith("mmap_lock") and holds(look, taken.task, "mmap_lock", "write")
    )
    now = wrote and not any(mark.kind == "Returned" for mark in taken.marks)
    look.keep(key, 0, int(now))
    return wrote


def unread_now(task: str, look: Look) -> tuple[tuple[str, int], ...]:
    """The unread events of the context that a task's operation is about."""
    ctx: str = look.note(f"ctx of {task}", "")
    unread: tuple[Raised, ...] = look.note(f"unread {ctx}", ()) if ctx else ()
    return tuple((event.sender, event.number) for event in unread)


class CounterBalance(Property):
    """S6: the counter of layout changes is lowered as often as raised."""

    ident = "S6"
    rule = "mmap_changing never falls below 0, and is 0 when all is quiet"

    def __init__(self) -> None:
        self._counters: set[str] = set()

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        if not taken.object.startswith("mmap_changing "):
            return None
        self._counters.add(taken.object)
        if taken.after < 0:
            return f"{taken.task} lowers {taken.object} below 0"
        return None

    def end(self, look: Look, unfinished: Names) -> str | None:
        """Judge the world in which nobody moves any more."""
        for name in sorted(self._counters):
            if look.state(name) and not unfinished:
                return f"{name} is still {look.state(name)}: no operation can ever begin again"
        return None


class Progress(Property):
    """L4: nobody is turned away without a reason."""

    ident = "L4"
    rule = "with no writer and no unread event, an operation does not fail with -EAGAIN"

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step: `L4 calm` are the calls that nothing has stood in the way of."""
        task = taken.task
        marks = (*taken.began, *taken.marks)
        fails = taken.fact.kind == "Failed"
        if not (marks or fails or taken.object.startswith(("mmap_lock", "mmap_changing "))):
            return None
        writers, raising = writing(taken, look), announcing(taken, look)
        calm: Names = look.note("L4 calm", ())
        if writers or is_raise(taken):
            calm = ()
        if fails or any(mark.kind == "Failed" for mark in marks):
            calm = tuple(t for t in calm if t != task)
        text = None
        for mark in marks:
            if mark.kind == "Returned" and task in calm:
                calm = tuple(t for t in calm if t != task)
                if mark.detail == "-EAGAIN":
                    text = f"{task} gets -EAGAIN, though nobody writes and no event is unread"
            elif mark.kind == "Called" and not writers and not raising:
                calm = tuple(sorted((*calm, task))) if mark.detail.startswith("UFFDIO_") else calm
        look.keep("L4 calm", (), calm)
        return text


def writing(taken: Taken, look: Look) -> Names:
    """The tasks that hold an mmap_lock for writing, after the step."""
    writers: Names = look.note("L4 writers", ())
    if taken.object.startswith("mmap_lock"):
        mine = holds(look, taken.task, "mmap_lock", "write")
        if mine != (taken.task in writers):
            writers = tuple(sorted({*writers} ^ {taken.task}))
            look.keep("L4 writers", (), writers)
    return writers


def announcing(taken: Taken, look: Look) -> Names:
    """The tasks whose call has raised a counter and is not over."""
    raising: Names = look.note("L4 raising", ())
    now = {*raising, taken.task} if is_raise(taken) else {*raising}
    if any(mark.kind == "Returned" for mark in taken.marks):
        now.discard(taken.task)
    if now != {*raising}:
        raising = tuple(sorted(now))
        look.keep("L4 raising", (), raising)
    return raising
