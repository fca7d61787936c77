"""Filling pages: UFFDIO_COPY and its relatives.

Kernel: mm/userfaultfd.c. Step numbers are those of the reference, sections 1 and 2.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EAGAIN, EEXIST, ENOENT
from uffdviz.kernel.memory import Pte, look, pte_at, set_pte, tree_walk
from uffdviz.kernel.objects import PAGE_SIZE, FolioRef, Mm, Uffd, Vma
from uffdviz.kernel.steps import Step, Work

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def lock_vma(k: "Kernel", mm: Mm, addr: int) -> Vma | int:
    """Read-lock the mapping at `addr`, with an anon_vma if it is private.

    Kernel: mm/userfaultfd.c, lock_vma() (uffd_lock_vma() from v6.10).
    Returns: the mapping, or a negative errno.
    """
    vma = await k.lock_vma_under_rcu(mm, addr)  # V1
    if vma is not None:
        shared, anon_vma = await Step(vma.rec, look, "shared", "anon_vma")  # V2
        if shared or anon_vma:
            return vma
        await k.vma_end_read(vma)  # V3
    await k.mmap_read_lock(mm)  # V4
    name = await Step(mm.tree, tree_walk, addr, cost="tree_walk")  # V5
    if not name:
        await k.mmap_read_unlock(mm)  # V9
        return ENOENT
    vma = k.stage.vma(name)
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


async def mfill_atomic(k: "Kernel", ctx: Uffd, dst: int, src: int, length: int) -> int:
    """Fill a range page by page.

    Kernel: mm/userfaultfd.c, mfill_atomic().
    Returns: the bytes done, or a negative errno.
    """
    vma = await k.uffd_mfill_lock(ctx.mm, dst, length)  # B1
    if isinstance(vma, int):
        return vma
    done = 0
    await k.down_read(ctx.map_changing_lock)  # B2
    err = EAGAIN
    if not await k.read_once(ctx.mmap_changing):  # B3
        err = 0
        while done < length and not err:
            err = await k.mfill_atomic_pte_copy(vma, dst + done, src + done)  # A11
            done += 0 if err else PAGE_SIZE
    await k.up_read(ctx.map_changing_lock)  # BU
    await k.uffd_mfill_unlock(vma)  # BU
    return done or err


async def mfill_atomic_pte_copy(k: "Kernel", vma: Vma, dst: int, src: int) -> int:
    """Copy one page."""
    await Work("alloc_page")  # c1
    await Work("copy_page")  # c2
    return await k.mfill_atomic_install_pte(vma, dst, k.stage.folio(f"{dst:#x}"))


async def mfill_atomic_install_pte(k: "Kernel", vma: Vma, addr: int, folio: FolioRef) -> int:
    """Set one entry if it is still none."""
    mm = vma.mm
    await k.spin_lock(mm.ptl(addr))  # c6
    err = EEXIST
    if await Step(mm.table(addr), pte_at, addr // PAGE_SIZE) is None:  # c8
        pte = Pte(folio=folio.name)
        await Step(mm.table(addr), set_pte, addr // PAGE_SIZE, hex(addr), pte, cost="set_pte")  # c10
        err = 0
    await k.spin_unlock(mm.ptl(addr))  # c11
    return err
