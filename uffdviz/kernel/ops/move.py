"""UFFDIO_MOVE: pages change their address without being copied.

Kernel: mm/userfaultfd.c, fs/userfaultfd.c. Step numbers: reference, section 4.1; one page is in
`move_pte.py`. Left out: huge pages (m6 to m9 speak of them), locked memory, special mappings.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EAGAIN, EFAULT, EINTR, EINVAL, ENOENT, ENOMEM, ESRCH
from uffdviz.kernel.memory import VmaRecord, tree_walk
from uffdviz.kernel.objects import PAGE_SIZE, Mm, Uffd, Vma
from uffdviz.kernel.ops.move_pte import Move
from uffdviz.kernel.ops.page_table import pmd_addr_end
from uffdviz.kernel.ops.userfaultfd_ioctl import validate_range
from uffdviz.kernel.page_tables import is_linked
from uffdviz.kernel.steps import Step, Work
from uffdviz.kernel.vma_tree import whole_record

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def userfaultfd_move(
    k: "Kernel",
    ctx: Uffd,
    dst: int,
    src: int,
    length: int,
    allow_src_holes: bool = False,
    dontwake: bool = False,
) -> int:
    """UFFDIO_MOVE: fill missing pages with pages from elsewhere in the same address space.

    Kernel: fs/userfaultfd.c, userfaultfd_move().
    Returns: the bytes done, or a negative errno.
    """
    if err := await k.userfaultfd_changing(ctx):  # P1
        return int(err)
    if await Work("copy_from_user", cost="copy_arg", errno=EFAULT):  # P2
        return EFAULT
    if ctx.mm is not k.current.mm:
        return EINVAL
    if err := validate_range(dst, length) or validate_range(src, length):
        return err
    if not await k.mmget_not_zero(ctx.mm):  # P5
        return ESRCH
    done = await k.move_pages(ctx, dst, src, length, allow_src_holes)  # P6
    await k.mmput(ctx.mm)  # P7
    return int(await k.userfaultfd_done(ctx, dst, done, dontwake=dontwake))  # P8


async def move_pages(
    k: "Kernel", ctx: Uffd, dst: int, src: int, length: int, allow_src_holes: bool
) -> int:
    """Move a range page by page, with both mappings locked.

    Kernel: mm/userfaultfd.c, move_pages().
    Returns: the bytes done, or a negative errno.
    """
    vmas = await k.uffd_move_lock(ctx.mm, dst, src)  # m1
    if isinstance(vmas, int):
        return vmas
    dst_vma, src_vma = vmas
    await k.down_read(ctx.map_changing_lock)  # m2
    moved, err = 0, EAGAIN
    if not await k.read_once(ctx.mmap_changing):  # m3
        move = Move(dst_vma, src_vma, dst, src, length, allow_src_holes)
        err = await k.move_ranges_fit(move)  # m4
        err = err or await k.validate_move_areas(ctx, move)  # m5
        if not err:
            moved, err = await k.move_range(move)
    await k.up_read(ctx.map_changing_lock)  # mU
    await k.uffd_move_unlock(dst_vma, src_vma)  # mU
    return moved or err


async def move_pages_v6_8(
    k: "Kernel", ctx: Uffd, dst: int, src: int, length: int, allow_src_holes: bool
) -> int:
    """Move a range page by page, under mmap_lock; whatever is in the way is -EINVAL.

    Kernel: mm/userfaultfd.c, move_pages() of v6.8.
    Returns: the bytes done, or a negative errno.
    """
    mm = ctx.mm
    await k.mmap_read_lock(mm)  # m1
    moved, err = 0, EINVAL
    if not await k.read_once(ctx.mmap_changing):  # m3
        src_vma = await k.find_move_vma(mm, src)  # m4
        dst_vma = await k.find_move_vma(mm, dst) if src_vma else None  # m4
        if src_vma and dst_vma:
            move = Move(dst_vma, src_vma, dst, src, length, allow_src_holes)
            err = await k.move_ranges_fit(move)  # m4
            err = err or await k.validate_move_areas(ctx, move)  # m5
            if not err and await k.anon_vma_prepare(dst_vma):  # m5
                err = ENOMEM
            if not err:
                moved, err = await k.move_range(move)
    await k.mmap_read_unlock(mm)  # mU
    return moved or err


async def find_move_vma(k: "Kernel", mm: Mm, addr: int) -> Vma | None:
    """Look a mapping up under mmap_lock. Kernel: mm/userfaultfd.c, in move_pages() of v6.8."""
    name = await Step(mm.tree, tree_walk, addr, cost="tree_walk")  # m4
    return k.stage.vma(name) if name else None


async def move_ranges_fit(k: "Kernel", move: Move) -> int:
    """Whether both mappings are private and have the whole range.

    Kernel: mm/userfaultfd.c, in move_pages().
    Returns: 0, or -EINVAL.
    """
    src: VmaRecord = await Step(move.src_vma.rec, whole_record)  # m4
    if src.shared or not inside(src, move.src, move.length):
        return EINVAL
    dst: VmaRecord = await Step(move.dst_vma.rec, whole_record)  # m4
    return EINVAL if dst.shared or not inside(dst, move.dst, move.length) else 0


async def validate_move_areas(k: "Kernel", ctx: Uffd, move: Move) -> int:
    """Whether pages of one mapping may become pages of the other.

    Kernel: mm/userfaultfd.c, validate_move_areas().
    Returns: 0, or -EINVAL.
    """
    src: VmaRecord = await Step(move.src_vma.rec, whole_record)  # m5
    dst: VmaRecord = await Step(move.dst_vma.rec, whole_record)  # m5
    if src.prot != dst.prot or "w" not in src.prot:
        return EINVAL
    return 0 if dst.ctx == ctx.name and src.anonymous and dst.anonymous else EINVAL


def inside(rec: VmaRecord, start: int, length: int) -> bool:
    """Whether a range lies in a mapping."""
    return rec.start <= start and start + length <= rec.end


async def move_range(k: "Kernel", move: Move) -> tuple[int, int]:
    """Move page by page; a page that is busy is tried again with all locks held.

    A signal that comes while the last page moves leaves that page uncounted, as in the kernel.
    Kernel: mm/userfaultfd.c, the loop of move_pages().
    Returns: the bytes done, and 0 or the errno that ended the loop.
    """
    moved, err = 0, 0
    while moved < move.length:
        step = await k.move_prepare_tables(move, moved)  # m6
        if not step:
            step = await k.move_pages_pte(move.at(moved, PAGE_SIZE))  # m11
            if await k.signal_pending():  # m12
                return moved, EINTR if step > 0 or step == EAGAIN else step
        err = min(step, 0)
        if err and err != EAGAIN:  # m13
            return moved, err
        moved += max(step, 0)  # m14
    return moved, err


async def move_range_v6_18(k: "Kernel", move: Move) -> tuple[int, int]:
    """Move batch by batch, each inside one page table on both sides.

    After a page that was busy once, the error is still there when the page has moved: the page is
    tried once more and found at its new place. This kernel tells the caller -EEXIST then.
    Kernel: mm/userfaultfd.c, the loop of move_pages() of v6.18.
    Returns: the bytes done, and 0 or the errno that ended the loop.
    """
    moved, err, step = 0, 0, 0
    while moved < move.length:
        ret = await k.move_prepare_tables(move, moved)  # m6
        if ret:
            return moved, ret
        ret = await k.move_pages_pte(move.at(moved, batch(move, moved)))  # m11
        err, step = (ret, step) if ret < 0 else (err, ret)
        if await k.signal_pending():  # m12
            return moved, EINTR if err in {0, EAGAIN} else err
        if err and err != EAGAIN:  # m13
            return moved, err
        moved += 0 if err else step  # m14
    return moved, err


def batch(move: Move, moved: int) -> int:
    """How much of the rest is in one page table on both sides."""
    src, dst = move.src + moved, move.dst + moved
    room = pmd_addr_end(dst, move.dst + move.length) - dst
    return min(pmd_addr_end(src, move.src + move.length) - src, room)


async def move_prepare_tables(k: "Kernel", move: Move, moved: int) -> int:
    """See to it that both page tables exist; a hole in the source has none.

    Kernel: mm/userfaultfd.c, in move_pages().
    Returns: 0, -ENOENT or -ENOMEM.
    """
    mm, src = move.src_vma.mm, move.src + moved
    if not await Step(mm.table(src), is_linked):  # m6
        if not move.holes:
            return ENOENT
        if await k.pte_alloc(mm, src):  # m10
            return ENOMEM
    return ENOMEM if await k.pte_alloc(mm, move.dst + moved) else 0  # m10
