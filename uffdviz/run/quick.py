"""Effects without words, for runs of which only the totals are wanted.

Most of the time of an effect goes into the sentence that it makes. Each function here does what the
effect of the same name does and leaves the sentence out; a test holds the pairs together. An effect
that has no such twin is taken as it is.
"""

from bisect import bisect_left
from collections.abc import Callable
from typing import Any, Final

from uffdviz.kernel import memory, vma_tree
from uffdviz.kernel.locks import rwsem, word
from uffdviz.kernel.locks.base import MISUSED, Waiter, without_one
from uffdviz.kernel.locks.rwsem import RwSem
from uffdviz.kernel.memory import PageTable, Pte, Tree, VmaRecord
from uffdviz.kernel.steps import Outcome
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact, Mode

SAW: Final = Fact("Saw")
REFUSED: Final = Fact("LockRefused", "read")
CONTENDED: Final[dict[Mode, Fact]] = {
    "read": Fact("LockContended", "read"),
    "write": Fact("LockContended", "write"),
}
CHANGED: Final = Fact("Changed")


def look(s: Any, task: str, *fields: str) -> Outcome:
    """Look at fields of a record."""
    if len(fields) == 1:
        return s, getattr(s, fields[0]), SAW
    return s, tuple([getattr(s, f) for f in fields]), SAW


def put(s: Any, task: str, name: str, field: str, value: Any) -> Outcome:
    """Set one field of a record."""
    return msgspec.structs.replace(s, **{field: value}), None, CHANGED


def load(s: int, task: str) -> Outcome:
    """Look at a word."""
    return s, s, SAW


def store(s: int, task: str, name: str, value: int) -> Outcome:
    """Set a word."""
    return value, None, CHANGED


def add(s: int, task: str, name: str, by: int) -> Outcome:
    """Add to a word."""
    return s + by, s + by, CHANGED


def pte_at(s: PageTable, task: str, page: int) -> Outcome:
    """Look at one entry."""
    entries = s.entries
    at = bisect_left(entries, (page,))
    if at < len(entries) and entries[at][0] == page:
        return s, entries[at][1], SAW
    return s, None, SAW


def set_pte(s: PageTable, task: str, page: int, where: str, pte: Pte | None) -> Outcome:
    """Set or clear one entry."""
    entries = s.entries
    low = bisect_left(entries, (page,))
    high = low + (low < len(entries) and entries[low][0] == page)
    new = () if pte is None else ((page, pte),)
    return PageTable(linked=True, entries=(*entries[:low], *new, *entries[high:])), None, CHANGED


def tree_walk(s: Tree, task: str, addr: int) -> Outcome:
    """Find the mapping that contains an address."""
    entries = s.entries
    at = bisect_left(entries, (addr + 1,)) - 1
    if at >= 0 and addr < entries[at][1]:
        return s, entries[at][2], SAW
    return s, "", SAW


def tree_overlap(s: Tree, task: str, start: int, end: int) -> Outcome:
    """Find every mapping that overlaps a range."""
    return s, tuple([n for low, high, n in s.entries if low < end and start < high]), SAW


def tree_around(s: Tree, task: str, start: int, end: int) -> Outcome:
    """Find the mappings that end where a range begins, and begin where it ends."""
    prev = after = ""
    for low, high, name in s.entries:
        if high == start and not prev:
            prev = name
        if low == end:
            after = after or name
    return s, (prev, after), SAW


def whole_record(s: VmaRecord, task: str) -> Outcome:
    """Look at all fields of a mapping."""
    return s, s, SAW


def become(s: VmaRecord, task: str, name: str, record: VmaRecord) -> Outcome:
    """Fill in a record."""
    return record, None, CHANGED


def enter_read(s: RwSem, task: str) -> Outcome:
    """Take a lock for reading, or queue."""
    if s.writer or s.handoff or (s.queue and s.readers):
        return _queued(s, task, "read")
    return RwSem(readers=(*s.readers, task), queue=s.queue), True, rwsem.ACQUIRED["read"]


def enter_write(s: RwSem, task: str) -> Outcome:
    """Take a lock for writing, or queue."""
    if s.readers or s.writer or s.handoff:
        return _queued(s, task, "write")
    return RwSem(writer=task, queue=s.queue), True, rwsem.ACQUIRED["write"]


def _queued(s: RwSem, task: str, mode: Mode) -> Outcome:
    queue = (*s.queue, Waiter(task, mode))
    return RwSem(s.readers, s.writer, queue, s.handoff), False, CONTENDED[mode]


def wait_read(s: RwSem, task: str) -> Outcome:
    """Go on once the lock has been granted."""
    for waiter in s.queue:
        if waiter.task == task:
            return None
    return s, True, rwsem.ACQUIRED["read"]


def try_read(s: RwSem, task: str) -> Outcome:
    """Take a lock for reading if that needs no wait."""
    if s.writer or s.queue or s.handoff:
        return s, False, REFUSED
    return RwSem((*s.readers, task)), True, rwsem.ACQUIRED["read"]


def release_read(s: RwSem, task: str) -> Outcome:
    """Give up one read hold."""
    readers = s.readers
    if task not in readers:
        return s, False, MISUSED
    left = without_one(readers, task) if len(readers) > 1 else ()
    after = RwSem(left, s.writer, s.queue, s.handoff)
    return after, bool(s.queue) and not left, rwsem.RELEASED["read"]


def release_write(s: RwSem, task: str) -> Outcome:
    """Give up the write hold."""
    if s.writer != task:
        return s, False, MISUSED
    after = RwSem(s.readers, "", s.queue, s.handoff)
    return after, bool(s.queue), rwsem.RELEASED["write"]


Quick = Callable[..., Outcome]
QUICK: Final[dict[Quick, Quick]] = {
    memory.look: look,
    memory.put: put,
    memory.pte_at: pte_at,
    memory.set_pte: set_pte,
    memory.tree_walk: tree_walk,
    memory.tree_overlap: tree_overlap,
    word.load: load,
    word.store: store,
    word.add: add,
    vma_tree.tree_around: tree_around,
    vma_tree.whole_record: whole_record,
    vma_tree.become: become,
    rwsem.enter_read: enter_read,
    rwsem.enter_write: enter_write,
    rwsem.wait_read: wait_read,
    rwsem.try_read: try_read,
    rwsem.release_read: release_read,
    rwsem.release_write: release_write,
}
"""The effects that are taken without words."""
