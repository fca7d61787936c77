"""Page tables: linking one, locking one, and walking over a range table by table.

Kernel: mm/memory.c, mm/pgtable-generic.c. A page table covers 2 MiB of addresses, and one `ptl`
belongs to it.
Left out: the levels above (they exist), huge pages, freeing page tables, khugepaged: that a table
has vanished can be injected (`pte_offset_map`).
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EAGAIN, ENOMEM
from uffdviz.kernel.memory import Pte, pte_at, set_pte
from uffdviz.kernel.objects import PAGE_SIZE, TABLE_SIZE, Mm, Vma
from uffdviz.kernel.page_tables import is_linked, link_table, take_range
from uffdviz.kernel.steps import Step, Work

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


def pmd_addr_end(addr: int, end: int) -> int:
    """Where the page table of `addr` ends, or `end` if that is before. Kernel: linux/pgtable.h."""
    return min(end, (addr // TABLE_SIZE + 1) * TABLE_SIZE)


async def pte_alloc(k: "Kernel", mm: Mm, addr: int) -> int:
    """See to it that there is a page table at `addr`.

    Kernel: mm/memory.c, __pte_alloc() with pmd_install(). Who comes second frees its own table.
    Returns: 0, or -ENOMEM.
    """
    table = mm.table(addr)
    if await Step(table, is_linked):
        return 0
    if await Work("pte_alloc", errno=ENOMEM):
        return ENOMEM
    await k.spin_lock(mm.pmd_lock)
    await Step(table, link_table, table.name, cost="store")
    await k.spin_unlock(mm.pmd_lock)
    return 0


async def pte_offset_map(k: "Kernel", mm: Mm, addr: int) -> bool:
    """Find the page table at `addr` and map it; nobody may sleep until it is unmapped.

    Kernel: mm/pgtable-generic.c, __pte_offset_map().
    Returns: whether there still is one.
    """
    if await Work("pte_offset_map", cost="check", errno=EAGAIN):
        return False
    return bool(await Step(mm.table(addr), is_linked))


async def pte_unmap(k: "Kernel") -> None:
    """Give up the mapped page table: from here on one may sleep. Kernel: linux/pgtable.h."""


async def pte_offset_map_lock(k: "Kernel", mm: Mm, addr: int) -> bool:
    """Map the page table at `addr` and lock it.

    Kernel: mm/pgtable-generic.c, __pte_offset_map_lock().
    Returns: whether there still is one; else nothing is locked.
    """
    if not await k.pte_offset_map(mm, addr):
        return False
    await k.spin_lock(mm.ptl(addr))
    return True


async def pte_unmap_unlock(k: "Kernel", mm: Mm, addr: int) -> None:
    """Unlock and unmap the page table at `addr`. Kernel: include/linux/mm.h."""
    await k.spin_unlock(mm.ptl(addr))


async def ptep_get(k: "Kernel", mm: Mm, addr: int) -> Pte | None:
    """Read one entry. Kernel: include/linux/pgtable.h."""
    pte: Pte | None = await Step(mm.table(addr), pte_at, addr // PAGE_SIZE)
    return pte


async def ptep_clear_flush(k: "Kernel", vma: Vma, addr: int) -> None:
    """Clear one entry, so that no processor can reach the page any more.

    Kernel: mm/pgtable-generic.c. Left out: the flush as a step of its own.
    """
    where = k.stage.where(addr)
    table = vma.mm.table(addr)
    await Step(table, set_pte, addr // PAGE_SIZE, where, None, cost="clear_pte")


async def double_pt_lock(k: "Kernel", mm: Mm, one: int, other: int) -> None:
    """Lock the page tables of two addresses, the lower one first; one that is both, once.

    Kernel: mm/userfaultfd.c, double_pt_lock(). The kernel goes by the address of the lock itself.
    """
    await k.spin_lock(mm.ptl(min(one, other)))
    if mm.ptl(one) is not mm.ptl(other):
        await k.spin_lock(mm.ptl(max(one, other)))


async def double_pt_unlock(k: "Kernel", mm: Mm, one: int, other: int) -> None:
    """Unlock what double_pt_lock() locked. Kernel: mm/userfaultfd.c."""
    await k.spin_unlock(mm.ptl(one))
    if mm.ptl(one) is not mm.ptl(other):
        await k.spin_unlock(mm.ptl(other))


async def zap_range(k: "Kernel", vma: Vma, start: int, end: int) -> None:
    """Drop the pages of a range.

    Kernel: mm/memory.c, unmap_page_range().
    """
    while start < end:
        upto = pmd_addr_end(start, end)
        await k.zap_pte_range(vma, start, upto)
        start = upto


async def zap_pte_range(k: "Kernel", vma: Vma, start: int, end: int) -> None:
    """Drop the pages of a range inside one page table.

    Kernel: mm/memory.c, zap_pte_range().
    Left out: the pages' own counts (a page that nobody maps, caches or pins is free); markers that
    stay in files mapped write-protected; a table that is let go of on the way to reschedule.
    """
    mm = vma.mm
    table = mm.table(start)
    if not await Step(table, is_linked):
        return
    await k.spin_lock(mm.ptl(start))
    first, last = start // PAGE_SIZE, end // PAGE_SIZE - 1
    where = k.stage.where(start)
    units = last - first + 1
    await Step(table, take_range, first, last, where, cost="zap_pte", units=units)
    await k.spin_unlock(mm.ptl(start))
