"""What a trace has and the model leaves out on purpose, in one table.

Each reason is printed with the number of lock events that it took from the comparison.
"""

import re
from collections import Counter
from typing import Final

from uffdviz.run.kernel_trace import TraceEvent

OTHER_THREAD: Final = "threads that the scenario does not describe"
FILE_RMAP: Final = "i_mmap_rwsem: the reverse map of files"
NAMELESS: Final = "mappings of the program that the scenario does not name"
OWN_FAULT: Final = "page faults of the program on its own stack and heap"
LEVELS: Final = "page-table levels above the one that has entries"
TABLE: Final = "the lock pair of a page table that is linked"
UPPER: Final = re.compile(r"__p4d_alloc|__pud_alloc|__pmd_alloc")
RANGE: Final = re.compile(r"^[0-9a-f]+-[0-9a-f]+")


class LeftOut:
    """Decides, event by event, what is not compared, and counts it."""

    def __init__(self, mappings: dict[str, tuple[int, int]], tasks: tuple[str, ...]) -> None:
        self.mappings = mappings
        self.tasks = tasks
        self.counts: Counter[str] = Counter()
        self._fault: dict[str, int] = {}
        self._done: set[str] = set()
        self._nameless: set[str] = set()
        self._release: set[tuple[str, str]] = set()

    def skips(self, event: TraceEvent) -> bool:
        """Whether this event is not compared."""
        reason = self._reason(event)
        if reason and event.is_lock:
            self.counts[reason] += 1
        return bool(reason)

    def until_release(self, event: TraceEvent) -> None:
        """Leave out an acquire that was just seen, and the release that belongs to it."""
        self.counts[TABLE] += 1
        self._release.add((event.thread, event.addr or ""))

    def _reason(self, event: TraceEvent) -> str:
        if event.thread not in self.tasks:
            return OTHER_THREAD
        if self._own_fault(event):
            return OWN_FAULT
        if self._fork_of_nameless(event):
            return NAMELESS
        return self._lock_reason(event) if event.is_lock else ""

    def _lock_reason(self, event: TraceEvent) -> str:
        """Why a single lock event is not compared."""
        key = event.thread, event.addr or ""
        if key in self._release and event.event == "release":
            self._release.discard(key)
            return TABLE
        if event.lock == "i_mmap_rwsem":
            return FILE_RMAP
        if event.lock == "vma_lock" and RANGE.match(event.vma or ""):
            return NAMELESS
        return LEVELS if UPPER.search(event.site or "") else ""

    def _own_fault(self, event: TraceEvent) -> bool:
        """A fault outside every named mapping, from its beginning to its last release."""
        thread = event.thread
        if event.event == "call" and (event.fn or "").startswith("page_fault_"):
            address = int(str(event.args.get("address", "0x0")), 16)
            if not self._named(address):
                self._fault[thread] = 0
                self._done.discard(thread)
                return True
        if thread not in self._fault:
            return False
        if event.event in {"begin", "end"}:
            del self._fault[thread]
            return False
        self._fault[thread] += {"acquire": 1, "release": -1}.get(event.event, 0)
        if event.event == "ret" and event.fn == "handle_mm_fault":
            self._done.add(thread)
        if thread in self._done and self._fault[thread] <= 0:
            del self._fault[thread]
        return True

    def _fork_of_nameless(self, event: TraceEvent) -> bool:
        """What fork does to a mapping without a name, from its duplication to the next one."""
        thread = event.thread
        if event.event == "call" and event.fn == "vm_area_dup":
            inside = self._named(int(str(event.args.get("vs", "0x0")), 16))
            self._nameless.discard(thread)
            if not inside:
                self._nameless.add(thread)
        ends = event.event in {"begin", "end"} or (event.lock or "").startswith("mmap_lock")
        named = event.lock == "vma_lock" and not RANGE.match(event.vma or "")
        if ends or named:
            self._nameless.discard(thread)
        return thread in self._nameless

    def _named(self, address: int) -> bool:
        return any(start <= address < end for start, end in self.mappings.values())
