"""v6.12: the anon_vma is asked for late, and the sequence number is odd while a writer is in."""

from typing import ClassVar

from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import look, tree_walk
from uffdviz.kernel.objects import Mm, Vma
from uffdviz.kernel.ops import fault, fork
from uffdviz.kernel.ops.pte_fault import vmf_anon_prepare_v6_10
from uffdviz.kernel.ops.uffd_lock import uffd_lock_vma
from uffdviz.kernel.steps import Step


async def mm_lock_seqcount_begin(k: "V6_12", mm: Mm) -> None:
    """Make the number odd: a writer is in. Kernel: include/linux/mmap_lock.h."""
    await k.atomic_add(mm.lock_seq, 1)


async def mmap_write_lock(k: "V6_12", mm: Mm) -> None:
    """Gain the right to change mappings. Kernel: include/linux/mmap_lock.h. Not interruptible."""
    await k.down_write(mm.lock)
    await k.mm_lock_seqcount_begin(mm)


async def mmap_write_lock_killable(k: "V6_12", mm: Mm) -> int:
    """Gain the right to change mappings.

    Kernel: include/linux/mmap_lock.h. Returns: 0, or -EINTR with nothing changed.
    """
    err = await k.down_write_killable(mm.lock)
    if not err:
        await k.mm_lock_seqcount_begin(mm)
    return err


async def lock_vma_under_rcu(k: "V6_12", mm: Mm, addr: int) -> Vma | None:
    """Find and read-lock the mapping at `addr` without mmap_lock.

    Kernel: mm/memory.c, lock_vma_under_rcu() of v6.10 to v6.14: whether it still is in the tree is
    asked before any other field, and nobody asks for an anon_vma any more.
    Returns: the locked mapping, or None: the caller then goes by mmap_lock.
    """
    while True:
        name = await Step(mm.tree, tree_walk, addr, cost="tree_walk")  # 2
        if not name:
            return None
        vma = k.stage.vma(name)
        if not await k.vma_start_read(vma):  # 3
            return None
        if not await Step(vma.rec, look, "detached"):  # 4
            break
        await k.vma_end_read(vma)  # 4
    start, end = await Step(vma.rec, look, "start", "end")  # 4
    if start <= addr < end:
        return vma
    await k.vma_end_read(vma)  # 4
    return None


class V6_12(Kernel):
    """The number moves at lock and at unlock; faults prepare an anon_vma themselves."""

    era: ClassVar[str] = "v6.12"

    mm_lock_seqcount_begin = mm_lock_seqcount_begin
    mmap_write_lock = mmap_write_lock
    mmap_write_lock_killable = mmap_write_lock_killable
    lock_vma_under_rcu = lock_vma_under_rcu
    lock_vma = uffd_lock_vma
    vmf_anon_prepare = vmf_anon_prepare_v6_10
    bad_access_under_vma_lock = fault.bad_access_under_vma_lock_v6_10
    dup_userfaultfd_finish = fork.dup_userfaultfd_or_fail
