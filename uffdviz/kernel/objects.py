"""Names of the things that steps touch. A handle has no state: the world maps its objects to theirs.

Handles are interned per stage (one loaded scenario), so equal means identical, and a run, its
replay and a search over it all speak of the same objects.
"""

from typing import Any, Final

from uffdviz.kernel.locks.exclusive import Exclusive
from uffdviz.kernel.locks.rwsem import RwSem
from uffdviz.kernel.locks.seqcount import SeqCount
from uffdviz.kernel.memory import Folio, PageTable, TaskState, Tree
from uffdviz.kernel.queues import Queue
from uffdviz.kernel.steps import Obj

PAGE_SIZE: Final = 4096
TABLE_SIZE: Final = 512 * PAGE_SIZE


class Vma:
    """A mapping: its record, and the lock that belongs to it."""

    __slots__ = ("lock", "mm", "name", "rec")

    def __init__(self, mm: "Mm", name: str, lock_state: Any, record: Any) -> None:
        self.mm = mm
        self.name = name
        self.rec = Obj("vma", f"mapping {name}", record)
        self.lock = Obj("vma_lock", f"vma {name}", lock_state)

    def __repr__(self) -> str:
        return f"<vma {self.name}>"


class Mm:
    """An address space: its locks, its tree of mappings, its page tables.

    `suffix` tells a second address space's objects from the first one's (whose suffix is empty).
    """

    __slots__ = (
        "_ptls",
        "_tables",
        "count",
        "exited",
        "lock",
        "lock_seq",
        "name",
        "page_table_lock",
        "pmd_lock",
        "suffix",
        "tree",
        "users",
        "writer_wait",
    )

    def __init__(self, name: str, suffix: str) -> None:
        self.name = name
        self.suffix = suffix
        self.lock = Obj("rwsem", "mmap_lock" + suffix, RwSem())
        self.lock_seq = Obj("word", "mm_lock_seq" + suffix, 0)
        self.tree = Obj("tree", "mm tree" + suffix, Tree())
        self.page_table_lock = Obj("spinlock", "page_table_lock" + suffix, Exclusive())
        self.pmd_lock = Obj("spinlock", "ptl pmd" + suffix, Exclusive())
        self.users = Obj("word", "mm_users" + suffix, 1)
        self.count = Obj("word", "mm_count" + suffix, 1)
        self.exited = Obj("word", "threads gone" + suffix, 0)
        self.writer_wait = Obj("word", "vma_writer_wait" + suffix, "")
        self._tables: dict[int, Obj] = {}
        self._ptls: dict[int, Obj] = {}

    def table(self, addr: int) -> Obj:
        """The page table that covers `addr`."""
        index = addr // TABLE_SIZE
        if index not in self._tables:
            name = f"page table {index * TABLE_SIZE:#x}{self.suffix}"
            self._tables[index] = Obj("table", name, PageTable())
        return self._tables[index]

    def ptl(self, addr: int) -> Obj:
        """The split page-table lock of the page table that covers `addr`."""
        index = addr // TABLE_SIZE
        if index not in self._ptls:
            name = f"ptl {index * TABLE_SIZE:#x}{self.suffix}"
            self._ptls[index] = Obj("spinlock", name, Exclusive())
        return self._ptls[index]

    def name_table(self, addr: int, name: str) -> None:
        """Call the table that covers `addr`, and its lock, by a page that it holds."""
        index, name = addr // TABLE_SIZE, name + self.suffix
        self._tables.setdefault(index, Obj("table", f"page table {name}", PageTable()))
        self._ptls.setdefault(index, Obj("spinlock", f"ptl {name}", Exclusive()))

    def __repr__(self) -> str:
        return f"<mm {self.name}>"


class Uffd:
    """A userfaultfd context: the counter, its rwsem, and the four wait queues with their locks."""

    __slots__ = (
        "event_lock",
        "event_wqh",
        "fault_lock",
        "fault_pending_lock",
        "fault_pending_wqh",
        "fault_wqh",
        "fd_lock",
        "fd_wqh",
        "features",
        "map_changing_lock",
        "mm",
        "mmap_changing",
        "name",
        "refcount",
        "refile_seq",
        "released",
    )

    def __init__(self, name: str, mm: Mm, features: tuple[str, ...], suffix: str) -> None:
        self.name = name
        self.mm = mm
        self.features = features
        self.map_changing_lock = Obj("rwsem", "map_changing_lock" + suffix, RwSem())
        self.mmap_changing = Obj("word", "mmap_changing" + suffix, 0)
        self.released = Obj("word", "released" + suffix, 0)
        self.refcount = Obj("word", "ctx refcount" + suffix, 1)
        self.refile_seq = Obj("seqcount", "refile_seq" + suffix, SeqCount())
        self.fault_pending_wqh = Obj("queue", "fault_pending_wqh" + suffix, Queue())
        self.fault_wqh = Obj("queue", "fault_wqh" + suffix, Queue())
        self.event_wqh = Obj("queue", "event_wqh" + suffix, Queue())
        self.fd_wqh = Obj("queue", "fd_wqh" + suffix, Queue())
        self.fault_pending_lock = Obj("spinlock", "fault_pending_wqh.lock" + suffix, Exclusive())
        self.fault_lock = Obj("spinlock", "fault_wqh.lock" + suffix, Exclusive())
        self.event_lock = Obj("spinlock", "event_wqh.lock" + suffix, Exclusive())
        self.fd_lock = Obj("spinlock", "fd_wqh.lock" + suffix, Exclusive())

    def __repr__(self) -> str:
        return f"<uffd {self.name}>"


class AnonVma:
    """The root anon_vma of mappings that share anonymous pages: its rwsem."""

    __slots__ = ("lock", "name", "rec")

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = Obj("rwsem", f"anon_vma {name}", RwSem())
        self.rec = Obj("word", f"anon_vma users {name}", 0)

    def __repr__(self) -> str:
        return f"<anon_vma {self.name}>"


class FolioRef:
    """A page of memory, wherever it is mapped: what rmap knows of it, and its lock.

    `swap_cache` is 1 while the page is in memory for a swap entry that names it.
    """

    __slots__ = ("lock", "name", "rec", "swap_cache")

    def __init__(self, name: str) -> None:
        self.name = name
        self.rec = Obj("folio", f"page {name}", Folio())
        self.lock = Obj("folio_lock", f"folio {name}", Exclusive())
        self.swap_cache = Obj("word", f"swap cache {name}", 0)

    def __repr__(self) -> str:
        return f"<folio {self.name}>"


class Task:
    """A simulated thread: its name, its address space, how it sleeps."""

    __slots__ = ("mm", "name", "state")

    def __init__(self, name: str, mm: Mm) -> None:
        self.name = name
        self.mm = mm
        self.state = Obj("task", f"task {name}", TaskState())

    def __repr__(self) -> str:
        return f"<task {self.name}>"
