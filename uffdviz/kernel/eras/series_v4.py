"""Revision 4: both mappings of a move by the blocking lock, even if they are one."""

from typing import ClassVar

from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.errno import EAGAIN
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.objects import Mm, Uffd, Vma
from uffdviz.kernel.ops.move_pte import Move


async def uffd_move_lock(k: "Kernel", mm: Mm, dst: int, src: int) -> tuple[Vma, Vma] | int:
    """Read-lock the source's mapping, then the destination's.

    Flaw: it may sleep for mmap_lock with the first one locked, whose writer then waits for it.
    Kernel: mm/userfaultfd.c, move_pages() of revisions 3 and 4.
    Returns: the mappings of dst and src, or a negative errno.
    """
    src_vma = await k.lock_vma(mm, src)  # T1
    if isinstance(src_vma, int):
        return src_vma
    dst_vma = await k.lock_vma(mm, dst)  # T3
    if isinstance(dst_vma, int):
        await k.vma_end_read(src_vma)  # T4
        return dst_vma
    return dst_vma, src_vma


async def uffd_move_unlock(k: "Kernel", dst_vma: Vma, src_vma: Vma) -> None:
    """Release both holds, also those of one mapping. Kernel: mm/userfaultfd.c of revision 4."""
    await k.vma_end_read(dst_vma)
    await k.vma_end_read(src_vma)


async def move_pages(
    k: "Kernel", ctx: Uffd, dst: int, src: int, length: int, allow_src_holes: bool
) -> int:
    """Move a range page by page, with both mappings locked.

    Flaw: ranges that do not fit are not moved, and no error is said: the 0 wakes every fault.
    Kernel: mm/userfaultfd.c, move_pages() of revisions 3 and 4.
    Returns: the bytes done, or a negative errno, or 0.
    """
    vmas = await k.uffd_move_lock(ctx.mm, dst, src)  # m1
    if isinstance(vmas, int):
        return vmas
    dst_vma, src_vma = vmas
    await k.down_read(ctx.map_changing_lock)  # m2
    moved, err = 0, EAGAIN
    if not await k.read_once(ctx.mmap_changing):  # m3
        move = Move(dst_vma, src_vma, dst, src, length, allow_src_holes)
        fit = not await k.move_ranges_fit(move)
        err = await k.validate_move_areas(ctx, move) if fit else 0
        if fit and not err:
            moved, err = await k.move_range(move)
    await k.up_read(ctx.map_changing_lock)  # mU
    await k.uffd_move_unlock(dst_vma, src_vma)  # mU
    return moved or err


class SeriesV4(V6_9):
    """Flaws: two mappings may deadlock, one mapping may too, and an errno after locking is lost."""

    era: ClassVar[str] = "series-v4"

    uffd_move_lock = uffd_move_lock
    uffd_move_unlock = uffd_move_unlock
    move_pages = move_pages
