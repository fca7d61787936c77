"""What a task owes on its own, whoever else there is: S10, S11, S12 and the order of locks."""

from typing import Any, Final

from uffdviz.check.held import held_by
from uffdviz.check.taken import Look, Property, Taken
from uffdviz.trace.events import Fact

BLOCKING: Final = frozenset({"enter_read", "enter_write", "enter", "add_flag"})
SLEEPING: Final = frozenset({"rwsem", "vma_lock", "folio_lock"})
OUTER: Final = ("mmap_lock", "vma ", "map_changing_lock")
FAULTS: Final = frozenset({"kernel_fault", "page_fault", "copy_from_user"})
FILLS: Final = ("UFFDIO_COPY", "UFFDIO_ZEROPAGE", "UFFDIO_CONTINUE", "UFFDIO_POISON")
ERRNOS: Final = frozenset(
    ["-EAGAIN", "-ENOENT", "-EEXIST", "-EINVAL", "-ENOMEM", "-EFAULT", "-EIO", "-ESRCH", "-EINTR"]
)
OF_MOVE: Final = ERRNOS | {"-EBUSY"}
PAGE: Final = 4096


class Balance(Property):
    """S10: whoever returns to user space holds nothing; what is released was held."""

    ident = "S10"
    rule = "a task that returns to user space holds no lock, and releases only what it holds"

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        task = taken.task
        if taken.fact.kind == "LockMisused":
            return f"{task} releases {taken.object}, which it does not hold"
        if not any(mark.kind in {"Returned", "Finished"} for mark in taken.marks):
            return None
        held = held_by(look, task)
        if held:
            locks = " and ".join(f"{lock} for {mode}" for lock, mode in held)
            return f"{task} returns to user space and still holds {locks}"
        return None


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
            if text := self._acquires(taken, before):
                return text
        return entered(taken, held)

    def _acquires(self, taken: Taken, held: tuple[str, ...]) -> str | None:
        """Judge taking a lock, or starting to wait for it, with others held before."""
        task, lock = taken.task, taken.object
        if taken.kind == "vma_lock" and any(h.startswith("map_changing_lock") for h in held):
            return f"{task} takes {lock} after map_changing_lock: the order is the other way round"
        if taken.verb not in BLOCKING:
            return None
        if lock.startswith("mmap_lock") and any(h.startswith(OUTER[1:]) for h in held):
            return f"{task} may wait for {lock} and holds {' and '.join(held)}"
        if taken.kind in SLEEPING and any(is_spinlock(h) for h in held):
            return f"{task} may sleep for {lock} and holds {' and '.join(held)}"
        if is_spinlock(lock) and lock in held:
            return f"{task} takes {lock} twice"
        return self._learn(task, kind_of(lock), [kind_of(h) for h in held])

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
        begun: tuple[str, int] = ("", 0)
        for mark in taken.began:
            begun = self._marked(mark, begun)
        doing: tuple[str, int] = begun if begun[0] else look.note(key, ("", 0))
        if doing[0] and taken.kind == "table" and not FAULTS & set(taken.stack):
            doing = doing[0], doing[1] + pages_set(taken.before, taken.after)
        text = None
        for mark in taken.marks:
            if mark.kind == "Returned" and doing[0] and text is None:
                text = wrong(taken.task, doing[0], doing[1], mark.detail)
            doing = self._marked(mark, doing)
        look.keep(key, ("", 0), doing)
        return text

    @staticmethod
    def _marked(mark: Fact, doing: tuple[str, int]) -> tuple[str, int]:
        if mark.kind == "Called":
            return (mark.detail, 0) if mark.detail.startswith((*FILLS, "UFFDIO_MOVE")) else ("", 0)
        return ("", 0) if mark.kind == "Returned" else doing


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


class Overtaking(Property):
    """L3: who comes later does not overtake a writer that queues."""

    ident = "L3"
    rule = "while readers hold a lock and a writer queues for it, no new reader gets it"

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        if taken.fact != Fact("LockAcquired", "read") or taken.verb not in ENTERING:
            return None
        readers = getattr(taken.before, "readers", ())
        writers = [w.task for w in getattr(taken.before, "queue", ()) if w.mode == "write"]
        if readers and writers:
            return f"{taken.task} gets {taken.object} to read and overtakes {writers[0]}"
        return None


ENTERING: Final = frozenset({"enter_read", "try_read", "count_up"})
