"""Locking the mappings that a userfaultfd operation works on.

Kernel: mm/userfaultfd.c. Step numbers are those of the reference, section 1.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import ENOENT, ENOMEM
from uffdviz.kernel.memory import look, tree_walk
from uffdviz.kernel.objects import Mm, Vma
from uffdviz.kernel.steps import Step

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def find_vma_and_prepare_anon(k: "Kernel", mm: Mm, addr: int) -> Vma | int:
    """Look a mapping up under mmap_lock, and give it an anon_vma if it is private.

    Kernel: mm/userfaultfd.c, find_vma_and_prepare_anon().
    Returns: the mapping, or a negative errno.
    """
    name = await Step(mm.tree, tree_walk, addr, cost="tree_walk")  # V5
    if not name:
        return ENOENT
    vma = k.stage.vma(name)
    if not await Step(vma.rec, look, "shared") and await k.anon_vma_prepare(vma):  # V6
        return ENOMEM
    return vma


async def lock_vma(k: "Kernel", mm: Mm, addr: int) -> Vma | int:
    """Read-lock the mapping at `addr`, with an anon_vma if it is private.

    Kernel: mm/userfaultfd.c, lock_vma() (uffd_lock_vma() from v6.10).
    Returns: the mapping, or a negative errno.
    """
    vma: Vma | int | None = await k.lock_vma_under_rcu(mm, addr)  # V1
    if isinstance(vma, Vma):
        shared, anon_vma = await Step(vma.rec, look, "shared", "anon_vma")  # V2
        if shared or anon_vma:
            return vma
        await k.vma_end_read(vma)  # V3
    await k.mmap_read_lock(mm)  # V4
    vma = await k.find_vma_and_prepare_anon(mm, addr)  # V5
    if isinstance(vma, Vma):
        # No look at the sequence number: it may be equal by chance, and no writer can be here.
        await k.down_read(vma.lock)  # V7
    await k.mmap_read_unlock(mm)  # V9
    return vma


async def uffd_lock_vma(k: "Kernel", mm: Mm, addr: int) -> Vma | int:
    """Read-lock the mapping at `addr`, with an anon_vma if it is private.

    Kernel: mm/userfaultfd.c, uffd_lock_vma() of v6.10 to v6.14.
    Returns: the mapping, or a negative errno.
    """
    vma: Vma | int | None = await k.lock_vma_under_rcu(mm, addr)  # V1
    if isinstance(vma, Vma):
        # An anonymous page needs an anon_vma, and the fault path no longer sees to it in time.
        shared, anon_vma = await Step(vma.rec, look, "shared", "anon_vma")  # V2
        if shared or anon_vma:
            return vma
        await k.vma_end_read(vma)  # V3
    await k.mmap_read_lock(mm)  # V4
    vma = await k.find_vma_and_prepare_anon(mm, addr)  # V5
    if isinstance(vma, Vma):
        await k.down_read(vma.lock)  # V7
    await k.mmap_read_unlock(mm)  # V9
    return vma


async def uffd_mfill_lock(k: "Kernel", mm: Mm, start: int, length: int) -> Vma | int:
    """Lock the registered mapping that covers the whole range.

    Kernel: mm/userfaultfd.c, uffd_mfill_lock().
    Returns: the mapping, or a negative errno.
    """
    vma = await k.lock_vma(mm, start)  # F1
    if isinstance(vma, int):
        return vma
    end, ctx = await Step(vma.rec, look, "end", "ctx")  # F2
    if start + length <= end and ctx:
        return vma
    await k.vma_end_read(vma)  # F3
    return ENOENT


async def uffd_mfill_unlock(k: "Kernel", vma: Vma) -> None:
    """Release what uffd_mfill_lock() took. Kernel: mm/userfaultfd.c."""
    await k.vma_end_read(vma)


async def find_vmas_mm_locked(k: "Kernel", mm: Mm, dst: int, src: int) -> tuple[Vma, Vma] | int:
    """Look both mappings up under mmap_lock; they may be one.

    Kernel: mm/userfaultfd.c, find_vmas_mm_locked().
    Returns: the mappings of dst and src, or a negative errno.
    """
    dst_vma = await k.find_vma_and_prepare_anon(mm, dst)  # T6
    if isinstance(dst_vma, int):
        return dst_vma
    start, end = await Step(dst_vma.rec, look, "start", "end")  # T6
    if start <= src < end:
        return dst_vma, dst_vma
    name = await Step(mm.tree, tree_walk, src, cost="tree_walk")  # T6
    return (dst_vma, k.stage.vma(name)) if name else ENOENT


async def uffd_move_lock(k: "Kernel", mm: Mm, dst: int, src: int) -> tuple[Vma, Vma] | int:
    """Read-lock the mappings of both ends of a move; one hold if they are one mapping.

    The second one is only tried for: a writer may have it and wait for the first.
    Kernel: mm/userfaultfd.c, uffd_move_lock().
    Returns: the mappings of dst and src, or a negative errno.
    """
    dst_vma = await k.lock_vma(mm, dst)  # T1
    if isinstance(dst_vma, int):
        return dst_vma
    start, end = await Step(dst_vma.rec, look, "start", "end")  # T2
    if start <= src < end:
        return dst_vma, dst_vma
    src_vma = await k.lock_vma_under_rcu(mm, src)  # T3
    if src_vma is not None:
        return dst_vma, src_vma
    await k.vma_end_read(dst_vma)  # T4
    await k.mmap_read_lock(mm)  # T5
    vmas = await k.find_vmas_mm_locked(mm, dst, src)  # T6
    if not isinstance(vmas, int):
        await k.down_read(vmas[0].lock)  # T7
        if vmas[1] is not vmas[0]:
            await k.down_read(vmas[1].lock)  # T8
    await k.mmap_read_unlock(mm)  # T9
    return vmas


async def uffd_move_unlock(k: "Kernel", dst_vma: Vma, src_vma: Vma) -> None:
    """Release what uffd_move_lock() took. Kernel: mm/userfaultfd.c."""
    await k.vma_end_read(src_vma)
    if src_vma is not dst_vma:
        await k.vma_end_read(dst_vma)
