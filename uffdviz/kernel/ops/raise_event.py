"""Announcing to a userfaultfd that the layout of the address space changes.

Kernel: fs/userfaultfd.c. RAISE of the reference, section 6: the counter goes up while the layout
cannot be seen to change, and the message is sent when all locks are dropped.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import ENOMEM
from uffdviz.kernel.memory import VmaRecord, put
from uffdviz.kernel.objects import PAGE_SIZE, Mm, Uffd, Vma
from uffdviz.kernel.queues import Entry
from uffdviz.kernel.steps import Step, Work
from uffdviz.kernel.vma_tree import ForkCtx, UnmapCtx, whole_record

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def mmap_changing_raise(k: "Kernel", ctx: Uffd) -> None:
    """Count one more layout change, while no operation of this context is under way.

    Kernel: fs/userfaultfd.c, the lines that dup_userfaultfd() and its relatives share.
    """
    await k.userfaultfd_ctx_get(ctx)
    await k.down_write(ctx.map_changing_lock)
    await k.atomic_add(ctx.mmap_changing, 1)
    await k.up_write(ctx.map_changing_lock)


async def mmap_changing_raise_bare(k: "Kernel", ctx: Uffd) -> None:
    """Count one more layout change.

    Kernel: fs/userfaultfd.c until v6.8.
    """
    await k.userfaultfd_ctx_get(ctx)
    await k.atomic_add(ctx.mmap_changing, 1)


async def vma_drop_ctx(k: "Kernel", vma: Vma) -> None:
    """Take a mapping out of its userfaultfd.

    Kernel: mm/userfaultfd.c, userfaultfd_reset_ctx().
    """
    await k.vma_start_write(vma)
    await Step(vma.rec, put, vma.name, "ctx", "", cost="store")
    await Step(vma.rec, put, vma.name, "modes", (), cost="store")


async def dup_userfaultfd(
    k: "Kernel", mm: Mm, vma: Vma, fcs: tuple[ForkCtx, ...]
) -> tuple[int, tuple[ForkCtx, ...]]:
    """Give the child's copy of a mapping a userfaultfd of its own.

    Kernel: fs/userfaultfd.c, dup_userfaultfd().
    Returns: 0 or -ENOMEM, and the contexts doubled so far.
    """
    rec: VmaRecord = await Step(vma.rec, whole_record)
    if not rec.ctx:
        return 0, fcs
    octx = k.stage.uffd(rec.ctx)
    if "fork" not in octx.features:
        await k.vma_drop_ctx(vma)
        return 0, fcs
    new = next((f.new for f in fcs if f.orig == rec.ctx), "")
    if not new:
        if err := await Work("dup_userfaultfd", errno=ENOMEM):
            return int(err), fcs
        new = f"{mm.name}/{octx.name}"
        k.stage.uffd(new, mm, octx.features)
        await k.mmap_changing_raise(octx)
        fcs = (*fcs, ForkCtx(octx.name, new))
    await Step(vma.rec, put, vma.name, "ctx", new, cost="store")
    return 0, fcs


async def dup_userfaultfd_complete(k: "Kernel", fcs: tuple[ForkCtx, ...]) -> None:
    """Send one FORK event for each context, one after the other.

    Kernel: fs/userfaultfd.c, dup_userfaultfd_complete().
    """
    for fctx in fcs:
        ctx = k.stage.uffd(fctx.orig)
        entry = Entry(k.current.name, "fork", ctx=fctx.new)
        await k.userfaultfd_event_wait_completion(ctx, entry)


async def dup_userfaultfd_fail(k: "Kernel", fcs: tuple[ForkCtx, ...]) -> None:
    """Forget the contexts of a child that is not going to be. No event.

    Kernel: fs/userfaultfd.c, dup_userfaultfd_fail() (v6.12).
    """
    for fctx in fcs:
        octx = k.stage.uffd(fctx.orig)
        await k.atomic_add(octx.mmap_changing, -1)
        await k.userfaultfd_ctx_put(octx)
        await k.userfaultfd_ctx_put(k.stage.uffd(fctx.new))


async def mremap_userfaultfd_prep(k: "Kernel", vma: Vma) -> str:
    """Announce that a registered mapping has moved to where `vma` is.

    Kernel: fs/userfaultfd.c, mremap_userfaultfd_prep().
    Returns: the name of the context to tell, or nothing.
    """
    rec: VmaRecord = await Step(vma.rec, whole_record)
    if not rec.ctx:
        return ""
    ctx = k.stage.uffd(rec.ctx)
    if "remap" not in ctx.features:
        await k.vma_drop_ctx(vma)
        return ""
    await k.mmap_changing_raise(ctx)
    return rec.ctx


async def mremap_userfaultfd_complete(
    k: "Kernel", name: str, old: int, result: int, length: int
) -> None:
    """Send the REMAP event.

    Kernel: fs/userfaultfd.c, mremap_userfaultfd_complete().
    """
    if not name:
        return
    ctx = k.stage.uffd(name)
    if result % PAGE_SIZE:
        await k.userfaultfd_ctx_put(ctx)
        return
    entry = Entry(k.current.name, "remap", addr=old, end=old + length, to=result)
    await k.userfaultfd_event_wait_completion(ctx, entry)


async def userfaultfd_remove(k: "Kernel", mm: Mm, vma: Vma, start: int, end: int) -> bool:
    """Announce that pages are going to be dropped, and wait until the monitor knows.

    Kernel: fs/userfaultfd.c, userfaultfd_remove().
    Returns: whether mmap_lock is still held.
    """
    rec: VmaRecord = await Step(vma.rec, whole_record)  # 3
    if not rec.ctx:
        return True
    ctx = k.stage.uffd(rec.ctx)
    if "remove" not in ctx.features:
        return True
    await k.mmap_changing_raise(ctx)  # 4
    await k.mmap_read_unlock(mm)  # 5
    entry = Entry(k.current.name, "remove", addr=start, end=end)
    await k.userfaultfd_event_wait_completion(ctx, entry)  # 6
    return False


async def userfaultfd_unmap_prep(
    k: "Kernel", vma: Vma, start: int, end: int, uf: tuple[UnmapCtx, ...]
) -> tuple[int, tuple[UnmapCtx, ...]]:
    """Announce that a registered mapping is going away; one record a context and range.

    Kernel: fs/userfaultfd.c, userfaultfd_unmap_prep().
    Returns: 0 or -ENOMEM, and the records so far.
    """
    rec: VmaRecord = await Step(vma.rec, whole_record)
    if not rec.ctx:
        return 0, uf
    ctx = k.stage.uffd(rec.ctx)
    unmap = UnmapCtx(rec.ctx, start, end)
    if "unmap" not in ctx.features or unmap in uf:
        return 0, uf
    if err := await Work("userfaultfd_unmap_prep", errno=ENOMEM):
        return int(err), uf
    await k.mmap_changing_raise(ctx)
    return 0, (*uf, unmap)


async def userfaultfd_unmap_complete(k: "Kernel", uf: tuple[UnmapCtx, ...]) -> None:
    """Send the UNMAP events, one after another.

    Kernel: fs/userfaultfd.c, userfaultfd_unmap_complete().
    """
    for unmap in uf:
        ctx = k.stage.uffd(unmap.ctx)
        entry = Entry(k.current.name, "unmap", addr=unmap.start, end=unmap.end)
        await k.userfaultfd_event_wait_completion(ctx, entry)
