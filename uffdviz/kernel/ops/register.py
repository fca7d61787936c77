"""Registering a range with a userfaultfd, unregistering it, and closing the file.

Kernel: fs/userfaultfd.c (the loops over mappings moved to mm/userfaultfd.c in v6.10). See the
reference, section 8. All three take mmap_lock for writing and cannot be interrupted.
Left out: hugetlb, secret memory, drop-on-fork mappings, counts of mappings.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EBUSY, EINVAL, EPERM, ESRCH
from uffdviz.kernel.memory import VmaRecord, plain, tree_overlap
from uffdviz.kernel.objects import PAGE_SIZE, Mm, Uffd, Vma
from uffdviz.kernel.steps import Outcome, Step
from uffdviz.kernel.vma_tree import TASK_SIZE, part, whole_record
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel

MODES = ("missing", "wp", "minor")


def set_ctx(s: VmaRecord, task: str, name: str, ctx: str, modes: tuple[str, ...]) -> Outcome:
    """Set or clear a mapping's userfaultfd and what it watches for."""
    after = msgspec.structs.replace(s, ctx=ctx, modes=modes)
    words = f"registers {name} with {ctx} for {plain(modes)}" if ctx else f"clears ctx of {name}"
    return after, None, Fact("Changed", detail=words)


def valid_range(start: int, length: int) -> bool:
    """validate_range(): whole pages, at least one, inside the task's addresses."""
    whole = not (start % PAGE_SIZE or length % PAGE_SIZE)
    return whole and length > 0 and 0 < start <= TASK_SIZE - length


def can_userfault(rec: VmaRecord, modes: tuple[str, ...]) -> bool:
    """vma_can_userfault(): anonymous memory or shmem; minor faults need a page cache."""
    if rec.backing == "anon":
        return rec.shared or "minor" not in modes
    return rec.backing == "shmem"


async def userfaultfd_register(
    k: "Kernel", ctx: Uffd, start: int, length: int, modes: tuple[str, ...]
) -> int:
    """Let faults in a range go to this userfaultfd.

    Kernel: fs/userfaultfd.c, userfaultfd_register().
    Returns: 0, or a negative errno; mappings before the one that failed stay registered.
    """
    wanted = tuple(m for m in MODES if m in modes)
    if not wanted or len(wanted) != len(modes) or not valid_range(start, length):
        return EINVAL
    if not await k.mmget_not_zero(ctx.mm):
        return ESRCH
    await k.mmap_write_lock(ctx.mm)
    end = start + length
    names = await Step(ctx.mm.tree, tree_overlap, start, end, cost="tree_walk")
    err = await k.register_checks(ctx, names, wanted)
    for name in names:
        if not err:
            err = await k.register_vma(ctx, k.stage.vma(name), start, end, wanted)
    await k.mmap_write_unlock(ctx.mm)
    await k.mmput(ctx.mm)
    return err


async def register_checks(
    k: "Kernel", ctx: Uffd, names: tuple[str, ...], modes: tuple[str, ...]
) -> int:
    """Look at every mapping before one of them is changed.

    Kernel: userfaultfd_register(), its first loop. Returns: 0, -EINVAL, -EPERM or -EBUSY.
    """
    for name in names:
        rec: VmaRecord = await Step(k.stage.vma(name).rec, whole_record)
        if not can_userfault(rec, modes):
            return EINVAL
        if rec.shared and rec.readonly_file:
            return EPERM
        if rec.ctx not in {"", ctx.name}:
            return EBUSY
    return 0 if names else EINVAL


async def register_vma(
    k: "Kernel", ctx: Uffd, vma: Vma, start: int, end: int, modes: tuple[str, ...]
) -> int:
    """Register the part of one mapping that lies in the range.

    Kernel: fs/userfaultfd.c, the second loop of userfaultfd_register()
    (mm/userfaultfd.c, userfaultfd_register_range()).
    """
    old: VmaRecord = await Step(vma.rec, whole_record)
    if old.freed or (old.ctx == ctx.name and set(modes) <= set(old.modes)):
        return 0
    return await k.vma_modify_flags_uffd(vma, old, start, end, ctx.name, modes)


async def vma_modify_flags_uffd(
    k: "Kernel",
    vma: Vma,
    old: VmaRecord,
    start: int,
    end: int,
    ctx: str,
    modes: tuple[str, ...],
) -> int:
    """Cut or join the mapping so that the range is one of its own, then give it `ctx` and `modes`.

    Kernel: mm/vma.c, vma_modify_flags_uffd(), and userfaultfd_set_ctx() after it.
    Returns: 0, or -ENOMEM.
    """
    piece = part(old, max(start, old.start), min(end, old.end))
    rec = msgspec.structs.replace(piece, ctx=ctx, modes=modes)
    mine, err = await k.vma_modify(vma.mm, vma, old, rec)
    if mine is None:
        return err
    await k.userfaultfd_set_ctx(mine, ctx, modes)
    return 0


async def userfaultfd_set_ctx(k: "Kernel", vma: Vma, ctx: str, modes: tuple[str, ...]) -> None:
    """Write-lock a mapping and set its userfaultfd. Kernel: mm/userfaultfd.c."""
    await k.vma_start_write(vma)
    await Step(vma.rec, set_ctx, vma.name, ctx, modes, cost="store")


