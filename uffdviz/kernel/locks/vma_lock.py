"""The per-VMA lock of v6.4 to v6.14: a rwsem that is held only for reading, and a number.

Kernel: include/linux/mm.h; mm/memory.c, lock_vma_under_rcu().
A writer takes the rwsem only to let readers leave. From then on the mapping counts as locked for
writing because its sequence number equals the address space's, until that one moves on.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.locks.word import load
from uffdviz.kernel.memory import look, put, tree_walk
from uffdviz.kernel.objects import Mm, Vma
from uffdviz.kernel.steps import Step

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def vma_start_read(k: "Kernel", vma: Vma) -> bool:
    """Try to lock a mapping for reading; never sleeps.

    Kernel: include/linux/mm.h, vma_start_read().
    Returns: whether it is locked now. It may refuse by mistake, never succeed by mistake.
    """
    seq = await Step(vma.rec, look, "lock_seq")  # 1
    if seq == await Step(vma.mm.lock_seq, load):  # 1
        return False
    if not await k.down_read_trylock(vma.lock):  # 2
        return False
    seq = await Step(vma.rec, look, "lock_seq")  # 3
    if seq == await Step(vma.mm.lock_seq, load):  # 3
        await k.up_read(vma.lock)  # 3
        return False
    return True


async def vma_end_read(k: "Kernel", vma: Vma) -> None:
    """Release a mapping's read lock.

    The lock's memory must outlast the release, which still looks whom to wake.
    Kernel: include/linux/mm.h, vma_end_read().
    """
    await k.rcu_read_lock()
    await k.up_read(vma.lock)
    await k.rcu_read_unlock()


async def rcu_read_lock(k: "Kernel") -> None:
    """Keep what is freed meanwhile from being used again. Kernel: include/linux/rcupdate.h."""


async def rcu_read_unlock(k: "Kernel") -> None:
    """End a section that rcu_read_lock() began. Kernel: include/linux/rcupdate.h."""


async def vma_start_write(k: "Kernel", vma: Vma) -> None:
    """Lock a mapping for writing until mmap_lock is released or downgraded.

    Kernel: include/linux/mm.h, vma_start_write(). The caller holds mmap_lock for writing.
    """
    mm_seq = await Step(vma.mm.lock_seq, load)  # 1
    if await Step(vma.rec, look, "lock_seq") == mm_seq:  # 1
        return
    await k.down_write(vma.lock)  # 2
    await Step(vma.rec, put, vma.lock.name, "lock_seq", mm_seq, cost="store")  # 3
    await k.up_write(vma.lock)  # 4


async def lock_vma_under_rcu(k: "Kernel", mm: Mm, addr: int) -> Vma | None:
    """Find and read-lock the mapping at `addr` without mmap_lock.

    Kernel: mm/memory.c, lock_vma_under_rcu() of v6.7 to v6.9.
    Left out: the fault path's further checks.
    Returns: the locked mapping, or None: the caller then goes by mmap_lock.
    """
    while True:
        name = await Step(mm.tree, tree_walk, addr, cost="tree_walk")  # 2
        if not name:
            return None
        vma = k.stage.vma(name)
        if not await k.vma_start_read(vma):  # 3
            return None
        backing, anon_vma = await Step(vma.rec, look, "backing", "anon_vma")  # 4
        if backing == "anon" and not anon_vma:
            await k.vma_end_read(vma)  # 4
            return None
        start, end = await Step(vma.rec, look, "start", "end")  # 4
        if not start <= addr < end:
            await k.vma_end_read(vma)  # 4
            return None
        if not await Step(vma.rec, look, "detached"):  # 4
            return vma
        await k.vma_end_read(vma)  # 4
