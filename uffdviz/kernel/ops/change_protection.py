"""Changing what page-table entries allow: for mprotect() and for userfaultfd.

Kernel: mm/mprotect.c, mm/userfaultfd.c.
Left out: gathering the TLB flushes, NUMA hints, huge pages.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.memory import look
from uffdviz.kernel.objects import PAGE_SIZE, Vma
from uffdviz.kernel.ops.page_table import pmd_addr_end
from uffdviz.kernel.page_tables import (
    Entries,
    Protect,
    allow_write,
    is_linked,
    protect_range,
)
from uffdviz.kernel.steps import Step

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def change_protection(k: "Kernel", vma: Vma, start: int, end: int, prot: str) -> int:
    """Give the pages of a range the protection of their mapping.

    What a process has to itself becomes writable at once; for the rest a fault decides.
    Kernel: mm/mprotect.c, change_protection().
    Returns: 0.
    """
    write = "w" in prot
    return await k.change_range(vma, start, end, Protect(write=write), write)


async def uffd_wp_range(k: "Kernel", vma: Vma, start: int, length: int, enable_wp: bool) -> int:
    """Protect a range from writes, or lift that; pages of one owner become writable again.

    Kernel: mm/userfaultfd.c, uffd_wp_range().
    Returns: 0, or -ENOMEM: what was changed stays so.
    """
    how = Protect(wp=enable_wp, markers=await Step(vma.rec, look, "backing") != "anon")
    return await k.change_range(vma, start, start + length, how, not enable_wp)


async def uffd_wp_range_v6_1(
    k: "Kernel", vma: Vma, start: int, length: int, enable_wp: bool
) -> int:
    """Protect a range from writes, or lift that; each page's next write decides by a fault.

    Kernel: mm/userfaultfd.c, uffd_wp_range() (in mwriteprotect_range()) before v6.2.
    """
    how = Protect(wp=enable_wp, markers=await Step(vma.rec, look, "backing") != "anon")
    return await k.change_range(vma, start, start + length, how, False)


async def change_range(
    k: "Kernel", vma: Vma, start: int, end: int, how: Protect, try_writable: bool
) -> int:
    """Change the protection page table by page table.

    Kernel: mm/mprotect.c, change_protection_range() down to change_pmd_range().
    Returns: 0, or -ENOMEM: markers need a page table, and there was no memory for one.
    """
    while start < end:
        upto = pmd_addr_end(start, end)
        if how.wp and how.markers and (err := await k.pte_alloc(vma.mm, start)):
            return int(err)
        await k.change_pte_range(vma, start, upto, how, try_writable)
        start = upto
    return 0


async def change_pte_range(
    k: "Kernel", vma: Vma, start: int, end: int, how: Protect, try_writable: bool
) -> None:
    """Change the protection of a range inside one page table.

    Kernel: mm/mprotect.c, change_pte_range().
    """
    mm = vma.mm
    table = mm.table(start)
    if not await Step(table, is_linked):
        return
    await k.spin_lock(mm.ptl(start))
    first, last = start // PAGE_SIZE, end // PAGE_SIZE - 1
    where = k.stage.where(start)
    units = last - first + 1
    now = await Step(
        table, protect_range, (first, last), how, where, cost="change_pte", units=units
    )
    if try_writable:
        pages = await k.can_change_ptes_writable(vma, now)
        if pages:
            await Step(table, allow_write, pages, where, cost="change_pte", units=len(pages))
    await k.spin_unlock(mm.ptl(start))


async def can_change_ptes_writable(k: "Kernel", vma: Vma, entries: Entries) -> tuple[int, ...]:
    """Find the entries that a write fault would only make writable.

    Kernel: mm/mprotect.c, can_change_pte_writable(). Left out: dirty tracking of file systems.
    Returns: their page numbers.
    """
    prot, shared, modes = await Step(vma.rec, look, "prot", "shared", "modes")
    pages: tuple[int, ...] = ()
    if "w" not in prot:
        return pages
    for page, pte in entries:
        if pte.kind != "page" or pte.write or (pte.wp and "wp" in modes):
            continue
        folio = k.stage.folio(pte.folio)
        if shared or all(await Step(folio.rec, look, "anon_vma", "exclusive")):
            pages = (*pages, page)
    return pages
