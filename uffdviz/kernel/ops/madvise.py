"""Advice about memory. Kernel: mm/madvise.c. Step numbers: reference, section 7, madvise."""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EINVAL, ENOMEM
from uffdviz.kernel.memory import VmaRecord, look, put, tree_walk
from uffdviz.kernel.objects import PAGE_SIZE, Mm, Vma
from uffdviz.kernel.page_cache import filemap_get, filemap_remove
from uffdviz.kernel.steps import Step
from uffdviz.kernel.vma_tree import part, tree_all, tree_at_or_above, whole_record
from uffdviz.light import msgspec

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def sys_madvise(k: "Kernel", mm: Mm, start: int, length: int, advice: str) -> int:
    """Drop pages (dontneed, free, remove), or keep a mapping from children (dontfork, dofork).

    Kernel: mm/madvise.c, do_madvise().
    Returns: 0, or a negative errno. After a hole the rest is done, and the result is -ENOMEM.
    """
    known = ("dontneed", "free", "remove", "dontfork", "dofork")
    if start % PAGE_SIZE or length < 0 or advice not in known:
        return EINVAL
    end = start + (length + PAGE_SIZE - 1) // PAGE_SIZE * PAGE_SIZE
    if start == end:
        return 0
    if advice in {"dontfork", "dofork"}:
        return await k.madvise_flags(mm, start, end, advice == "dontfork")
    return await k.madvise_pages(mm, start, end, advice)


async def madvise_flags(
    k: "Kernel",
    mm: Mm,
    start: int,
    end: int,
    dontfork: bool,
) -> int:
    """Change a flag of each mapping, under mmap_lock for writing.

    Kernel: mm/madvise.c, madvise_walk_vmas() with madvise_vma_behavior().
    """
    if err := await k.mmap_write_lock_killable(mm):  # 1
        return err
    at, result = start, 0
    while at < end:
        name, low = await Step(mm.tree, tree_at_or_above, at, end, cost="tree_walk")
        if not name:
            result = result or ENOMEM
            break
        result = ENOMEM if low > at else result
        err, at = await k.madvise_update_vma(mm, k.stage.vma(name), max(at, low), end, dontfork)
        if err:
            result = err
            break
    await k.mmap_write_unlock(mm)  # 8
    return result


async def madvise_update_vma(
    k: "Kernel",
    mm: Mm,
    vma: Vma,
    start: int,
    end: int,
    dontfork: bool,
) -> tuple[int, int]:
    """Set VM_DONTCOPY on one mapping's part of the range.

    Kernel: mm/madvise.c.
    """
    old: VmaRecord = await Step(vma.rec, whole_record)
    upto = min(end, old.end)
    if old.dontfork == dontfork:
        return 0, upto
    rec = msgspec.structs.replace(part(old, start, upto), dontfork=dontfork)
    mine, err = await k.vma_modify(mm, vma, old, rec)
    if mine is None:
        return err, upto
    await k.vma_start_write(mine)
    await Step(mine.rec, put, mine.name, "dontfork", dontfork, cost="store")
    return 0, upto


async def madvise_pages(k: "Kernel", mm: Mm, start: int, end: int, advice: str) -> int:
    """Drop pages with mmap_lock held for reading.

    Kernel: mm/madvise.c, madvise_walk_vmas().
    """
    await k.mmap_read_lock(mm)  # 1
    result = await k.madvise_walk_vmas(mm, start, end, advice)
    await k.mmap_read_unlock(mm)  # 8
    return result


async def madvise_pages_vma_lock(k: "Kernel", mm: Mm, start: int, end: int, advice: str) -> int:
    """Drop pages under a VMA lock if one mapping holds the range and no userfaultfd is there.

    Kernel: mm/madvise.c, madvise_walk_vmas() with try_vma_read_lock() (v6.17).
    """
    if advice != "remove":
        vma = await k.try_vma_read_lock(mm, start, end)  # 1
        if vma is not None:
            rec: VmaRecord = await Step(vma.rec, whole_record)  # 2
            err = EINVAL
            if advice_fits(rec, advice):
                err = 0
                await k.madvise_drop(vma, start, end, advice)  # 7
            await k.vma_end_read(vma)  # 8
            return err
    await k.mmap_read_lock(mm)  # 1
    result = await k.madvise_walk_vmas(mm, start, end, advice)
    await k.mmap_read_unlock(mm)  # 8
    return result


async def try_vma_read_lock(k: "Kernel", mm: Mm, start: int, end: int) -> Vma | None:
    """Lock the one mapping of the range, unless a userfaultfd wants to hear of it.

    Kernel: mm/madvise.c, try_vma_read_lock().
    """
    vma = await k.lock_vma_under_rcu(mm, start)
    if vma is None:
        return None
    high, ctx = await Step(vma.rec, look, "end", "ctx")
    if end <= high and not ctx:
        return vma
    await k.vma_end_read(vma)
    return None


