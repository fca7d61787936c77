"""What a task owes on its own, whoever else there is: S10, S11, S12 and the order of locks."""

from typing import Any, Final

from uffdviz.check.held import held_by
from uffdviz.check.taken import Look, Property, Taken
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact

ATTEMPTS: Final = ("try", "count", "wait", "all_out")
"""What verbs begin with that never wait, or end a wait that was judged when it began."""
SLEEPING: Final = frozenset({"rwsem", "vma_lock", "folio_lock"})
OUTER: Final = ("mmap_lock", "vma ", "map_changing_lock")
FAULTS: Final = frozenset({"kernel_fault", "page_fault", "copy_from_user"})
FILLS: Final = ("UFFDIO_COPY", "UFFDIO_ZEROPAGE", "UFFDIO_CONTINUE", "UFFDIO_POISON")
ERRNOS: Final = frozenset(
    ["-EAGAIN", "-ENOENT", "-EEXIST", "-EINVAL", "-ENOMEM", "-EFAULT", "-EIO", "-ESRCH", "-EINTR"]
)
OF_MOVE: Final = ERRNOS | {"-EBUSY"}
EXIT: Final = "sys_exit"
CONTEXT: Final = "ctx refcount "
COUNTED: Final = ("mm_users", "mm_count", "ctx refcount")
FILES: Final = frozenset({"userfaultfd_release", "userfaultfd_release_new", "dup_userfaultfd_fail"})
"""Functions that let go of a context's first reference."""
PAGE: Final = 4096
BODIES: Final = ("mfill_atomic", "move_pages")


class Balance(Property):
    """S10: whoever returns to user space holds nothing; what is released was held."""

    ident = "S10"
    rule = "a task that returns to user space holds no lock, and releases only what it holds"

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        task = taken.task
        if taken.fact.kind == "LockMisused":
            return f"{task} releases {taken.object}, which it does not hold"
        kept = references(taken, look)
        if kept is None:
            return f"{task} gives back a reference to {taken.object}, which it did not take"
        if any(mark.kind in {"Returned", "Finished"} for mark in taken.marks):
            return leftover(task, kept, look)
        return None

    def end(self, look: Look, unfinished: tuple[str, ...]) -> str | None:
        """Judge the world in which nobody moves any more."""
        for name in () if unfinished else look.names(CONTEXT):
            ctx = name.removeprefix(CONTEXT)
            if look.state(f"released {ctx}") and look.state(name) > 0:
                return f"{ctx} is closed, and somebody has kept a reference to it"
        return None


def leftover(task: str, kept: tuple[str, ...], look: Look) -> str | None:
    """Say what a task that returns to user space has not given back."""
    held = held_by(look, task)
    if held:
        locks = " and ".join(f"{lock} for {mode}" for lock, mode in held)
        return f"{task} returns to user space and still holds {locks}"
    if kept:
        return f"{task} returns to user space and keeps a reference to {' and '.join(kept)}"
    mapped = look.note(f"mapped {task}", 0)
    return f"{task} returns to user space and has a page table mapped" if mapped else None


def references(taken: Taken, look: Look) -> tuple[str, ...] | None:
    """Fold taking and dropping a reference to a page, an address space or a context.

    A context's first reference is the file's: whoever closes it, or takes a child's context back,
    lets go of one that they did not take; so does the last thread of an address space.

    Returns: what is kept, or None: one was dropped that had not been taken.
    """
    key = f"references {taken.task}"
    kept: tuple[str, ...] = look.note(key, ())
    what = taken.object
    if taken.before == taken.after:
        return kept
    if taken.verb == "add_refs":
        more = taken.after.refs > taken.before.refs
    elif what.startswith(COUNTED):
        more = taken.after > taken.before
    else:
        return kept
    if more:
        kept = (*kept, what)
    elif what in kept:
        at = kept.index(what)
        kept = (*kept[:at], *kept[at + 1 :])
    elif not lets_go_of_the_first(taken):
        return None
    look.keep(key, (), kept)
    return kept


def lets_go_of_the_first(taken: Taken) -> bool:
    """Whether a step gives back the reference that a context or an address space began with."""
    if taken.object.startswith(CONTEXT):
        return taken.after >= 0 and bool(FILES & set(taken.stack))
    return taken.object.startswith(COUNTED) and EXIT in taken.stack


