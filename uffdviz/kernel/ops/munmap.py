"""Taking mappings away. Kernel: mm/mmap.c, mm/vma.c. Step numbers: reference, section 7, munmap."""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EINVAL, ENOMEM
from uffdviz.kernel.memory import VmaRecord, tree_overlap
from uffdviz.kernel.objects import PAGE_SIZE, Mm, Vma
from uffdviz.kernel.steps import Step, Work
from uffdviz.kernel.vma_tree import TASK_SIZE, UnmapCtx, tree_store, whole_record

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel

Uf = tuple[UnmapCtx, ...]


async def sys_munmap(k: "Kernel", mm: Mm, start: int, length: int) -> int:
    """Unmap a range; the zap runs beside other readers of the address space.

    Kernel: mm/mmap.c, __vm_munmap().
    Returns: 0, or a negative errno. UNMAP events that were announced are sent in any case.
    """
    if err := await k.mmap_write_lock_killable(mm):  # 1
        return err
    err, uf = await k.do_vmi_munmap(mm, start, length, (), True)
    if err:
        await k.mmap_write_unlock(mm)
    await k.userfaultfd_unmap_complete(uf)  # 8
    return err


async def do_vmi_munmap(
    k: "Kernel",
    mm: Mm,
    start: int,
    length: int,
    uf: Uf,
    unlock: bool,
) -> tuple[int, Uf]:
    """Unmap a range with mmap_lock held for writing.

    Kernel: mm/vma.c, do_vmi_munmap() (do_mas_munmap() in v6.1).
    Returns: 0 or a negative errno, and the announced ranges. `unlock`: success drops mmap_lock.
    """
    end = start + length
    if start % PAGE_SIZE or length <= 0 or length % PAGE_SIZE or end > TASK_SIZE:
        return EINVAL, uf
    names = await Step(mm.tree, tree_overlap, start, end, cost="tree_walk")
    if names:
        return await k.do_vmi_align_munmap(mm, names, start, end, uf, unlock)
    if unlock:
        await k.mmap_write_unlock(mm)
    return 0, uf


async def do_vmi_align_munmap(
    k: "Kernel",
    mm: Mm,
    names: tuple[str, ...],
    start: int,
    end: int,
    uf: Uf,
    unlock: bool,
) -> tuple[int, Uf]:
    """Unmap the mappings `names`, cut at the borders of the range.

    Kernel: mm/vma.c, do_vmi_align_munmap() with vms_complete_munmap_vmas().
    """
    err, uf, vmas = await k.vms_gather_munmap_vmas(mm, names, start, end, uf)
    if err:
        return err, uf
    await Step(mm.tree, tree_store, start, end, "", cost="tree_store")  # 4
    if unlock:
        await k.mmap_write_downgrade(mm)  # 5
    await k.unmap_region(mm, vmas)  # 6
    for vma in vmas:
        await k.vm_area_free(mm, vma)  # 6
    if unlock:
        await k.mmap_read_unlock(mm)  # 7
    return 0, uf


async def vms_gather_munmap_vmas(
    k: "Kernel", mm: Mm, names: tuple[str, ...], start: int, end: int, uf: Uf
) -> tuple[int, Uf, tuple[Vma, ...]]:
    """Lock, detach and announce every mapping of the range; or put back what was detached.

    Kernel: mm/vma.c, vms_gather_munmap_vmas() (part of do_vmi_align_munmap() before v6.12).
    """
    vma = k.stage.vma(names[0])
    rec: VmaRecord = await Step(vma.rec, whole_record)
    if rec.start < start:
        upper = await k.split_vma(mm, vma, start)  # 2
        if isinstance(upper, int):
            return upper, uf, ()
        names = (upper.name, *names[1:])
    listed: tuple[Vma, ...] = ()
    for name in names:
        vma = k.stage.vma(name)
        err = await k.split_end(mm, vma, end)
        if not err:
            await k.vma_start_write(vma)  # 3
            err = await Work("munmap_sidetree", errno=ENOMEM)  # 3
        if not err:
            await k.vma_mark_detached(vma)  # 3
            listed = (*listed, vma)
            err, uf = await k.userfaultfd_unmap_prep(vma, start, end, uf)  # 3
        if err:
            await k.reattach_vmas(listed)  # 3
            return err, uf, ()
    return 0, uf, listed


async def split_end(k: "Kernel", mm: Mm, vma: Vma, end: int) -> int:
    """Cut the last mapping if the range ends inside it.

    Kernel: mm/vma.c, in vms_gather_munmap_vmas(). Returns: 0, or -ENOMEM.
    """
    rec: VmaRecord = await Step(vma.rec, whole_record)
    if rec.end <= end:
        return 0
    upper = await k.split_vma(mm, vma, end)  # 2
    return upper if isinstance(upper, int) else 0


async def reattach_vmas(k: "Kernel", vmas: tuple[Vma, ...]) -> None:
    """Undo the detaching; splits stay.

    Kernel: mm/vma.c, reattach_vmas().
    """
    for vma in vmas:
        await k.vma_mark_attached(vma)


async def unmap_region(k: "Kernel", mm: Mm, vmas: tuple[Vma, ...]) -> None:
    """Drop the pages, then the page tables' owners.

    Kernel: mm/vma.c, unmap_region(): unmap_vmas(), then free_pgtables().
    Left out: freeing page tables; one that is empty is as good as none to everybody.
    """
    for vma in vmas:
        rec: VmaRecord = await Step(vma.rec, whole_record)
        await k.zap_range(vma, rec.start, rec.end)
    for vma in vmas:
        await k.unlink_anon_vmas(vma)
