"""Changing the protection of mappings. Kernel: mm/mprotect.c."""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EINVAL, ENOMEM
from uffdviz.kernel.memory import VmaRecord, put, tree_walk
from uffdviz.kernel.objects import PAGE_SIZE, Mm, Vma
from uffdviz.kernel.steps import Step
from uffdviz.kernel.vma_tree import part, whole_record
from uffdviz.light import msgspec

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def sys_mprotect(k: "Kernel", mm: Mm, start: int, length: int, prot: str) -> int:
    """Change the protection of a range.

    Kernel: mm/mprotect.c.
    """
    return await k.do_mprotect_pkey(mm, start, length, prot)


async def do_mprotect_pkey(k: "Kernel", mm: Mm, start: int, length: int, prot: str) -> int:
    """Change the protection mapping by mapping; a hole ends it, what was done stays.

    Kernel: mm/mprotect.c, do_mprotect_pkey(). No userfaultfd event, no counter.
    Returns: 0, or a negative errno.
    """
    if start % PAGE_SIZE or length < 0:
        return EINVAL
    end = start + (length + PAGE_SIZE - 1) // PAGE_SIZE * PAGE_SIZE
    if err := await k.mmap_write_lock_killable(mm):  # 1
        return err
    err = 0
    at = start
    while at < end and not err:
        name = await Step(mm.tree, tree_walk, at, cost="tree_walk")
        if not name:
            err = ENOMEM
        else:
            err, at = await k.mprotect_fixup(mm, k.stage.vma(name), at, end, prot)
    await k.mmap_write_unlock(mm)  # 4
    return err


async def mprotect_fixup(
    k: "Kernel", mm: Mm, vma: Vma, start: int, end: int, prot: str
) -> tuple[int, int]:
    """Change the protection of one mapping's part of the range.

    Kernel: mm/mprotect.c, mprotect_fixup().
    Returns: 0 or a negative errno, and where the next mapping begins.
    """
    old: VmaRecord = await Step(vma.rec, whole_record)
    upto = min(end, old.end)
    if old.prot == prot:
        return 0, upto
    rec = msgspec.structs.replace(part(old, start, upto), prot=prot)
    mine, err = await k.vma_modify(mm, vma, old, rec)  # 2
    if mine is None:
        return err, upto
    await k.vma_start_write(mine)  # 3
    await Step(mine.rec, put, mine.name, "prot", prot, cost="mprotect_vma")  # 3
    await k.change_protection(mine, start, upto, prot)  # 3
    return 0, upto
