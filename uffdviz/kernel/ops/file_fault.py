"""Faults of mappings with a page cache behind them: shmem, and files read from a disk.

Kernel: mm/memory.c, do_fault(); mm/shmem.c, shmem_get_folio_gfp().
Left out: faulting in neighbouring pages at once, page_mkwrite(), swapped shmem pages, truncation.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import ENOMEM
from uffdviz.kernel.memory import Pte, VmaRecord, look, pte_at
from uffdviz.kernel.objects import PAGE_SIZE, FolioRef, Vma
from uffdviz.kernel.ops.mfill_pte import rmap_file
from uffdviz.kernel.ops.vm_fault import DONE, NOPAGE, OOM, SIGBUS, Fault
from uffdviz.kernel.page_cache import filemap_add, filemap_get, inside
from uffdviz.kernel.steps import Step, Work
from uffdviz.kernel.vma_tree import whole_record

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def do_fault(k: "Kernel", vma: Vma, vmf: Fault) -> str:
    """Map a page of a file, or a private copy of it for a write.

    Kernel: mm/memory.c, do_read_fault(), do_shared_fault() and do_cow_fault().
    """
    rec: VmaRecord = await Step(vma.rec, whole_record)
    copies = vmf.write and not rec.shared
    if copies:
        fault = await k.prepare_anon_folio(vma, vmf)
        if fault != DONE:
            return fault
    folio = await k.fault_folio(vma, vmf, rec)
    if isinstance(folio, str):
        return folio
    if copies:
        await Work("copy_page")
        await k.folio_unlock(folio.lock)
    fault = await k.finish_fault(vma, vmf, "" if copies else folio.name)
    if not copies:
        await k.folio_unlock(folio.lock)
    return fault


async def fault_folio(k: "Kernel", vma: Vma, vmf: Fault, rec: VmaRecord) -> FolioRef | str:
    """Find the page in the page cache, or make it; ask user space where it is registered.

    A minor fault is decided before the page is locked, a missing one when there is no page.
    Kernel: mm/shmem.c, shmem_fault() with shmem_get_folio_gfp(); mm/filemap.c, filemap_fault().
    Returns: the page, locked, or how the fault ended.
    """
    cache = k.stage.file(rec.file).cache
    index = rec.pgoff + (vmf.addr - rec.start) // PAGE_SIZE
    if not await Step(cache, inside, index):
        return SIGBUS
    while True:
        name = await Step(cache, filemap_get, index, cost="page_cache")
        if name and "minor" in rec.modes:
            return await k.handle_userfault(vma, vmf, "minor")
        if name:
            folio = k.stage.folio(name)
            await k.folio_lock(folio.lock)
            if await Step(cache, filemap_get, index, cost="page_cache") == name:
                return folio
            await k.folio_unlock(folio.lock)
        elif "missing" in rec.modes:
            return await k.handle_userfault(vma, vmf, "missing")
        else:
            made = await k.add_to_page_cache(vma, vmf, rec.file, index)
            if made is not None:
                return made


async def add_to_page_cache(
    k: "Kernel", vma: Vma, vmf: Fault, file: str, index: int
) -> FolioRef | str | None:
    """Make a page, locked, and put it into the page cache.

    Kernel: mm/shmem.c, shmem_alloc_and_add_folio(); mm/filemap.c, filemap_add_folio().
    Returns: the page, OOM, or None: somebody else was faster.
    """
    if await Work("alloc_page", errno=ENOMEM):
        return OOM
    k.fresh += 1
    folio = k.stage.folio(f"{k.stage.where(vmf.addr)}@{k.current.name}.{k.fresh}")
    await k.folio_lock(folio.lock)
    await Step(folio.rec, rmap_file, folio.name, file, index, cost="rmap")
    if await Step(k.stage.file(file).cache, filemap_add, index, folio.name, cost="page_cache"):
        return folio
    await k.folio_unlock(folio.lock)
    return None


async def finish_fault(k: "Kernel", vma: Vma, vmf: Fault, name: str) -> str:
    """Set the entry if it is still none; without a `name` to a fresh private page.

    Kernel: mm/memory.c, finish_fault().
    """
    mm, addr = vma.mm, vmf.addr
    if await k.pte_alloc(mm, addr):
        return OOM
    if not await k.pte_offset_map_lock(mm, addr):
        return NOPAGE
    now = await Step(mm.table(addr), pte_at, addr // PAGE_SIZE)
    if now is None or now.kind == "wp_marker":
        wp = now is not None
        if name:
            prot, shared = await Step(vma.rec, look, "prot", "shared")
            pte = Pte(folio=name, write="w" in prot and shared and not wp, wp=wp)
        else:
            pte = await k.map_anon_folio(vma, addr, wp=wp)
        await k.set_pte_at(vma, addr, pte)
    await k.spin_unlock(mm.ptl(addr))
    return DONE
