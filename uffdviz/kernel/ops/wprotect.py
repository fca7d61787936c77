"""UFFDIO_WRITEPROTECT: writes to a range ask the monitor first.

Kernel: mm/userfaultfd.c, fs/userfaultfd.c. Step numbers: reference, section 3.
All kernels hold mmap_lock here: the range may span several mappings. Left out: hugetlb.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EAGAIN, EFAULT, EINVAL, ENOENT, ESRCH
from uffdviz.kernel.memory import VmaRecord, tree_overlap
from uffdviz.kernel.objects import Mm, Uffd
from uffdviz.kernel.ops.userfaultfd_ioctl import validate_range
from uffdviz.kernel.steps import Step, Work
from uffdviz.kernel.vma_tree import whole_record

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def userfaultfd_writeprotect(
    k: "Kernel", ctx: Uffd, start: int, length: int, protect: bool, dontwake: bool = False
) -> int:
    """UFFDIO_WRITEPROTECT: protect a range, or lift the protection and wake who waits.

    Kernel: fs/userfaultfd.c, userfaultfd_writeprotect().
    Returns: 0, or a negative errno. There is no count of bytes: what was changed stays changed.
    """
    if await k.read_once(ctx.mmap_changing):  # P1
        return EAGAIN
    if await Work("copy_from_user", cost="copy_arg", errno=EFAULT):  # P2
        return EFAULT
    if validate_range(start, length) or (protect and dontwake):
        return EINVAL
    if not await k.mmget_not_zero(ctx.mm):  # P5
        return ESRCH
    err = await k.mwriteprotect_range(ctx, start, length, protect)  # P6
    await k.mmput(ctx.mm)  # P7
    if not err and not protect and not dontwake:
        await k.wake_userfault(ctx, start, length)  # P10
    return int(err)


async def mwriteprotect_range(
    k: "Kernel", ctx: Uffd, start: int, length: int, enable_wp: bool
) -> int:
    """Change the protection of a range, mapping by mapping.

    Kernel: mm/userfaultfd.c, mwriteprotect_range().
    Returns: 0, or a negative errno.
    """
    await k.mmap_read_lock(ctx.mm)  # w1
    await k.down_read(ctx.map_changing_lock)  # w2
    err = EAGAIN
    if not await k.read_once(ctx.mmap_changing):  # w3
        err = await k.mwriteprotect_vmas(ctx.mm, start, start + length, enable_wp)
    await k.up_read(ctx.map_changing_lock)  # wU
    await k.mmap_read_unlock(ctx.mm)  # wU
    return err


async def mwriteprotect_range_v6_8(
    k: "Kernel", ctx: Uffd, start: int, length: int, enable_wp: bool
) -> int:
    """Change the protection of a range, mapping by mapping, under mmap_lock alone.

    Kernel: mm/userfaultfd.c, mwriteprotect_range() until v6.8.
    Returns: 0, or a negative errno.
    """
    await k.mmap_read_lock(ctx.mm)  # w1
    err = EAGAIN
    if not await k.read_once(ctx.mmap_changing):  # w3
        err = await k.mwriteprotect_vmas(ctx.mm, start, start + length, enable_wp)
    await k.mmap_read_unlock(ctx.mm)  # wU
    return err


async def mwriteprotect_vmas(k: "Kernel", mm: Mm, start: int, end: int, enable_wp: bool) -> int:
    """Go over the mappings of a range; a hole between them is none of our business.

    Kernel: mm/userfaultfd.c, the loop of mwriteprotect_range().
    Returns: 0, -ENOENT (no mapping, or one that is not registered for this), or -ENOMEM.
    """
    err = ENOENT
    for name in await Step(mm.tree, tree_overlap, start, end, cost="tree_walk"):  # w4
        vma = k.stage.vma(name)
        rec: VmaRecord = await Step(vma.rec, whole_record)  # w5
        if "wp" not in rec.modes:
            return ENOENT
        low, high = max(start, rec.start), min(end, rec.end)
        err = await k.uffd_wp_range(vma, low, high - low, enable_wp)  # w6
        if err:
            break
    return err
