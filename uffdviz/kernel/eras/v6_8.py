"""v6.8: every operation under mmap_lock; only faults take a per-VMA lock."""

from typing import ClassVar

from uffdviz.kernel.errno import EAGAIN, EFAULT, EINTR, ENOENT, ENOMEM
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import look, tree_walk
from uffdviz.kernel.objects import PAGE_SIZE, FolioRef, Mm, Uffd, Vma
from uffdviz.kernel.ops import move, move_pte, wprotect
from uffdviz.kernel.ops.raise_event import mmap_changing_raise_bare
from uffdviz.kernel.ops.register import release_vma_v6_8
from uffdviz.kernel.steps import Step


async def find_dst_vma(k: "V6_8", mm: Mm, start: int, length: int) -> Vma | int:
    """Look the registered mapping up that covers the whole range. mmap_lock is held.

    Kernel: mm/userfaultfd.c, find_dst_vma().
    Returns: the mapping, or -ENOENT.
    """
    name = await Step(mm.tree, tree_walk, start, cost="tree_walk")  # A3
    if not name:
        return ENOENT
    vma = k.stage.vma(name)
    end, ctx = await Step(vma.rec, look, "end", "ctx")  # A3
    return vma if start + length <= end and ctx else ENOENT


async def mfill_prepare(k: "V6_8", vma: Vma, mode: str, *, wp: bool) -> int:
    """Whether this fill can be done here; a private mapping gets an anon_vma.

    Kernel: mm/userfaultfd.c, in mfill_atomic().
    Returns: 0, -EINVAL or -ENOMEM.
    """
    if err := await k.mfill_vma_suits(vma, mode, wp=wp):  # A4
        return err
    if not await Step(vma.rec, look, "shared") and await k.anon_vma_prepare(vma):  # A8
        return ENOMEM
    return 0


async def mfill_atomic(
    k: "V6_8",
    ctx: Uffd,
    dst_start: int,
    src_start: int,
    length: int,
    mode: str = "copy",
    *,
    wp: bool = False,
) -> int:
    """Fill a range page by page, under mmap_lock from the first page to the last.

    A source page that is not there is faulted in with no lock held; then everything is asked again.
    Kernel: mm/userfaultfd.c, mfill_atomic() of v6.4 to v6.8 (__mcopy_atomic() before).
    Returns: the bytes done, or a negative errno.
    """
    copied = 0
    folio: FolioRef | None = None
    while True:
        await k.mmap_read_lock(ctx.mm)  # A1
        vma: Vma | int = EAGAIN
        if not await k.read_once(ctx.mmap_changing):  # A2
            vma = await k.find_dst_vma(ctx.mm, dst_start, length)  # A3
        err: int | FolioRef = vma if isinstance(vma, int) else 0
        if isinstance(vma, Vma):
            err = await k.mfill_prepare(vma, mode, wp=wp)  # A4
        while isinstance(vma, Vma) and not err and copied < length:
            err = (
                await k.pte_alloc(ctx.mm, dst_start + copied)  # A9
                or await k.mfill_atomic_pte(  # A11
                    ctx.mm, vma, dst_start + copied, src_start + copied, mode, folio, wp=wp
                )
            )
            if not err:
                copied, folio = copied + PAGE_SIZE, None
                err = EINTR if await k.signal_pending() else 0  # A13
        await k.mmap_read_unlock(ctx.mm)  # AU
        if not isinstance(err, FolioRef):
            return copied or err
        folio = err
        if await k.copy_from_user(src_start + copied):  # r2
            return copied or EFAULT


class V6_8(Kernel):
    """Operations hold mmap_lock for reading from start to end."""

    era: ClassVar[str] = "v6.8"

    find_dst_vma = find_dst_vma
    mfill_prepare = mfill_prepare
    mfill_atomic = mfill_atomic
    release_vma = release_vma_v6_8
    mmap_changing_raise = mmap_changing_raise_bare
    mwriteprotect_range = wprotect.mwriteprotect_range_v6_8
    move_pages = move.move_pages_v6_8
    move_zeropage_pte = move_pte.move_zeropage_pte_v6_8
