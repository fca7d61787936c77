"""A fault at one page-table entry: anonymous pages, write protection.

Kernel: mm/memory.c. The caller holds the mapping's lock or mmap_lock for reading. The order of the
steps is that of the reference, section 5.2; they have no numbers there.
Left out: huge pages, NUMA hints, the swap device itself, TLB flushes, memory control groups.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import ENOMEM
from uffdviz.kernel.memory import Pte, VmaRecord, look, pte_at, set_pte
from uffdviz.kernel.objects import PAGE_SIZE, FolioRef, Vma
from uffdviz.kernel.ops.mfill_pte import rmap_anon
from uffdviz.kernel.ops.vm_fault import DONE, OOM, RETRY, SIGBUS, Fault
from uffdviz.kernel.steps import Step, Work
from uffdviz.kernel.vma_tree import linear_pgoff, whole_record

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def handle_mm_fault(k: "Kernel", vma: Vma, vmf: Fault) -> str:
    """Bring in a page, or find that its entry is fine by now.

    Kernel: mm/memory.c, handle_mm_fault() down to handle_pte_fault().
    Returns: how it ended. After RETRY the lock of the fault is dropped (unless the fault said
    `nowait`), else it is still held.
    """
    mm, page = vma.mm, vmf.addr // PAGE_SIZE
    pte = await Step(mm.table(vmf.addr), pte_at, page)
    if pte is None or pte.kind == "wp_marker":
        return await k.do_pte_missing(vma, vmf)
    if pte.kind not in {"page", "zero"}:
        return await k.do_swap_page(vma, vmf, pte)
    await k.spin_lock(mm.ptl(vmf.addr))
    unchanged = await Step(mm.table(vmf.addr), pte_at, page) == pte
    if unchanged and vmf.write and (pte.wp or not pte.write):
        return await k.do_wp_page(vma, vmf, pte)
    await k.spin_unlock(mm.ptl(vmf.addr))
    return DONE


async def do_pte_missing(k: "Kernel", vma: Vma, vmf: Fault) -> str:
    """Bring in a page where the entry is none. Kernel: mm/memory.c."""
    backing, shared = await Step(vma.rec, look, "backing", "shared")
    if backing == "anon" and not shared:
        return await k.do_anonymous_page(vma, vmf)
    return await k.do_fault(vma, vmf)


async def do_anonymous_page(k: "Kernel", vma: Vma, vmf: Fault) -> str:
    """Map a fresh page for a write, or the shared zero page for a read.

    Whether user space is to be asked is decided under the page-table lock, after a look that the
    entry is still none.
    Kernel: mm/memory.c, do_anonymous_page().
    """
    mm, addr = vma.mm, vmf.addr
    if await k.pte_alloc(mm, addr):
        return OOM
    if vmf.write:
        fault = await k.prepare_anon_folio(vma, vmf)
        if fault != DONE:
            return fault
    if not await k.pte_offset_map_lock(mm, addr):
        return DONE
    now = await Step(mm.table(addr), pte_at, addr // PAGE_SIZE)
    if now is None and "missing" in await Step(vma.rec, look, "modes"):
        await k.spin_unlock(mm.ptl(addr))
        return await k.handle_userfault(vma, vmf, "missing")
    if now is None or now.kind == "wp_marker":
        pte = Pte(kind="zero", write=False, wp=now is not None)
        if vmf.write:
            pte = await k.map_anon_folio(vma, addr, wp=now is not None)
        await k.set_pte_at(vma, addr, pte)
    await k.spin_unlock(mm.ptl(addr))
    return DONE


async def prepare_anon_folio(k: "Kernel", vma: Vma, vmf: Fault) -> str:
    """Get what a new anonymous page needs before any lock of the page table: anon_vma and folio.

    Kernel: mm/memory.c, vmf_anon_prepare() and alloc_anon_folio().
    Returns: DONE, RETRY with the lock dropped, or OOM.
    """
    fault = await k.vmf_anon_prepare(vma, vmf)
    if fault != DONE:
        return fault
    return OOM if await Work("alloc_page", errno=ENOMEM) else DONE


async def vmf_anon_prepare(k: "Kernel", vma: Vma, vmf: Fault) -> str:
    """See to it that the mapping has an anon_vma; for a new one mmap_lock is needed.

    Kernel: mm/memory.c, vmf_anon_prepare() of v6.7 to v6.9; before v6.4 plain anon_vma_prepare().
    Returns: DONE, RETRY with the mapping's lock dropped, or OOM.
    """
    if await Step(vma.rec, look, "anon_vma"):
        return DONE
    if vmf.vma_lock:
        await k.vma_end_read(vma)
        return RETRY
    return OOM if await k.anon_vma_prepare(vma) else DONE


async def vmf_anon_prepare_v6_10(k: "Kernel", vma: Vma, vmf: Fault) -> str:
    """See to it that the mapping has an anon_vma; mmap_lock is only tried for.

    Nobody may sleep for mmap_lock with a mapping locked: its writer may wait for this very mapping.
    Kernel: mm/memory.c, vmf_anon_prepare() since v6.10.
    Returns: DONE, RETRY with the mapping's lock dropped, or OOM.
    """
    if await Step(vma.rec, look, "anon_vma"):
        return DONE
    if vmf.vma_lock and not await k.mmap_read_trylock(vma.mm):
        await k.vma_end_read(vma)
        return RETRY
    err = await k.anon_vma_prepare(vma)
    if vmf.vma_lock:
        await k.mmap_read_unlock(vma.mm)
    return OOM if err else DONE


async def map_anon_folio(k: "Kernel", vma: Vma, addr: int, *, wp: bool = False) -> Pte:
    """Tell rmap of a new anonymous page. The caller holds the page-table lock and sets the entry.

    Kernel: mm/rmap.c, folio_rmap_anon().
    Returns: the entry to set.
    """
    rec: VmaRecord = await Step(vma.rec, whole_record)
    k.fresh += 1
    folio = k.stage.folio(f"{k.stage.where(addr)}@{k.current.name}.{k.fresh}")
    index = linear_pgoff(rec) + (addr - rec.start) // PAGE_SIZE
    await Step(folio.rec, rmap_anon, folio.name, rec.anon_vma, index, cost="rmap")
    return Pte(folio=folio.name, write="w" in rec.prot and not wp, wp=wp)


async def set_pte_at(k: "Kernel", vma: Vma, addr: int, pte: Pte) -> None:
    """Set an entry. The caller holds the page-table lock. Kernel: include/linux/pgtable.h."""
    mm = vma.mm
    where = k.stage.where(addr)
    await Step(mm.table(addr), set_pte, addr // PAGE_SIZE, where, pte, cost="set_pte")


async def do_wp_page(k: "Kernel", vma: Vma, vmf: Fault, pte: Pte) -> str:
    """Make a read-only page writable: ask user space, use it again, or copy it.

    Kernel: mm/memory.c, do_wp_page(). The caller holds the page-table lock; it is dropped here.
    """
    mm, addr = vma.mm, vmf.addr
    modes, shared = await Step(vma.rec, look, "modes", "shared")
    if pte.wp and "wp" in modes:
        await k.spin_unlock(mm.ptl(addr))
        return await k.handle_userfault(vma, vmf, "wp")
    if shared or (pte.kind == "page" and await k.wp_can_reuse_anon_folio(k.stage.folio(pte.folio))):
        again = Pte(folio=pte.folio, kind=pte.kind)
        await k.set_pte_at(vma, addr, again)
        await k.spin_unlock(mm.ptl(addr))
        return DONE
    await k.spin_unlock(mm.ptl(addr))
    return await k.wp_page_copy(vma, vmf, pte)


async def wp_can_reuse_anon_folio(k: "Kernel", folio: FolioRef) -> bool:
    """Whether an anonymous page belongs to this mapping alone.

    Kernel: mm/memory.c, wp_can_reuse_anon_folio(). Left out: LRU batches that hold references.
    """
    anon_vma, exclusive = await Step(folio.rec, look, "anon_vma", "exclusive")
    return bool(anon_vma) and bool(exclusive)


async def wp_page_copy(k: "Kernel", vma: Vma, vmf: Fault, old: Pte) -> str:
    """Give the mapping a copy of its own, unless the entry changed in the meantime.

    Kernel: mm/memory.c, wp_page_copy().
    """
    mm, addr = vma.mm, vmf.addr
    fault = await k.prepare_anon_folio(vma, vmf)
    if fault != DONE:
        return fault
    await Work("copy_page")
    if not await k.pte_offset_map_lock(mm, addr):
        return DONE
    if await Step(mm.table(addr), pte_at, addr // PAGE_SIZE) == old:
        pte = await k.map_anon_folio(vma, addr)
        await k.set_pte_at(vma, addr, pte)
    await k.spin_unlock(mm.ptl(addr))
    return DONE


async def do_swap_page(k: "Kernel", vma: Vma, vmf: Fault, old: Pte) -> str:
    """Bring a page back, or find that the entry is a marker.

    Kernel: mm/memory.c, do_swap_page(). Left out: the swap cache's own locks, read-ahead; the wait
    for a migration is the wait for the folio lock.
    """
    if old.kind == "poison":
        return SIGBUS
    folio = k.stage.folio(old.folio)
    await k.folio_lock(folio.lock)
    if old.kind == "swap":
        await k.map_swapped_folio(vma, vmf.addr, old)
    await k.folio_unlock(folio.lock)
    return DONE