async def madvise_walk_vmas(k: "Kernel", mm: Mm, start: int, end: int, advice: str) -> int:
    """Go over the mappings of the range, over holes too.

    Kernel: mm/madvise.c, madvise_walk_vmas().
    Returns: 0; -ENOMEM after a hole; or the error that ended the walk. mmap_lock is held again.
    """
    at, result = start, 0
    while at < end:
        name, low = await Step(mm.tree, tree_at_or_above, at, end, cost="tree_walk")
        if not name:
            return ENOMEM
        result = ENOMEM if low > at else result
        at = max(at, low)
        if advice == "remove":
            err, at = await k.madvise_remove(mm, k.stage.vma(name), at, end)
        else:
            err, at = await k.madvise_dontneed_free(mm, k.stage.vma(name), at, end, advice)
        if err:
            return err
    return result


async def madvise_dontneed_free(
    k: "Kernel", mm: Mm, vma: Vma, start: int, end: int, advice: str
) -> tuple[int, int]:
    """Drop the pages of one mapping, after the monitor of its userfaultfd has been told.

    The mapping may have changed while the event was on its way, so it is looked up again.
    Kernel: mm/madvise.c, madvise_dontneed_free().
    Returns: 0 or a negative errno, and how far this went.
    """
    rec: VmaRecord = await Step(vma.rec, whole_record)  # 2
    end = min(end, rec.end)
    if not advice_fits(rec, advice):
        return EINVAL, end
    if not await k.userfaultfd_remove(mm, vma, start, end):
        await k.mmap_read_lock(mm)  # 6
        name = await Step(mm.tree, tree_walk, start, cost="tree_walk")  # 6
        if not name:
            return ENOMEM, end
        vma = k.stage.vma(name)
        rec = await Step(vma.rec, whole_record)  # 6
        if not advice_fits(rec, advice):
            return EINVAL, end
        end = min(end, rec.end)
    await k.madvise_drop(vma, start, end, advice)  # 7
    return 0, end


def advice_fits(rec: VmaRecord, advice: str) -> bool:
    """madvise_dontneed_free_valid_vma() and the check at the head of MADV_FREE."""
    return advice != "free" or rec.anonymous


async def madvise_drop(k: "Kernel", vma: Vma, start: int, end: int, advice: str) -> None:
    """Zap the range.

    Kernel: mm/madvise.c, madvise_dontneed_single_vma().

    Left out: MADV_FREE keeps clean pages until memory is short; here it is short at once.
    """
    await k.zap_range(vma, start, end)  # 7


async def madvise_remove(k: "Kernel", mm: Mm, vma: Vma, start: int, end: int) -> tuple[int, int]:
    """Punch a hole into the file behind a shared mapping, after the event.

    Kernel: mm/madvise.c, madvise_remove().
    Returns: 0 or a negative errno, and how far this went.
    """
    rec: VmaRecord = await Step(vma.rec, whole_record)  # 2
    end = min(end, rec.end)
    if rec.anonymous or not rec.shared or "w" not in rec.prot:
        return EINVAL, end
    if await k.userfaultfd_remove(mm, vma, start, end):
        await k.mmap_read_unlock(mm)  # 5
    await k.punch_hole(mm, rec, start, end)  # 7
    await k.mmap_read_lock(mm)  # 6
    return 0, end


async def punch_hole(k: "Kernel", mm: Mm, rec: VmaRecord, start: int, end: int) -> None:
    """Unmap a range of a file wherever this address space maps it, then drop its pages.

    Kernel: mm/shmem.c, shmem_fallocate() with FALLOC_FL_PUNCH_HOLE.
    Left out: i_mmap_rwsem; mappings of other address spaces; faults that wait for the hole.
    """
    first = rec.pgoff + (start - rec.start) // PAGE_SIZE
    last = rec.pgoff + (end - rec.start) // PAGE_SIZE
    for name in await Step(mm.tree, tree_all, cost="tree_walk"):  # 7
        vma = k.stage.vma(name)
        other: VmaRecord = await Step(vma.rec, whole_record)  # 7
        low = max(other.start, other.start + (first - other.pgoff) * PAGE_SIZE)
        high = min(other.end, other.start + (last - other.pgoff) * PAGE_SIZE)
        if other.file == rec.file and other.shared and low < high:
            await k.zap_range(vma, low, high)  # 7
    cache = k.stage.file(rec.file).cache
    for index in range(first, last):
        if await Step(cache, filemap_get, index, cost="page_cache"):  # 7
            await Step(cache, filemap_remove, index, cost="page_cache")  # 7