async def userfaultfd_reset_ctx(k: "Kernel", vma: Vma, ctx: Uffd) -> None:
    """Take a userfaultfd out of a mapping, if it is in it. Kernel: mm/userfaultfd.c."""
    rec: VmaRecord = await Step(vma.rec, whole_record)
    if rec.ctx == ctx.name:
        await k.userfaultfd_set_ctx(vma, "", ())


async def userfaultfd_unregister(k: "Kernel", ctx: Uffd, start: int, length: int) -> int:
    """Let faults in a range be ordinary again, and wake those that sleep there.

    Kernel: fs/userfaultfd.c, userfaultfd_unregister().
    Returns: 0, or a negative errno.
    """
    if not valid_range(start, length):
        return EINVAL
    if not await k.mmget_not_zero(ctx.mm):
        return ESRCH
    await k.mmap_write_lock(ctx.mm)
    end = start + length
    names = await Step(ctx.mm.tree, tree_overlap, start, end, cost="tree_walk")
    err = await k.unregister_checks(ctx, names)
    for name in names:
        if not err:
            err = await k.unregister_vma(k.stage.vma(name), start, end)
    await k.mmap_write_unlock(ctx.mm)
    await k.mmput(ctx.mm)
    return err


async def unregister_checks(k: "Kernel", ctx: Uffd, names: tuple[str, ...]) -> int:
    """Look at every mapping first; whose userfaultfd it is does not matter.

    Kernel: userfaultfd_unregister() before v6.18, its first loop. Returns: 0 or -EINVAL.
    """
    for name in names:
        rec: VmaRecord = await Step(k.stage.vma(name).rec, whole_record)
        if not can_userfault(rec, rec.modes):
            return EINVAL
    return 0 if names else EINVAL


async def unregister_checks_v6_18(k: "Kernel", ctx: Uffd, names: tuple[str, ...]) -> int:
    """Look at every mapping first; another userfaultfd's is refused.

    Kernel: userfaultfd_unregister() since v6.18, its first loop. Returns: 0 or -EINVAL.
    """
    for name in names:
        rec: VmaRecord = await Step(k.stage.vma(name).rec, whole_record)
        if rec.ctx not in {"", ctx.name} or not can_userfault(rec, rec.modes):
            return EINVAL
    return 0 if names else EINVAL


async def unregister_vma(k: "Kernel", vma: Vma, start: int, end: int) -> int:
    """Unregister the part of one mapping that lies in the range.

    The sleepers are woken before the mapping is write-locked. A fault that is under way with the
    mapping locked can still queue itself after that, and nobody wakes it: docs/model.md says more.
    Kernel: fs/userfaultfd.c, the second loop of userfaultfd_unregister().
    """
    old: VmaRecord = await Step(vma.rec, whole_record)
    if not old.ctx or old.freed:
        return 0
    low, high = max(start, old.start), min(end, old.end)
    if "missing" in old.modes:
        await k.wake_userfault(k.stage.uffd(old.ctx), low, high - low)
    return await k.userfaultfd_clear_vma(vma, old, low, high)


async def userfaultfd_clear_vma(k: "Kernel", vma: Vma, old: VmaRecord, start: int, end: int) -> int:
    """Lift the write protection of a range, then take the userfaultfd out.

    Kernel: mm/userfaultfd.c, userfaultfd_clear_vma().
    """
    if "wp" in old.modes:
        await k.uffd_wp_range(vma, start, end - start, False)
    return await k.vma_modify_flags_uffd(vma, old, start, end, "", ())


async def userfaultfd_release(k: "Kernel", ctx: Uffd) -> int:
    """Close the file: no fault sleeps here any more, nobody waits for an answer.

    `released` is set before anybody is woken, so whoever looks after that does not sleep.
    Kernel: fs/userfaultfd.c, userfaultfd_release().
    Returns: 0.
    """
    await k.write_once(ctx.released, 1)
    if await k.mmget_not_zero(ctx.mm):
        await k.userfaultfd_release_all(ctx.mm, ctx)
        await k.mmput(ctx.mm)
    await k.do_wake_userfault(ctx, 0, 0)
    await k.wake_up_all_senders(ctx)
    await k.wake_up_poll(ctx)
    await k.userfaultfd_ctx_put(ctx)
    return 0


async def userfaultfd_release_all(k: "Kernel", mm: Mm, ctx: Uffd) -> None:
    """Take the context out of every mapping. Kernel: mm/userfaultfd.c.

    A mapping that cannot be joined to a neighbour for want of memory stays as it is.
    """
    await k.mmap_write_lock(mm)
    for name in await Step(mm.tree, tree_overlap, 0, TASK_SIZE, cost="tree_walk"):
        vma = k.stage.vma(name)
        old: VmaRecord = await Step(vma.rec, whole_record)
        if old.ctx == ctx.name and not old.freed:
            await k.release_vma(vma, old)
    await k.mmap_write_unlock(mm)


async def release_vma(k: "Kernel", vma: Vma, old: VmaRecord) -> None:
    """Take the context out of one mapping; its pages are writable again.

    Kernel: fs/userfaultfd.c, the loop of userfaultfd_release() since v6.9.
    """
    await k.userfaultfd_clear_vma(vma, old, old.start, old.end)


async def release_vma_v6_8(k: "Kernel", vma: Vma, old: VmaRecord) -> None:
    """Take the context out of one mapping; write-protected pages stay so until they fault.

    Kernel: fs/userfaultfd.c, the loop of userfaultfd_release() before v6.9.
    """
    await k.vma_modify_flags_uffd(vma, old, old.start, old.end, "", ())
