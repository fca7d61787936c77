"""Doubling an address space, and giving one up. Kernel: kernel/fork.c, mm/mmap.c.

Step numbers: reference, section 7, fork.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.memory import VmaRecord
from uffdviz.kernel.objects import Mm, Vma
from uffdviz.kernel.steps import Step, Work
from uffdviz.kernel.vma_tree import ForkCtx, tree_all, tree_store, whole_record
from uffdviz.light import msgspec

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel

Fcs = tuple[ForkCtx, ...]


async def sys_fork(k: "Kernel", child_name: str) -> int:
    """Double the current address space into a new one called `child_name`.

    Kernel: kernel/fork.c, copy_process() as far as memory goes.
    Left out: the child as a task; a scenario's task may live in the new address space.
    Returns: 0, or a negative errno.
    """
    oldmm = k.current.mm
    mm = k.stage.mm(child_name)
    err = await k.dup_mmap(mm, oldmm)
    if err:
        await k.exit_mmap(mm)
    return err


async def dup_mmap(k: "Kernel", mm: Mm, oldmm: Mm) -> int:
    """Copy mapping by mapping, with both address spaces locked for writing.

    Kernel: kernel/fork.c, dup_mmap() (mm/mmap.c from v6.17).
    Returns: 0, or a negative errno with a half-built child.
    """
    if err := await k.mmap_write_lock_killable(oldmm):  # 1
        return err
    await k.mmap_write_lock(mm)  # 1
    names = await Step(oldmm.tree, tree_all, cost="tree_dup")  # 2
    fcs: Fcs = ()
    err = 0
    for name in names:
        err, fcs = await k.dup_vma(mm, k.stage.vma(name), fcs)  # 3
        if err:
            break
    await k.mmap_write_unlock(mm)  # 4
    await Work("flush_tlb_mm")  # 4
    await k.mmap_write_unlock(oldmm)  # 4
    await k.dup_userfaultfd_finish(fcs, err)  # 5
    return err


async def dup_vma(k: "Kernel", mm: Mm, mpnt: Vma, fcs: Fcs) -> tuple[int, Fcs]:
    """Copy one mapping into the child, write-locked in the parent.

    Kernel: kernel/fork.c, the loop of dup_mmap(). Left out: i_mmap_rwsem.
    """
    await k.vma_start_write(mpnt)  # 3
    rec: VmaRecord = await Step(mpnt.rec, whole_record)  # 3
    if rec.dontfork:
        return 0, fcs
    child = msgspec.structs.replace(rec, mm=mm.name)
    tmp = await k.vm_area_dup(mm, f"{mm.name}/{mpnt.name}", child)  # 3
    if isinstance(tmp, int):
        return tmp, fcs
    err, fcs = await k.dup_userfaultfd(mm, tmp, fcs)  # 3
    if not err and rec.anon_vma:
        err = await k.anon_vma_fork(tmp, mpnt)  # 3
    if err:
        await k.vm_area_free(mm, tmp)
        return err, fcs
    await k.vma_start_write(tmp)  # 3
    await k.vma_iter_store_new(mm, tmp, rec.start, rec.end)  # 3
    return await k.copy_page_range(tmp, mpnt), fcs  # 3


async def dup_userfaultfd_always(k: "Kernel", fcs: Fcs, err: int) -> None:
    """Send the FORK events, even of a fork that failed.

    Kernel: dup_mmap() until v6.11.
    """
    await k.dup_userfaultfd_complete(fcs)  # 5


async def dup_userfaultfd_or_fail(k: "Kernel", fcs: Fcs, err: int) -> None:
    """Send the FORK events of a fork that worked.

    Kernel: dup_mmap() from v6.12.
    """
    if err:
        await k.dup_userfaultfd_fail(fcs)  # 5
    else:
        await k.dup_userfaultfd_complete(fcs)  # 5


async def sys_exit(k: "Kernel") -> int:
    """End a thread; the last one takes the address space with it.

    Kernel: kernel/exit.c, exit_mm().
    """
    mm = k.current.mm
    gone = await k.atomic_add(mm.exited, 1)
    if gone == k.stage.threads(mm) and not await k.atomic_add(mm.users, -1):
        await k.exit_mmap(mm)
    return 0


async def exit_mmap(k: "Kernel", mm: Mm) -> None:
    """Drop all pages as a reader, then all mappings as the last writer. No events.

    Kernel: mm/mmap.c, exit_mmap().
    """
    await k.mmap_read_lock(mm)
    names = await Step(mm.tree, tree_all, cost="tree_walk")
    for name in names:
        rec: VmaRecord = await Step(k.stage.vma(name).rec, whole_record)
        await k.zap_range(k.stage.vma(name), rec.start, rec.end)
    await k.mmap_read_unlock(mm)
    await k.mmap_write_lock(mm)
    for name in names:
        await k.unlink_anon_vmas(k.stage.vma(name))
    for name in names:
        await k.exit_vma(mm, k.stage.vma(name))
    await Step(mm.tree, tree_store, 0, 1 << 47, "", cost="tree_store")
    await k.mmap_write_unlock(mm)


async def exit_vma(k: "Kernel", mm: Mm, vma: Vma) -> None:
    """Free a mapping whose address space is going.

    Kernel: mm/vma.c, remove_vma().
    """
    await k.vma_mark_detached(vma)
    await k.vm_area_free(mm, vma)
