"""Changing the protection of mappings. Kernel: mm/mprotect.c."""

from typing import TYPE_CHECKING

from uffdviz.kernel.memory import put, tree_overlap
from uffdviz.kernel.objects import Mm
from uffdviz.kernel.steps import Step

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def do_mprotect(k: "Kernel", mm: Mm, start: int, length: int, prot: str) -> int:
    """Change the protection of a range."""
    if err := await k.mmap_write_lock_killable(mm):  # 1
        return err
    for name in await Step(mm.tree, tree_overlap, start, start + length, cost="tree_walk"):  # 2
        vma = k.stage.vma(name)
        await k.vma_start_write(vma)  # 3
        await Step(vma.rec, put, name, "prot", prot, cost="mprotect_vma")  # 3
    await k.mmap_write_unlock(mm)  # 4
    return 0
