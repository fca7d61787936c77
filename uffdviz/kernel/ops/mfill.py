"""Filling pages: UFFDIO_COPY and its relatives, under the lock of one mapping.

Kernel: mm/userfaultfd.c. Step numbers are those of the reference, section 2.
Left out: hugetlb (2.7), huge pages (A10): no scenario can bring them about.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EAGAIN, EFAULT, EINTR, EINVAL
from uffdviz.kernel.memory import look
from uffdviz.kernel.objects import PAGE_SIZE, FolioRef, Mm, Uffd, Vma
from uffdviz.kernel.steps import Step, Work

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def mfill_atomic(
    k: "Kernel",
    ctx: Uffd,
    dst_start: int,
    src_start: int,
    length: int,
    mode: str = "copy",
    *,
    wp: bool = False,
) -> int:
    """Fill a range page by page.

    A source page that is not there is faulted in with no lock held; then everything is asked again.
    Kernel: mm/userfaultfd.c, mfill_atomic().
    Returns: the bytes done, or a negative errno.
    """
    copied = 0
    folio: FolioRef | None = None
    while True:
        vma = await k.uffd_mfill_lock(ctx.mm, dst_start, length)  # B1
        if isinstance(vma, int):
            return copied or vma
        await k.down_read(ctx.map_changing_lock)  # B2
        err: int | FolioRef = EAGAIN
        if not await k.read_once(ctx.mmap_changing):  # B3
            err = await k.mfill_vma_suits(vma, mode, wp=wp)  # B4
        while not err and copied < length:
            err = (
                await k.pte_alloc(ctx.mm, dst_start + copied)  # A9
                or await k.mfill_atomic_pte(  # A11
                    ctx.mm, vma, dst_start + copied, src_start + copied, mode, folio, wp=wp
                )
            )
            if not err:
                copied, folio = copied + PAGE_SIZE, None
                err = EINTR if await k.signal_pending() else 0  # A13
        await k.up_read(ctx.map_changing_lock)  # BU
        await k.uffd_mfill_unlock(vma)  # BU
        if not isinstance(err, FolioRef):
            return copied or err
        folio = err
        if await k.copy_from_user(src_start + copied):  # r2
            return copied or EFAULT


async def mfill_vma_suits(k: "Kernel", vma: Vma, mode: str, *, wp: bool) -> int:
    """Whether this kind of fill can be done in this kind of mapping.

    Kernel: mm/userfaultfd.c, in mfill_atomic().
    Returns: 0, or -EINVAL.
    """
    shared, backing = await Step(vma.rec, look, "shared", "backing")  # A4
    if backing == "anon" and shared:
        return EINVAL
    if wp and "wp" not in await Step(vma.rec, look, "modes"):  # A5
        return EINVAL
    backing = await Step(vma.rec, look, "backing")  # A7
    if backing not in {"anon", "shmem"} or (mode == "continue" and backing != "shmem"):
        return EINVAL
    return 0


async def mfill_atomic_pte(
    k: "Kernel",
    mm: Mm,
    vma: Vma,
    dst: int,
    src: int,
    mode: str,
    folio: FolioRef | None,
    *,
    wp: bool,
) -> int | FolioRef:
    """Fill one page in the way that the operation and the mapping ask for.

    Kernel: mm/userfaultfd.c, mfill_atomic_pte(). A page that must be copied without locks is
    handed back; the kernel says -ENOENT and hands it back through a pointer.
    Returns: 0, a negative errno, or the page that is still to be copied into.
    """
    if mode == "continue":
        return await k.mfill_atomic_pte_continue(mm, vma, dst, wp=wp)
    if mode == "poison":
        return await k.mfill_atomic_pte_poison(mm, vma, dst)
    shared = await Step(vma.rec, look, "shared")
    if shared:
        return await k.shmem_mfill_atomic_pte(mm, vma, dst, src, mode, folio, wp=wp)
    if mode == "copy":
        return await k.mfill_atomic_pte_copy(mm, vma, dst, src, folio, wp=wp)
    return await k.mfill_atomic_pte_zeropage(mm, vma, dst)


async def copy_from_user_inatomic(k: "Kernel", src: int) -> bool:
    """Copy a page from user memory, with page faults disabled.

    Kernel: mm/userfaultfd.c, copy_from_user() between pagefault_disable() and _enable().
    Left out: sources that are not page aligned.
    Returns: whether the page was there.
    """
    if not await k.user_page_present(src):
        return False
    await Work("copy_page")
    return True


async def copy_from_user(k: "Kernel", src: int) -> int:
    """Copy a page from user memory, faulting it in; the caller holds no lock.

    Kernel: mm/userfaultfd.c, copy_from_user() after the locks were dropped.
    Returns: 0, or -EFAULT.
    """
    while not await k.user_page_present(src):  # r2
        if await k.kernel_fault(src, write=False):  # r2
            return EFAULT
    await Work("copy_page")  # r2
    return 0
