"""Revision 3: mmap_lock only to take the per-VMA lock; an anon_vma only for anonymous mappings."""

from typing import ClassVar

from uffdviz.kernel.eras.series_v4 import SeriesV4
from uffdviz.kernel.errno import ENOENT, ENOMEM
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import look, tree_walk
from uffdviz.kernel.objects import Mm, Vma
from uffdviz.kernel.steps import Step


async def find_vma_and_prepare_anon(k: "Kernel", mm: Mm, addr: int) -> Vma | int:
    """Look a mapping up under mmap_lock, and give it an anon_vma if it is anonymous.

    Flaw: a private mapping of a file gets anonymous pages too, and has none.
    Kernel: mm/memory.c, in lock_vma() of revision 3.
    Returns: the mapping, or a negative errno.
    """
    name = await Step(mm.tree, tree_walk, addr, cost="tree_walk")  # V5
    if not name:
        return ENOENT
    vma = k.stage.vma(name)
    if await Step(vma.rec, look, "backing") == "anon" and await k.anon_vma_prepare(vma):  # V6
        return ENOMEM
    return vma


async def lock_vma(k: "Kernel", mm: Mm, addr: int) -> Vma | int:
    """Read-lock the mapping at `addr`; the fast path asks an anonymous one for its anon_vma only.

    Kernel: mm/memory.c, lock_vma() of revision 3.
    Returns: the mapping, or a negative errno.
    """
    locked = await k.lock_vma_under_rcu(mm, addr)  # V1
    if locked is not None:
        return locked
    await k.mmap_read_lock(mm)  # V4
    vma = await k.find_vma_and_prepare_anon(mm, addr)  # V5
    if isinstance(vma, Vma):
        await k.down_read(vma.lock)  # V7
    await k.mmap_read_unlock(mm)  # V9
    return vma


class SeriesV3(SeriesV4):
    """Flaws: those of revision 4, and anonymous pages in a mapping without an anon_vma."""

    era: ClassVar[str] = "series-v3"

    lock_vma = lock_vma
    find_vma_and_prepare_anon = find_vma_and_prepare_anon
