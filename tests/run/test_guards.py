"""What is guarded by a lock is touched under that lock, in every shipped scenario and era.

The tables are written from the kernel's rules (Documentation/mm/process_addrs.rst and the comments
of the functions), not from the code here. Whoever may go without is named, with the reason.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from uffdviz.run.interleaving import next_choice
from uffdviz.run.machine import Machine
from uffdviz.run.read_scenario import shipped
from uffdviz.run.setting import load_setting
from uffdviz.run.simulate import make_scheduler
from uffdviz.trace.events import Event

MOST = 500
ERAS = ["v6.1", "v6.8", "v6.9", "v6.12", "v6.18", "series-v2", "series-v3", "series-v4"]
KNOWN = {"series-v2": ("find_mergeable_anon_vma()", "anon_vma_publish()")}
"""It prepares an anon_vma with the mapping's lock only (history.md, version 2)."""
Held = list[tuple[str, str]]
Guard = Callable[[str, Held], bool]


def named(lock: str, mode: str = "") -> Guard:
    """A lock of that name is held."""
    return lambda _, held: any(is_called(one, lock) and mode in {"", how} for one, how in held)


def is_called(one: str, lock: str) -> bool:
    return one == lock or one.startswith(f"{lock} ")


def its_own(before: str, lock: str) -> Guard:
    """The lock that goes with this very object is held."""
    return lambda name, held: any(one == lock + name.removeprefix(before) for one, _ in held)


def either(*guards: Guard) -> Guard:
    return lambda name, held: any(guard(name, held) for guard in guards)


def both(*guards: Guard) -> Guard:
    return lambda name, held: all(guard(name, held) for guard in guards)


MMAP_LOCK = named("mmap_lock")
MMAP_LOCKED = named("mmap_lock", "write")
PTL = its_own("page table", "ptl")
FAULTS = named("fault_pending_wqh.lock")
SENDERS = named("event_wqh.lock")
POLLERS = named("fd_wqh.lock")
CHANGED = {
    "page table": PTL,
    "mm tree": MMAP_LOCKED,
    "mapping": MMAP_LOCKED,
    "mm_lock_seq": MMAP_LOCKED,
    "fault_pending_wqh": FAULTS,
    "fault_wqh": FAULTS,
    "event_wqh": SENDERS,
    "fd_wqh": POLLERS,
    "swap cache": named("folio", "write"),
    "anon_vma users": named("anon_vma", "write"),
}
SEEN = {
    "page table": PTL,
    "mm tree": MMAP_LOCK,
    "mapping": either(MMAP_LOCK, its_own("mapping", "vma")),
    "fault_pending_wqh": FAULTS,
    "fault_wqh": FAULTS,
    "event_wqh": SENDERS,
    "fd_wqh": POLLERS,
    "swap cache": named("folio", "write"),
}
CHANGED_OTHERWISE = {
    # mm/memory.c, pmd_install(): the entry above the table has its own lock
    "pte_alloc": named("ptl pmd"),
    # mm/rmap.c, __anon_vma_prepare(): beside other readers, so under two locks of its own
    "anon_vma_publish": both(MMAP_LOCK, named("anon_vma"), named("page_table_lock")),
    # mm/rmap.c, unlink_anon_vmas(): the mapping has left the tree
    "unlink_anon_vmas": named("anon_vma", "write"),
    # mm/mmap.c, exit_mmap(): the last user, whose mappings go without a writer beside it
    "exit_mmap": MMAP_LOCK,
}
CHANGED_ALONE = frozenset(
    {
        "vm_area_free",  # nobody has it any more; whoever looks under RCU finds the mark
        "vm_area_free_typesafe",  # likewise
        "anon_vma_alloc",  # nobody has it yet
        "put_anon_vma",  # include/linux/rmap.h: atomic_dec_and_test()
    }
)
SEEN_WITHOUT = frozenset(
    {
        "anon_vma_alloc",  # the allocator's business
        "access",  # the processor
        "user_page_present",  # the processor, in copy_from_user()
        "pin_user_page_fast",  # mm/gup.c, gup_fast: looks again after it has the page
        "userfaultfd_must_wait",  # fs/userfaultfd.c: lockless, after the fault was queued
        "handle_mm_fault",  # mm/memory.c, handle_pte_fault(): looks again under the lock
        "pte_alloc",  # pte_none() before the lock
        "pte_offset_map",  # __pte_offset_map(): whether there is a table
        "move_prepare_tables",  # move_pages(): likewise
        "move_page_tables",  # likewise
        "copy_page_range",  # likewise
        "change_pte_range",  # likewise
        "zap_pte_range",  # likewise
        "userfault_waiters",  # waitqueue_active() beside refile_seq
        "userfaultfd_poll",  # waitqueue_active() after smp_mb()
        "lock_vma_under_rcu",  # RCU
        "vma_start_read",  # RCU, or a caller with mmap_lock
        "vma_refcount_put",  # the mapping's memory is type-safe
        "unlink_anon_vmas",  # the mapping has left the tree
        "unmap_region",  # likewise
        "move_swap_entry_cached",  # mm/userfaultfd.c: filemap_get_folio() of the swap cache, RCU
        "move_swap_cache",  # mm/userfaultfd.c: READ_ONCE(si->swap_map[offset])
        "exit_mmap",  # the last user
        "punch_hole",  # mm/memory.c, unmap_mapping_range(): the file's own lock, which is left out
    }
)


def kind_of(name: str) -> str:
    return next((kind for kind in CHANGED if is_called(name, kind)), "")


def innermost(coro: Any) -> str:
    """The function that a task is in, behind all that called it; not what reads or sets a word."""
    name = ""
    while hasattr(coro, "cr_code"):
        if Path(coro.cr_code.co_filename).name != "word.py":
            name = coro.cr_code.co_name
        coro = coro.cr_await
    return name


def unguarded(function: str, name: str, held: Held, *, changed: bool) -> bool:
    """Whether a step of a function touches an object without the lock for that."""
    kind = kind_of(name)
    if changed:
        guard = CHANGED_OTHERWISE.get(function, CHANGED[kind])
        return function not in CHANGED_ALONE and not guard(name, held)
    return function not in SEEN_WITHOUT and not SEEN.get(kind, MMAP_LOCK)(name, held)


def hold(event: Event, held: Held) -> None:
    """Fold an event into what its task holds."""
    if event.fact == "LockAcquired":
        held.append((event.object, event.mode))
    elif event.fact == "LockReleased":
        held.remove((event.object, event.mode))
    elif event.fact == "LockDowngraded":
        held.remove((event.object, "write"))
        held.append((event.object, "read"))


def breaches(machine: Machine, seed: int) -> set[str]:
    """What one run touches without a lock."""
    scheduler = make_scheduler("random", seed)
    held: dict[str, Held] = {}
    found = set()
    while len(machine.events) < MOST and (choice := next_choice(machine, scheduler)) is not None:
        task = machine.tasks.get(choice.rpartition(" ")[2])
        function = innermost(task.coro) if task else ""
        event = machine.step(choice)
        mine = held.setdefault(event.task, [])
        hold(event, mine)
        guarded = event.fact in {"Saw", "Changed", "Woke"} and kind_of(event.object) != ""
        if guarded and unguarded(function, event.object, mine, changed=event.fact != "Saw"):
            found.add(f"{function}() {event.text} with {mine}")
    return found


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("name", shipped())
def test_nothing_is_touched_without_its_lock(name: str, era: str) -> None:
    found = breaches(load_setting(name, era).machine(), len(name))
    assert {one for one in found if not one.startswith(KNOWN.get(era, "-"))} == set()
