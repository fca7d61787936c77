"""Single lines that may go or change places, because nobody can see it: which, and why."""

from typing import NamedTuple


class Harmless(NamedTuple):
    """One change that every test may miss."""

    function: str
    kind: str
    lines: tuple[str, ...]
    """The line, or both, in the order in which they stand."""
    why: str


HARMLESS = (
    Harmless(
        "_readers_in",
        "swap",
        (
            'readers = tuple(w.task for w in s.queue if w.mode == "read")',
            'writers = tuple(w for w in s.queue if w.mode == "write")',
        ),
        "both are read from one state, which does not change between them",
    ),
    Harmless(
        "dup_vma",
        "swap",
        (
            "await k.vma_start_write(tmp) # 3",
            "await k.vma_iter_store_new(mm, tmp, rec.start, rec.end) # 3",
        ),
        "the child's mapping and tree are out of reach of all others until fork() is done",
    ),
    Harmless(
        "do_mprotect_pkey",
        "delete",
        ("err = 0",),
        "mmap_write_lock_killable() has just said 0, else the function had returned",
    ),
    Harmless(
        "vma_merge",
        "swap",
        (
            "prev = await k.can_vma_merge(below, rec)",
            "after = await k.can_vma_merge(above, rec)",
        ),
        "mmap_lock is held for writing: neither neighbour changes between the two looks",
    ),
    Harmless(
        "find_and_pin_vmas",
        "swap",
        (
            "src_vma = await k.find_vma(mm, src) # T6",
            "dst_vma = await k.find_vma(mm, dst) # T6",
        ),
        "mmap_lock is held: the tree does not change between them, and only both together count",
    ),
)
EXPLAINED = {(one.function, one.kind, " / ".join(one.lines)): one.why for one in HARMLESS}
