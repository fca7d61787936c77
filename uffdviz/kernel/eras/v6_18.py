"""v6.18: the per-VMA lock is a count, so that memory of mappings can be used again at once."""

from typing import Any, ClassVar

from uffdviz.kernel.eras.v6_12 import V6_12
from uffdviz.kernel.errno import EAGAIN, EFAULT
from uffdviz.kernel.locks import vma_refcnt
from uffdviz.kernel.memory import look
from uffdviz.kernel.objects import Mm, Uffd, Vma
from uffdviz.kernel.ops import (
    handle_userfault,
    madvise,
    move,
    move_batch,
    move_pte,
    move_swap,
    register,
)
from uffdviz.kernel.ops import vma as vma_ops
from uffdviz.kernel.steps import Step, Work


async def uffd_lock_vma(k: "V6_18", mm: Mm, addr: int) -> Vma | int:
    """Read-lock the mapping at `addr`, with an anon_vma if it is private.

    Kernel: mm/userfaultfd.c, uffd_lock_vma().
    Returns: the mapping, or a negative errno.
    """
    vma: Vma | int | None = await k.lock_vma_under_rcu(mm, addr)  # V1
    if isinstance(vma, Vma):
        shared, anon_vma = await Step(vma.rec, look, "shared", "anon_vma")  # V2
        if shared or anon_vma:
            return vma
        await k.vma_end_read(vma)  # V3
    await k.mmap_read_lock(mm)  # V4
    vma = await k.find_vma_and_prepare_anon(mm, addr)  # V5
    if isinstance(vma, Vma) and not await k.vma_start_read_locked(vma):  # V7
        vma = EAGAIN
    await k.mmap_read_unlock(mm)  # V9
    return vma


async def uffd_move_lock(k: "V6_18", mm: Mm, dst: int, src: int) -> tuple[Vma, Vma] | int:
    """Read-lock the mappings of both ends of a move; one hold if they are one mapping.

    The second one is only tried for: a writer may have it and wait for the first.
    Kernel: mm/userfaultfd.c, uffd_move_lock().
    Returns: the mappings of dst and src, or a negative errno.
    """
    dst_vma = await k.lock_vma(mm, dst)  # T1
    if isinstance(dst_vma, int):
        return dst_vma
    start, end = await Step(dst_vma.rec, look, "start", "end")  # T2
    if start <= src < end:
        return dst_vma, dst_vma
    src_vma = await k.lock_vma_under_rcu(mm, src)  # T3
    if src_vma is not None:
        return dst_vma, src_vma
    await k.vma_end_read(dst_vma)  # T4
    await k.mmap_read_lock(mm)  # T5
    vmas = await k.find_vmas_mm_locked(mm, dst, src)  # T6
    if not isinstance(vmas, int):
        vmas = await k.lock_both_vmas(vmas[0], vmas[1])  # T7
    await k.mmap_read_unlock(mm)  # T9
    return vmas


async def lock_both_vmas(k: "V6_18", dst_vma: Vma, src_vma: Vma) -> tuple[Vma, Vma] | int:
    """Count in at both mappings, or at none. Kernel: mm/userfaultfd.c, in uffd_move_lock()."""
    if not await k.vma_start_read_locked(dst_vma):  # T7
        return EAGAIN
    if src_vma is not dst_vma and not await k.vma_start_read_locked_nested(src_vma):  # T8
        await k.vma_end_read(dst_vma)  # T8
        return EAGAIN
    return dst_vma, src_vma


async def userfaultfd_changing(k: "V6_18", ctx: Uffd) -> int:
    """Turn an operation away while the monitor has an event to read, and say so in its result.

    Kernel: fs/userfaultfd.c ("mm/userfaultfd: fix uninitialized output field for -EAGAIN race").
    """
    if not await k.read_once(ctx.mmap_changing):  # P1
        return 0
    return EFAULT if await Work("put_user", cost="copy_arg", errno=EFAULT) else EAGAIN  # P1


class V6_18(V6_12):
    """Readers are counted in `vm_refcnt`; a count of zero says that the mapping has left."""

    era: ClassVar[str] = "v6.18"
    vma_lock_state: ClassVar[Any] = vma_refcnt.VmaRefcnt()

    vma_start_read: Any = vma_refcnt.vma_start_read
    vma_put_stranger = vma_refcnt.vma_put_stranger
    vma_end_read = vma_refcnt.vma_end_read
    vma_refcount_put = vma_refcnt.vma_refcount_put
    wake_vma_writer = vma_refcnt.wake_vma_writer
    vma_start_read_locked = vma_refcnt.vma_start_read_locked
    vma_start_read_locked_nested = vma_refcnt.vma_start_read_locked
    vma_enter_locked = vma_refcnt.vma_enter_locked
    vma_exit_locked = vma_refcnt.vma_exit_locked
    vma_start_write = vma_refcnt.vma_start_write
    vma_mark_attached = vma_refcnt.vma_mark_attached
    vma_mark_detached = vma_refcnt.vma_mark_detached
    lock_vma_under_rcu = vma_refcnt.lock_vma_under_rcu
    vma_object = vma_ops.vma_object_typesafe
    vm_area_free = vma_ops.vm_area_free_typesafe
    vma_iter_store_new = vma_ops.vma_iter_store_attached
    madvise_pages = madvise.madvise_pages_vma_lock
    lock_vma = uffd_lock_vma
    uffd_move_lock = uffd_move_lock
    lock_both_vmas = lock_both_vmas
    userfaultfd_changing = userfaultfd_changing
    userfaultfd_admits = handle_userfault.userfaultfd_admits_v6_15
    unregister_checks = register.unregister_checks_v6_18
    move_range = move.move_range_v6_18
    move_gives_up_on = move_pte.move_gives_up_on_large
    move_present_pte = move_batch.move_present_ptes
    move_swap_entry = move_swap.move_swap_entry_cached
    move_swap_cache = move_swap.move_swap_cache
