"""Revision 2: the per-VMA lock if it can be had at once, else mmap_lock for the whole operation."""

from typing import ClassVar

from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.errno import ENOENT, ENOMEM
from uffdviz.kernel.locks.rwsem import RwSem
from uffdviz.kernel.memory import look, tree_overlap
from uffdviz.kernel.objects import Mm, Uffd, Vma
from uffdviz.kernel.ops import mfill
from uffdviz.kernel.ops import move as move_ops
from uffdviz.kernel.ops.move_pte import Move
from uffdviz.kernel.steps import Outcome, Step
from uffdviz.trace.events import Fact


def i_read(s: RwSem, task: str) -> Outcome:
    """Whether this task holds the lock for reading."""
    held = task in s.readers
    return s, held, Fact("Saw", detail=f"mmap_locked {'yes' if held else 'no'}")


async def find_vma(k: "SeriesV2", mm: Mm, addr: int) -> Vma | None:
    """The mapping at `addr`, or the next above: not what lock_vma_under_rcu() finds.

    Kernel: mm/mmap.c, find_vma().
    """
    names = await Step(mm.tree, tree_overlap, addr, 1 << 62, cost="tree_walk")
    return k.stage.vma(names[0]) if names else None


async def dst_vma_ok(k: "SeriesV2", vma: Vma, start: int, length: int) -> bool:
    """Whether a registered mapping covers the range. Kernel: mm/userfaultfd.c, range_in_vma()."""
    low, high, ctx = await Step(vma.rec, look, "start", "end", "ctx")
    return bool(low <= start and start + length <= high and ctx)


async def find_and_pin_dst_vma(k: "SeriesV2", mm: Mm, start: int, length: int) -> Vma | int:
    """Lock the mapping at once, or keep mmap_lock instead.

    Flaw: the whole operation then runs under mmap_lock, just when there is contention.
    Kernel: mm/userfaultfd.c, find_and_pin_dst_vma() of revision 2.
    Returns: the mapping, or -ENOENT.
    """
    vma = await k.lock_vma_under_rcu(mm, start)  # V1
    if vma is None:
        await k.mmap_read_lock(mm)  # V4
        vma = await k.find_vma(mm, start)  # V5
    if vma is not None and await k.dst_vma_ok(vma, start, length):  # F2
        return vma
    if vma is None:
        await k.mmap_read_unlock(mm)  # V9
    else:
        await k.unpin_vma(vma)  # F3
    return ENOENT


async def unpin_vma(k: "SeriesV2", vma: Vma) -> None:
    """Release whichever of the two locks was taken.

    Kernel: mm/userfaultfd.c, unpin_vma() of revision 2. The kernel has a boolean for it; here the
    lock itself says whether this task reads it.
    """
    if await Step(vma.mm.lock, i_read):
        await k.mmap_read_unlock(vma.mm)
    else:
        await k.vma_end_read(vma)


async def mfill_vma_suits(k: "SeriesV2", vma: Vma, mode: str, *, wp: bool) -> int:
    """Whether this fill can be done here; a private mapping gets an anon_vma.

    Flaw: preparing it reads the neighbours, which a per-VMA lock does not keep from changing.
    Kernel: mm/userfaultfd.c, in mfill_atomic() of revision 2.
    Returns: 0, -EINVAL or -ENOMEM.
    """
    if err := await mfill.mfill_vma_suits(k, vma, mode, wp=wp):  # A4
        return err
    if not await Step(vma.rec, look, "shared") and await k.anon_vma_prepare(vma):  # A8
        return ENOMEM
    return 0


async def find_and_pin_vmas(k: "SeriesV2", mm: Mm, dst: int, src: int) -> tuple[Vma, Vma] | int:
    """Lock both mappings at once, source first, or keep mmap_lock instead.

    Kernel: mm/userfaultfd.c, in move_pages() of revision 2.
    Returns: the mappings of dst and src, or -ENOENT.
    """
    src_vma = await k.lock_vma_under_rcu(mm, src)  # T1
    if src_vma is not None:
        dst_vma = await k.lock_vma_under_rcu(mm, dst)  # T3
        if dst_vma is not None:
            return dst_vma, src_vma
        await k.vma_end_read(src_vma)  # T4
    await k.mmap_read_lock(mm)  # T5
    src_vma = await k.find_vma(mm, src)  # T6
    dst_vma = await k.find_vma(mm, dst)  # T6
    if dst_vma is not None and src_vma is not None:
        return dst_vma, src_vma
    await k.mmap_read_unlock(mm)  # T9
    return ENOENT


async def validate_move_areas(k: "SeriesV2", ctx: Uffd, move: Move) -> int:
    """Whether pages of one mapping may become pages of the other, which gets an anon_vma.

    Flaw: as in mfill_vma_suits().
    Kernel: mm/userfaultfd.c, validate_move_areas() of revision 2.
    Returns: 0, -EINVAL or -ENOMEM.
    """
    if err := await move_ops.validate_move_areas(k, ctx, move):  # m5
        return err
    return ENOMEM if await k.anon_vma_prepare(move.dst_vma) else 0  # m5


async def unpin_vmas(k: "SeriesV2", dst_vma: Vma, src_vma: Vma) -> None:
    """Release whichever locks were taken. Kernel: mm/userfaultfd.c, revision 2."""
    if await Step(dst_vma.mm.lock, i_read):
        await k.mmap_read_unlock(dst_vma.mm)
    else:
        await k.vma_end_read(dst_vma)
        await k.vma_end_read(src_vma)


class SeriesV2(V6_9):
    """Flaws: whole operations under mmap_lock, find_vma(), anon_vma under a per-VMA lock only."""

    era: ClassVar[str] = "series-v2"
    aliases: ClassVar[tuple[str, ...]] = ("series-v1",)

    find_vma = find_vma
    dst_vma_ok = dst_vma_ok
    uffd_mfill_lock = find_and_pin_dst_vma
    uffd_mfill_unlock = unpin_vma
    unpin_vma = unpin_vma
    mfill_vma_suits = mfill_vma_suits
    validate_move_areas = validate_move_areas
    uffd_move_lock = find_and_pin_vmas
    uffd_move_unlock = unpin_vmas
