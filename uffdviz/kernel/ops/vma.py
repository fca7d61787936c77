"""Making, cutting, joining and freeing mappings.

Kernel: mm/vma.c (mm/mmap.c before v6.11), kernel/fork.c (mm/vma_init.c from v6.17).
The caller holds mmap_lock for writing in everything but allocation and freeing.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import ENOMEM
from uffdviz.kernel.memory import VmaRecord, put
from uffdviz.kernel.objects import Mm, Vma
from uffdviz.kernel.steps import Step, Work
from uffdviz.kernel.vma_tree import (
    MergePlan,
    become,
    can_join,
    fresh_record,
    give_back,
    part,
    plan_merge,
    set_range,
    take_name,
    take_object,
    tree_around,
    tree_store,
    whole_record,
)

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def vma_object(k: "Kernel", mm: Mm, wanted: str) -> Vma:
    """Get memory for a mapping.

    Kernel: vm_area_cachep, whose objects wait for RCU before they are used again.
    """
    known = k.stage.has_vma(wanted)
    name = await Step(k.stage.vma_slab, take_name, wanted, known, cost="slab_alloc")
    return k.stage.vma(name, mm)


async def vma_object_typesafe(k: "Kernel", mm: Mm, wanted: str) -> Vma:
    """Get memory for a mapping, maybe some that a reader still looks at; its count is zero.

    Kernel: vm_area_cachep with SLAB_TYPESAFE_BY_RCU (v6.15 and later).
    """
    known = k.stage.has_vma(wanted)
    slab = k.stage.vma_slab
    name, old = await Step(slab, take_object, wanted, known, mm.name, cost="slab_alloc")
    return k.stage.vma_reusing(name, mm, old) if old else k.stage.vma(name, mm)


async def vm_area_alloc(k: "Kernel", mm: Mm, name: str, rec: VmaRecord) -> Vma | int:
    """Make a mapping that nobody can find yet.

    Kernel: kernel/fork.c, vm_area_alloc().
    Returns: the mapping, or -ENOMEM.
    """
    if err := await Work("vm_area_alloc", errno=ENOMEM):
        return int(err)
    vma: Vma = await k.vma_object(mm, name)
    await Step(vma.rec, become, vma.name, rec, cost="store")
    return vma


async def vm_area_dup(k: "Kernel", mm: Mm, name: str, rec: VmaRecord) -> Vma | int:
    """Make a copy of a mapping, for `mm`, that nobody can find yet.

    Kernel: kernel/fork.c, vm_area_dup().
    Returns: the mapping, or -ENOMEM.
    """
    if err := await Work("vm_area_dup", errno=ENOMEM):
        return int(err)
    vma: Vma = await k.vma_object(mm, name)
    await Step(vma.rec, become, vma.name, fresh_record(rec), cost="store")
    return vma


async def vm_area_free(k: "Kernel", mm: Mm, vma: Vma) -> None:
    """Give the memory of a mapping back.

    Kernel: kernel/fork.c, vm_area_free().
    Left out: the RCU grace period; a freed name is never used for another mapping instead.
    """
    await Step(vma.rec, put, vma.name, "freed", True, cost="slab_free")


async def vm_area_free_typesafe(k: "Kernel", mm: Mm, vma: Vma) -> None:
    """Give the memory of a mapping back, to be a mapping again at any time.

    Kernel: mm/vma_init.c, vm_area_free() (v6.15 and later).
    """
    await Step(vma.rec, put, vma.name, "freed", True, cost="slab_free")
    root = vma.rec.name.removeprefix("mapping ")
    await Step(k.stage.vma_slab, give_back, root, mm.name, cost="slab_free")


async def vma_mark_detached(k: "Kernel", vma: Vma) -> None:
    """Say that a mapping is leaving the tree.

    Kernel: include/linux/mm.h.
    """
    await Step(vma.rec, put, vma.name, "detached", True, cost="store")


async def vma_mark_attached(k: "Kernel", vma: Vma) -> None:
    """Say that a mapping stays in the tree after all.

    Kernel: include/linux/mm.h.
    """
    await Step(vma.rec, put, vma.name, "detached", False, cost="store")


async def no_detached_mark(k: "Kernel", vma: Vma) -> None:
    """Do nothing: without per-VMA locks nobody asks.

    Kernel: v6.1 has no such flag.
    """


async def vma_iter_store_new(k: "Kernel", mm: Mm, vma: Vma, start: int, end: int) -> None:
    """Let everybody find a mapping.

    Kernel: mm/vma.h, vma_iter_store().
    """
    await Step(mm.tree, tree_store, start, end, vma.name, cost="tree_store")


async def vma_iter_store_attached(k: "Kernel", mm: Mm, vma: Vma, start: int, end: int) -> None:
    """Let everybody find a mapping, whose count says so.

    Kernel: mm/vma.h, vma_iter_store_new().
    """
    await k.vma_mark_attached(vma)
    await Step(mm.tree, tree_store, start, end, vma.name, cost="tree_store")


async def vma_link(k: "Kernel", mm: Mm, vma: Vma, start: int, end: int) -> None:
    """Put a new mapping into the tree, locked for writing.

    Kernel: mm/vma.c, vma_link().
    """
    await k.vma_start_write(vma)
    await k.vma_iter_store_new(mm, vma, start, end)


async def vma_prepare(k: "Kernel", anon_vma: str) -> None:
    """Keep rmap walkers out while a range changes.

    Kernel: mm/vma.c, vma_prepare().
    """
    if anon_vma:
        await k.anon_vma_lock_write(anon_vma)


async def vma_complete(k: "Kernel", anon_vma: str) -> None:
    """Let rmap walkers in again.

    Kernel: mm/vma.c, vma_complete().
    """
    if anon_vma:
        await k.anon_vma_unlock_write(anon_vma)


async def split_vma(k: "Kernel", mm: Mm, vma: Vma, addr: int) -> Vma | int:
    """Cut a mapping in two at `addr`; the new structure is the upper part.

    Kernel: mm/vma.c, __split_vma().
    Left out: new_below, which half keeps the old structure; both are write-locked at once, so a
    reader that has looked the old one up falls back to mmap_lock either way.
    Returns: the upper part, or -ENOMEM.
    """
    rec: VmaRecord = await Step(vma.rec, whole_record)
    high = part(rec, addr, rec.end)
    new = await k.vm_area_dup(mm, k.stage.where(addr), high)
    if isinstance(new, int):
        return new
    if rec.anon_vma and (err := await k.anon_vma_clone(new, vma)):
        await k.vm_area_free(mm, new)
        return int(err)
    await k.vma_start_write(vma)
    await k.vma_start_write(new)
    await k.vma_prepare(rec.anon_vma)
    await Step(vma.rec, set_range, vma.name, (rec.start, addr, rec.pgoff), cost="store")
    await k.vma_iter_store_new(mm, new, addr, rec.end)
    await k.vma_complete(rec.anon_vma)
    return new


async def can_vma_merge(k: "Kernel", name: str, rec: VmaRecord) -> VmaRecord | None:
    """Look at a neighbour, if there is one that joins `rec`.

    Kernel: mm/vma.c, can_vma_merge_after() and can_vma_merge_before().
    """
    if not name:
        return None
    other: VmaRecord = await Step(k.stage.vma(name).rec, whole_record)
    return other if can_join(other, rec) or can_join(rec, other) else None


async def vma_merge(
    k: "Kernel", mm: Mm, curr: Vma | None, old: VmaRecord | None, rec: VmaRecord
) -> Vma | None:
    """Join the range of `rec` to neighbours of the same kind.

    Kernel: mm/vma.c, vma_merge() (vma_merge_new_range() and others from v6.12).
    Returns: the mapping that now covers the range, or None: nothing changed.
    """
    below, above = await Step(mm.tree, tree_around, rec.start, rec.end, cost="tree_walk")
    prev = await k.can_vma_merge(below, rec)
    after = await k.can_vma_merge(above, rec)
    plan = plan_merge(
        rec,
        (curr.name, old) if curr is not None and old is not None else None,
        None if prev is None else (below, prev),
        None if after is None else (above, after),
    )
    if plan is None or await k.commit_merge(mm, plan):
        return None
    return k.stage.vma(plan.keep)


async def vma_expand(k: "Kernel", mm: Mm, rec: VmaRecord) -> Vma | None:
    """Let a neighbour of the same kind grow over a hole.

    Kernel: mm/vma.c, vma_expand().

    Returns: the mapping that grew, or None.
    """
    return await k.vma_merge(mm, None, None, rec)


async def dup_anon_vma(k: "Kernel", keep: Vma, donor: str) -> int:
    """Give the growing mapping the anon_vma of what it swallows. Returns: 0, or -ENOMEM.

    Kernel: mm/vma.c, dup_anon_vma().
    """
    if not donor:
        return 0
    giver = k.stage.vma(donor)
    rec: VmaRecord = await Step(giver.rec, whole_record)
    await Step(keep.rec, put, keep.name, "anon_vma", rec.anon_vma, cost="store")
    err = await k.anon_vma_clone(keep, giver)
    if err:
        await Step(keep.rec, put, keep.name, "anon_vma", "", cost="store")
    return int(err)


async def commit_merge(k: "Kernel", mm: Mm, plan: MergePlan) -> int:
    """Carry a merge out: lock all of them, move the borders, drop the swallowed.

    Kernel: mm/vma.c, vma_merge() and vma_complete().
    Returns: 0, or -ENOMEM with nothing changed.
    """
    for name in plan.locks:
        await k.vma_start_write(k.stage.vma(name))
    keep = k.stage.vma(plan.keep)
    if err := await k.dup_anon_vma(keep, plan.donor):
        return err
    rec: VmaRecord = await Step(keep.rec, whole_record)
    await k.vma_prepare(rec.anon_vma)
    span = (plan.start, plan.end, plan.pgoff)
    await Step(keep.rec, set_range, keep.name, span, cost="store")
    if plan.trimmed:
        await k.trim_vma(plan.trimmed, plan.trim_start, plan.trim_end)
    await Step(mm.tree, tree_store, plan.start, plan.end, keep.name, cost="tree_store")
    for name in plan.gone:
        await k.vma_mark_detached(k.stage.vma(name))
    await k.vma_complete(rec.anon_vma)
    for name in plan.gone:
        await k.unlink_anon_vmas(k.stage.vma(name))
        await k.vm_area_free(mm, k.stage.vma(name))
    return 0


async def trim_vma(k: "Kernel", name: str, start: int, end: int) -> None:
    """Move a border of the mapping that gave a part away.

    Kernel: mm/vma.c, vma_adjust.
    """
    vma = k.stage.vma(name)
    rec: VmaRecord = await Step(vma.rec, whole_record)
    left = part(rec, start, end)
    await Step(vma.rec, set_range, name, (start, end, left.pgoff), cost="store")


async def vma_modify(
    k: "Kernel", mm: Mm, vma: Vma, old: VmaRecord, rec: VmaRecord
) -> tuple[Vma | None, int]:
    """Make [rec.start, rec.end) of a mapping one of its own, ready for the fields of `rec`.

    The part joins a neighbour that has these fields already, else it is cut off.
    Kernel: mm/vma.c, vma_modify().
    Returns: the mapping of the range and 0, or None and -ENOMEM; splits made so far stay.
    """
    merged = await k.vma_merge(mm, vma, old, rec)
    if merged is not None:
        return merged, 0
    if old.start < rec.start:
        upper = await k.split_vma(mm, vma, rec.start)
        if isinstance(upper, int):
            return None, upper
        vma = upper
    if rec.end < old.end:
        upper = await k.split_vma(mm, vma, rec.end)
        if isinstance(upper, int):
            return None, upper
    return vma, 0