class Order(Property):
    """S11: what may not be waited for while something else is held."""

    ident = "S11"
    rule = "locks are taken in one order, and nobody sleeps with a lock that forbids it"

    def __init__(self) -> None:
        self._after: dict[str, set[str]] = {}

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        held = tuple(lock for lock, _ in held_by(look, taken.task))
        if taken.fact.kind == "Slept" and taken.kind == "task":
            bad = [lock for lock in held if lock.startswith(OUTER) or is_spinlock(lock)]
            if bad:
                return f"{taken.task} goes to sleep and holds {' and '.join(bad)}"
        if taken.fact.kind in {"LockAcquired", "LockContended"}:
            before = held
            if taken.fact.kind == "LockAcquired" and taken.object in held:
                before = held[: len(held) - 1 - held[::-1].index(taken.object)]
            if text := self._acquires(taken, before, look):
                return text
        return entered(taken, held)

    def _acquires(self, taken: Taken, held: tuple[str, ...], look: Look) -> str | None:
        """Judge taking a lock, or starting to wait for it, with others held before."""
        task, lock = taken.task, taken.object
        if taken.kind == "vma_lock" and any(h.startswith("map_changing_lock") for h in held):
            return f"{task} takes {lock} after map_changing_lock: the order is the other way round"
        if taken.fact.kind == "LockAcquired" and taken.verb.startswith(ATTEMPTS):
            return None
        text = None
        if lock.startswith("mmap_lock") and any(h.startswith(OUTER[1:]) for h in held):
            text = f"{task} may wait for {lock} and holds {' and '.join(held)}"
        if taken.kind in SLEEPING and any(is_spinlock(h) for h in held):
            text = f"{task} may sleep for {lock} and holds {' and '.join(held)}"
        if taken.kind in SLEEPING and look.note(f"mapped {task}", 0):
            text = f"{task} may sleep for {lock} with a page table mapped"
        if is_spinlock(lock) and lock in held:
            text = f"{task} takes {lock} twice"
        return text or self._learn(task, kind_of(lock), [kind_of(h) for h in held])

    def _learn(self, task: str, kind: str, held: list[str]) -> str | None:
        """Note that `kind` was waited for behind others. Returns: the circle that this closes."""
        for before in held:
            if before == kind or kind in self._after.setdefault(before, set()):
                continue
            self._after[before].add(kind)
            if self._leads(kind, before):
                return (
                    f"{task} waits for {kind} behind {before}; elsewhere it is the other way round"
                )
        return None

    def _leads(self, start: str, end: str) -> bool:
        seen, todo = {start}, [start]
        while todo:
            for after in self._after.get(todo.pop(), ()):
                if after == end:
                    return True
                if after not in seen:
                    seen.add(after)
                    todo.append(after)
        return False


def entered(taken: Taken, held: tuple[str, ...]) -> str | None:
    """Judge entering a function that may sleep for user space."""
    bad = [lock for lock in held if lock.startswith(OUTER)]
    for call in taken.calls:
        if call[0] == "enter" and bad:
            if call[1] in FAULTS:
                return f"{taken.task} touches user memory with {' and '.join(bad)} held"
            if call[1] == "userfaultfd_event_wait_completion":
                return f"{taken.task} waits for the monitor with {' and '.join(bad)} held"
    return None


def is_spinlock(lock: str) -> bool:
    """Whether whoever holds this lock may not sleep."""
    return lock.startswith(("ptl ", "page_table_lock")) or ".lock" in lock


def kind_of(lock: str) -> str:
    """What lock it is, whomever it belongs to."""
    return lock.partition(" ")[0]


