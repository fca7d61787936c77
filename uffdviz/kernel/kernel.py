"""The kernel as one task sees it: a table of which function does which job.

A function of the model is `async def name(k, …)` and calls the others through `k`, so an era, a
posted revision or a mutation replaces one by naming another in a subclass. This class is v6.9 as
merged; `eras/` holds the differences.
"""

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, ClassVar

from uffdviz.kernel.errno import errno_name
from uffdviz.kernel.locks import exclusive, rwsem, word
from uffdviz.kernel.locks import vma_lock as vl
from uffdviz.kernel.memory import plain
from uffdviz.kernel import queues
from uffdviz.kernel.objects import Task, Vma
from uffdviz.kernel.ops import mfill, mmap_lock, mprotect
from uffdviz.kernel.stage import Stage


def observed(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Note on the task's kernel when `fn` is entered, and when it is left with what."""
    name = fn.__name__

    async def observed_call(k: "Kernel", *args: Any, **options: Any) -> Any:
        k.calls.append(("enter", name))
        result = await fn(k, *args, **options)
        k.calls.append(("leave", name, said(result)))
        return result

    return observed_call


def said(result: Any) -> str:
    """Say what a function returned, as a landmark would."""
    if result is None:
        return "NULL"
    if isinstance(result, Vma):
        return result.name
    if isinstance(result, int) and not isinstance(result, bool) and result < 0:
        return errno_name(result)
    return plain(result) if not hasattr(result, "name") else str(result.name)


def observe(cls: type) -> None:
    """Wrap the kernel functions that `cls` itself names, so that calls and returns are noted."""
    for name, fn in list(vars(cls).items()):
        if iscoroutinefunction(fn) and not hasattr(fn, "primitive"):
            setattr(cls, name, observed(fn))


class Kernel:
    """One task's view of an era.

    `calls` collects what was entered and left since last asked. `fresh` counts the names that the
    task gave to new things; with the coroutine it is the whole private state of a task.
    """

    era: ClassVar[str] = ""
    vma_lock_state: ClassVar[Any] = rwsem.RwSem()

    def __init__(self, stage: Stage, current: Task) -> None:
        self.stage = stage
        self.current = current
        self.calls: list[tuple[str, ...]] = []
        self.fresh = 0

    def __init_subclass__(cls) -> None:
        """Observe every function that this era names, except the lock verbs."""
        observe(cls)

    # kernel/locking
    down_read = rwsem.down_read
    down_write = rwsem.down_write
    down_read_killable = rwsem.down_read_killable
    down_write_killable = rwsem.down_write_killable
    down_read_trylock = rwsem.down_read_trylock
    down_write_trylock = rwsem.down_write_trylock
    up_read = rwsem.up_read
    up_write = rwsem.up_write
    downgrade_write = rwsem.downgrade_write
    spin_lock = exclusive.spin_lock
    spin_unlock = exclusive.spin_unlock
    folio_lock = exclusive.folio_lock
    folio_trylock = exclusive.folio_trylock
    folio_unlock = exclusive.folio_unlock
    read_once = word.read_once
    write_once = word.write_once
    atomic_add = word.atomic_add
    set_current_state = queues.set_current_state
    schedule = queues.schedule
    wake_up_task = queues.wake_up_task
    signal_pending = queues.signal_pending

    # include/linux/mmap_lock.h
    mmap_read_lock = mmap_lock.mmap_read_lock
    mmap_read_unlock = mmap_lock.mmap_read_unlock
    mmap_write_lock_killable = mmap_lock.mmap_write_lock_killable
    mmap_write_unlock = mmap_lock.mmap_write_unlock
    mmap_write_downgrade = mmap_lock.mmap_write_downgrade
    vma_end_write_all = mmap_lock.vma_end_write_all

    # include/linux/mm.h, mm/memory.c
    vma_start_read = vl.vma_start_read
    vma_end_read = vl.vma_end_read
    vma_start_write = vl.vma_start_write
    lock_vma_under_rcu = vl.lock_vma_under_rcu

    # mm/userfaultfd.c
    uffd_mfill_lock = mfill.uffd_mfill_lock
    uffd_mfill_unlock = mfill.uffd_mfill_unlock
    lock_vma = mfill.lock_vma
    mfill_atomic = mfill.mfill_atomic
    mfill_atomic_pte_copy = mfill.mfill_atomic_pte_copy
    mfill_atomic_install_pte = mfill.mfill_atomic_install_pte

    # mm/mprotect.c
    do_mprotect = mprotect.do_mprotect


observe(Kernel)
