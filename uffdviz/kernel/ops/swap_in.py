"""A swapped page comes back, from the swap cache or from the device.

Kernel: mm/memory.c, do_swap_page(). The word `swap cache` of a page is 1 while it is in memory for
the swap entry that names it.
Left out: the lock of the swap cache, read-ahead, the slots of the device.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.memory import Pte, VmaRecord
from uffdviz.kernel.objects import PAGE_SIZE, Vma
from uffdviz.kernel.ops.move_pte import move_anon_rmap
from uffdviz.kernel.steps import Step, Work
from uffdviz.kernel.vma_tree import linear_pgoff, whole_record

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def map_swapped_folio(k: "Kernel", vma: Vma, addr: int, old: Pte) -> None:
    """Map the page that the swap cache has; read it first if it has none. The page is locked.

    A page that never left memory keeps the place where rmap looks for it.
    Kernel: mm/memory.c, in do_swap_page(). Left out: a page that was read for nothing stays cached.
    """
    mm, folio = vma.mm, k.stage.folio(old.folio)
    cached = await k.read_once(folio.swap_cache)
    if not cached:
        await Work("swap_in")
        await k.write_once(folio.swap_cache, 1)
    mapped = await k.pte_offset_map_lock(mm, addr)
    same = mapped and await k.ptep_get(mm, addr) == old
    if same and not cached:
        rec: VmaRecord = await Step(vma.rec, whole_record)
        index = linear_pgoff(rec) + (addr - rec.start) // PAGE_SIZE
        await Step(folio.rec, move_anon_rmap, folio.name, rec.anon_vma, index, cost="rmap")
    if same:
        await k.set_pte_at(vma, addr, Pte(folio=old.folio, write=old.write, wp=old.wp))
    if mapped:
        await k.spin_unlock(mm.ptl(addr))
    if same or not cached:
        await k.write_once(folio.swap_cache, 0)