class Results(Property):
    """S12: what a call returns is what it did."""

    ident = "S12"
    rule = "a fill or a move returns the bytes that it did from the start, or an errno; never 0"

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step: count pages, and compare when the call returns."""
        key = f"doing {taken.task}"
        doing: Doing = look.note(key, IDLE)
        for mark in taken.began:
            doing = marked(mark, doing)
        if doing.call and taken.kind == "table" and not FAULTS & set(taken.stack):
            doing = worked(doing, taken)
        text = None
        for call in taken.calls:
            if call[0] == "leave" and call[1].partition("_v6")[0] in BODIES and call[2] == "0":
                text = f"{call[1]}() of {taken.task} returns 0, which would mean: wake everybody"
        for mark in taken.marks:
            dies = doing.call.startswith("UFFDIO_MOVE") and is_dying(taken.task, look)
            if mark.kind == "Returned" and doing.call and text is None and not dies:
                text = wrong(taken.task, doing.call, doing.pages, mark.detail)
            doing = marked(mark, doing)
        look.keep(key, IDLE, doing)
        return text


def is_dying(task: str, look: Look) -> bool:
    """Whether a task has a fatal signal: a move does not count its last page then, nobody reads it."""
    state = look.state(f"task {task}")
    return state is not None and bool(state.signal)


class Doing(msgspec.Struct, frozen=True):
    """A call that is under way: how many pages it has done, and the entry that it took last."""

    call: str = ""
    pages: int = 0
    taken: int = -1


IDLE: Final = Doing()


def marked(mark: Fact, doing: Doing) -> Doing:
    """Begin or end a call."""
    if mark.kind == "Called":
        return Doing(mark.detail) if mark.detail.startswith((*FILLS, "UFFDIO_MOVE")) else IDLE
    return IDLE if mark.kind == "Returned" else doing


def worked(doing: Doing, taken: Taken) -> Doing:
    """Count the entries that a step set; one that is put back does not count."""
    gone = {page for page, _ in taken.before.entries} - {page for page, _ in taken.after.entries}
    if gone:
        return Doing(doing.call, doing.pages, max(gone))
    back = doing.taken in {page for page, _ in taken.after.entries}
    return Doing(doing.call, doing.pages + pages_set(taken.before, taken.after) - back)


def pages_set(before: Any, after: Any) -> int:
    """How many entries were none or a marker before and are something now."""
    old = dict(before.entries)
    return sum(
        pte != old.get(page)
        and (old.get(page) is None or old[page].kind in {"poison", "wp_marker"})
        for page, pte in after.entries
    )


def wrong(task: str, call: str, pages: int, result: str) -> str | None:
    """Say what is wrong with a result, if anything."""
    move = call.startswith("UFFDIO_MOVE")
    said = f"{call.split(maxsplit=1)[0]} of {task} returns {result}"
    if not result.startswith("-"):
        if result == "0":
            return f"{said}, which would mean: wake everybody"
        if int(result) != pages * PAGE and "allow_src_holes" not in call:
            return f"{said} and did {pages * PAGE} bytes"
        return None
    if result not in (OF_MOVE if move else ERRNOS):
        return f"{said}, which no caller expects"
    if pages and result != "-EFAULT":
        return f"{said} although {pages} page{'s' * (pages > 1)} had been done"
    return None


class Owed(Property):
    """L1, step by step: whoever frees a lock wakes who queues for it; else they sleep for ever.

    The model's writers look at a free lock by themselves, which the kernel's asleep do not. So a
    release is judged by what its task does before it turns to anything that may take long.
    """

    ident = "L1"
    rule = "whoever frees a lock that others queue for wakes the first of them"

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        task, key = taken.task, f"owes {taken.task}"
        owed: str = look.note(key, "")
        if taken.fact.kind == "LockReleased" and is_kept_from(taken.after):
            owed = taken.object
        elif taken.fact.kind == "Woke" and taken.object == owed:
            owed = ""
        pauses = taken.fact.kind in {"LockContended", "Slept"} or any(
            mark.kind in {"Returned", "Finished"} for mark in taken.marks
        )
        text = None
        if owed and pauses:
            state = taken.after if taken.object == owed else look.state(owed)
            if is_kept_from(state):
                text = f"{task} has freed {owed} and wakes nobody, and {state.queue[0].task} queues"
            owed = ""
        look.keep(key, "", owed)
        return text


def is_kept_from(state: Any) -> bool:
    """Whether a sleeping lock is free, and somebody queues for it."""
    return hasattr(state, "writer") and not state.holders and bool(state.queue)


class Overtaking(Property):
    """L3: who comes later does not overtake a writer that queues, nor whoever has a promise."""

    ident = "L3"
    rule = (
        "while readers hold a lock and a writer queues for it, no new reader gets it; a lock that "
        "is promised to its first waiter goes to nobody else"
    )

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        readers = getattr(taken.before, "readers", ())
        if text := unpromised(taken):
            return text
        now = getattr(taken.after, "readers", ())
        if taken.fact != Fact("LockAcquired", "read") or len(now) <= len(readers):
            return None
        writers = [w.task for w in getattr(taken.before, "queue", ()) if w.mode == "write"]
        if readers and writers:
            return f"{taken.task} gets {taken.object} to read and overtakes {writers[0]}"
        return None


def unpromised(taken: Taken) -> str | None:
    """Whether somebody gets a lock that is promised to another."""
    queue: tuple[Any, ...] = getattr(taken.before, "queue", ())
    if taken.fact.kind != "LockAcquired" or not getattr(taken.before, "handoff", False):
        return None
    granted = taken.task in (*taken.before.readers, queue[0].task)
    return (
        None
        if granted
        else f"{taken.task} gets {taken.object}, which is promised to {queue[0].task}"
    )
