"""Moving, growing and shrinking mappings. Kernel: mm/mremap.c.

Step numbers: reference, section 7, mremap.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EFAULT, EINVAL, ENOMEM
from uffdviz.kernel.memory import VmaRecord, tree_overlap, tree_walk
from uffdviz.kernel.objects import PAGE_SIZE, Mm, Vma
from uffdviz.kernel.ops.munmap import Uf
from uffdviz.kernel.steps import Step
from uffdviz.kernel.vma_tree import TASK_SIZE, linear_pgoff, part, whole_record
from uffdviz.light import msgspec

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


class Mremap(msgspec.Struct, frozen=True):
    """What mremap() was asked for, and how far it is (struct vma_remap_struct)."""

    addr: int
    old_len: int
    new_len: int
    to: int = 0
    fixed: bool = False
    dontunmap: bool = False


class Told(msgspec.Struct, frozen=True):
    """Whom to tell afterwards: target unmapped early, context of the move, rest unmapped.

    `unlocked`: mmap_lock has been dropped already.
    """

    early: Uf = ()
    remap: str = ""
    late: Uf = ()
    unlocked: bool = False


async def sys_mremap(
    k: "Kernel",
    mm: Mm,
    old: int,
    old_length: int,
    new_length: int,
    to: int,
    fixed: bool,
    dontunmap: bool,
) -> int:
    """Move or resize a mapping (MREMAP_MAYMOVE is always given).

    Kernel: mm/mremap.c, mremap().
    Left out: old_length 0 (a second mapping of shared memory), moves over several mappings
    (v6.17; mappings of a userfaultfd are refused there anyway), locked memory.
    Returns: the new address, or a negative errno.
    """
    ask = Mremap(old, old_length, new_length, to, fixed, dontunmap)
    if err := check_mremap(ask):
        return err
    if err := await k.mmap_write_lock_killable(mm):  # 1
        return err
    result, told = await k.do_mremap(mm, ask)
    if not told.unlocked:
        await k.mmap_write_unlock(mm)  # 7
    await k.userfaultfd_unmap_complete(told.early)  # 8
    await k.mremap_userfaultfd_complete(told.remap, old, result, old_length)  # 8
    await k.userfaultfd_unmap_complete(told.late)  # 8
    return result


def check_mremap(ask: Mremap) -> int:
    """What can be refused without a look at the address space. Returns: 0, or -EINVAL."""
    numbers = (ask.addr, ask.old_len, ask.new_len, ask.to)
    if any(n % PAGE_SIZE for n in numbers) or ask.old_len <= 0 or ask.new_len <= 0:
        return EINVAL
    if ask.dontunmap and ask.old_len != ask.new_len:
        return EINVAL
    if not ask.fixed:
        return 0
    overlap = ask.addr < ask.to + ask.new_len and ask.to < ask.addr + ask.old_len
    return EINVAL if overlap or ask.to + ask.new_len > TASK_SIZE else 0


async def do_mremap(k: "Kernel", mm: Mm, ask: Mremap) -> tuple[int, Told]:
    """Choose between moving, shrinking and growing.

    Kernel: mm/mremap.c, do_mremap().
    """
    name = await Step(mm.tree, tree_walk, ask.addr, cost="tree_walk")  # 1
    if not name:
        return EFAULT, Told()
    if ask.fixed or ask.dontunmap:
        return await k.mremap_to(mm, ask)
    if ask.new_len <= ask.old_len:
        return await k.shrink_vma(mm, ask)
    return await k.expand_vma(mm, k.stage.vma(name), ask)


async def shrink_vma(k: "Kernel", mm: Mm, ask: Mremap) -> tuple[int, Told]:
    """Unmap the end of the range; mmap_lock is downgraded on the way.

    Kernel: mm/mremap.c, shrink_vma() (inside mremap() before v6.16).
    """
    if ask.new_len == ask.old_len:
        return ask.addr, Told()
    start, length = ask.addr + ask.new_len, ask.old_len - ask.new_len
    err, late = await k.do_vmi_munmap(mm, start, length, (), True)
    return (err, Told(late=late)) if err else (ask.addr, Told(late=late, unlocked=True))


async def expand_vma(k: "Kernel", mm: Mm, vma: Vma, ask: Mremap) -> tuple[int, Told]:
    """Grow in place if there is room, else move.

    Kernel: mm/mremap.c, expand_vma() (inside mremap() before v6.16).
    """
    rec: VmaRecord = await Step(vma.rec, whole_record)
    end = ask.addr + ask.old_len
    if end > rec.end:
        return EFAULT, Told()
    grown = ask.addr + ask.new_len
    if end == rec.end and not await Step(mm.tree, tree_overlap, end, grown, cost="tree_walk"):
        pgoff = linear_pgoff(rec) + (end - rec.start) // PAGE_SIZE
        more = msgspec.structs.replace(rec, start=end, end=grown, pgoff=pgoff)
        if await k.vma_expand(mm, more) is None:
            return ENOMEM, Told()
        return ask.addr, Told()
    to = await k.get_unmapped_area(mm, 0, ask.new_len)
    if to < 0:
        return to, Told()
    return await k.move_vma(mm, vma, msgspec.structs.replace(ask, to=to), Told())


async def mremap_to(k: "Kernel", mm: Mm, ask: Mremap) -> tuple[int, Told]:
    """Move to a given place, or leave the old mapping behind empty.

    What was there before goes first, and so does a part that the target has no room for.
    Kernel: mm/mremap.c, mremap_to().
    """
    told = Told()
    if ask.fixed:
        err, early = await k.do_vmi_munmap(mm, ask.to, ask.new_len, (), False)  # 1
        told = Told(early=early)
        if err:
            return err, told
    if ask.old_len > ask.new_len:
        start, length = ask.addr + ask.new_len, ask.old_len - ask.new_len
        err, late = await k.do_vmi_munmap(mm, start, length, (), False)  # 1
        told = msgspec.structs.replace(told, late=late)
        if err:
            return err, told
        ask = msgspec.structs.replace(ask, old_len=ask.new_len)
    name = await Step(mm.tree, tree_walk, ask.addr, cost="tree_walk")  # 1
    vma = k.stage.vma(name)
    rec: VmaRecord = await Step(vma.rec, whole_record)
    if ask.addr + ask.old_len > rec.end:
        return EFAULT, told
    if not ask.fixed:
        to = await k.get_unmapped_area(mm, ask.to, ask.new_len)
        if to < 0:
            return to, told
        ask = msgspec.structs.replace(ask, to=to)
    return await k.move_vma(mm, vma, ask, told)


async def move_vma(k: "Kernel", mm: Mm, vma: Vma, ask: Mremap, told: Told) -> tuple[int, Told]:
    """Move pages to a new mapping, and unmap the old range or leave it empty.

    If not all pages can be moved, they go back and the *new* range is unmapped.
    Kernel: mm/mremap.c, move_vma().
    """
    await k.vma_start_write(vma)  # 2
    old: VmaRecord = await Step(vma.rec, whole_record)
    new = await k.copy_vma(mm, vma, old, ask)  # 3
    if new is None:
        return ENOMEM, told
    moved = await k.move_page_tables(vma, ask.addr, new, ask.to, ask.old_len)  # 4
    if moved < ask.old_len:
        await k.move_page_tables(new, ask.to, vma, ask.addr, moved)  # 4
        return await k.unmap_old(mm, ask.to, ask.new_len, ENOMEM, told)
    remap = await k.mremap_userfaultfd_prep(new)  # 5
    told = msgspec.structs.replace(told, remap=remap)
    if not ask.dontunmap:
        return await k.unmap_old(mm, ask.addr, ask.old_len, ask.to, told)
    if new is not vma and (old.start, old.end) == (ask.addr, ask.addr + ask.old_len):
        await k.unlink_anon_vmas(vma)  # 6
    return ask.to, told


async def unmap_old(
    k: "Kernel", mm: Mm, start: int, length: int, result: int, told: Told
) -> tuple[int, Told]:
    """Unmap the range that was moved from, or on failure the one that was moved to.

    Kernel: mm/mremap.c, end of move_vma(). A failure to unmap leaves the empty mapping there.
    """
    _, late = await k.do_vmi_munmap(mm, start, length, told.late, False)  # 6
    return result, msgspec.structs.replace(told, late=late)


async def copy_vma(k: "Kernel", mm: Mm, vma: Vma, old: VmaRecord, ask: Mremap) -> Vma | None:
    """Make the mapping at the target: a neighbour there grows, or a copy is linked.

    Kernel: mm/vma.c, copy_vma().
    Returns: the mapping, or None for want of memory.
    """
    rec = part(old, ask.addr, ask.addr + ask.old_len)
    pgoff = 0 if rec.anonymous and not rec.anon_vma else linear_pgoff(rec)
    end = ask.to + ask.new_len
    rec = msgspec.structs.replace(rec, start=ask.to, end=end, pgoff=pgoff)
    merged = await k.vma_expand(mm, rec)
    if merged is not None:
        return merged
    new = await k.vm_area_dup(mm, k.stage.where(ask.to), rec)
    if isinstance(new, int):
        return None
    if rec.anon_vma and await k.anon_vma_clone(new, vma):
        await k.vm_area_free(mm, new)
        return None
    await k.vma_link(mm, new, ask.to, end)
    return new
