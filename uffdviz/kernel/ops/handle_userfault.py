"""A fault that user space has to answer: ask, sleep, try again.

Kernel: fs/userfaultfd.c. Step numbers h1 to h10 are those of the reference, section 5.3.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.memory import look, pte_at
from uffdviz.kernel.objects import PAGE_SIZE, Mm, Uffd, Vma
from uffdviz.kernel.ops.vm_fault import NOPAGE, RETRY, SIGBUS, Fault
from uffdviz.kernel.queues import Entry, append, intend_linked, remove, unlink
from uffdviz.kernel.steps import Step

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def handle_userfault(k: "Kernel", vma: Vma, vmf: Fault, reason: str) -> str:
    """Tell the monitor of a fault and sleep until somebody wakes this task.

    The fault is queued and the task's state set before the page table is looked at once more:
    whoever fills the page in between finds the entry and wakes the task.
    Kernel: fs/userfaultfd.c, handle_userfault(). The caller holds `vma` or mmap_lock.
    Left out: tasks that exit or dump core; hugetlb.
    Returns: RETRY with the lock dropped, or what userfaultfd_admits() refused with.
    """
    name = await Step(vma.rec, look, "ctx")  # h1
    if not name:
        return SIGBUS
    ctx = k.stage.uffd(name)
    if refused := await k.userfaultfd_admits(ctx, vma, vmf):  # h1
        return refused
    await k.userfaultfd_ctx_get(ctx)  # h4
    entry = Entry(k.current.name, "pagefault", vmf.addr, vmf.addr + 1, flags=flags_of(vmf, reason))
    await k.spin_lock(ctx.fault_pending_lock)  # h5
    await Step(ctx.fault_pending_wqh, append, "fault_pending_wqh", entry, cost="queue")  # h5
    await Step(k.current.state, intend_linked, "interruptible", cost="store")  # h5
    await k.spin_unlock(ctx.fault_pending_lock)  # h5
    must_wait = await k.userfaultfd_must_wait(vma.mm, vmf.addr, reason)  # h6
    await k.release_fault_lock(vma, vmf)  # h7
    if must_wait and not await k.read_once(ctx.released):  # h8
        await k.wake_up_poll(ctx)  # h8
        await k.schedule()  # h8
    else:
        await k.set_current_state("running")  # h9
    if await Step(k.current.state, look, "linked"):  # h9
        await k.dequeue_userfault(ctx, entry)  # h9
    await k.userfaultfd_ctx_put(ctx)  # h10
    return RETRY


def flags_of(vmf: Fault, reason: str) -> tuple[str, ...]:
    """What the message says of the access: write or read, and why it came here."""
    return ("write" if vmf.write else "read", reason)


def barred(ctx: Uffd, vmf: Fault) -> bool:
    """Whether this context never lets this fault sleep, by the way it was opened."""
    return "sigbus" in ctx.features or ("user_mode_only" in ctx.features and not vmf.user)


async def userfaultfd_admits(k: "Kernel", ctx: Uffd, vma: Vma, vmf: Fault) -> str:
    """Decide whether a fault may sleep here.

    A closed context answers NOPAGE and the lock is kept. For a user's fault that is a retry like
    any other; get_user_pages() tries again with mmap_lock held, and close waits for it for ever.
    Kernel: the tests at the top of handle_userfault() up to v6.14.
    Returns: nothing if it may, else the result of the fault.
    """
    if barred(ctx, vmf):
        return SIGBUS
    if await k.read_once(ctx.released):  # h2
        return NOPAGE
    if not vmf.may_retry:
        return SIGBUS
    return RETRY if vmf.nowait else ""


async def userfaultfd_admits_v6_15(k: "Kernel", ctx: Uffd, vma: Vma, vmf: Fault) -> str:
    """Decide whether a fault may sleep here; a closed context drops the lock.

    Kernel: the tests at the top of handle_userfault() since "fix release hang over concurrent GUP".
    Returns: nothing if it may, else the result of the fault.
    """
    if barred(ctx, vmf) or not vmf.may_retry:
        return SIGBUS
    if await k.read_once(ctx.released):  # h2
        await k.release_fault_lock(vma, vmf)  # h2
        return RETRY
    return RETRY if vmf.nowait else ""


async def userfaultfd_must_wait(k: "Kernel", mm: Mm, addr: int, reason: str) -> bool:
    """Whether the page is still as it was when it faulted, seen without the page-table lock.

    Kernel: fs/userfaultfd.c, userfaultfd_must_wait().
    """
    pte = await Step(mm.table(addr), pte_at, addr // PAGE_SIZE)  # h6
    if pte is None or pte.kind in {"poison", "wp_marker"}:
        return True
    return pte.kind in {"page", "zero"} and reason == "wp" and not pte.write


async def release_fault_lock(k: "Kernel", vma: Vma, vmf: Fault) -> None:
    """Drop the lock that the fault came with. Kernel: include/linux/mm.h."""
    if vmf.vma_lock:
        await k.vma_end_read(vma)
    else:
        await k.mmap_read_unlock(vma.mm)


async def dequeue_userfault(k: "Kernel", ctx: Uffd, entry: Entry) -> None:
    """Take one's own fault off the queue it is in: nobody woke this task, or nobody unlinked it yet.

    Kernel: the end of handle_userfault(); the lock of the first queue covers both.
    """
    await k.spin_lock(ctx.fault_pending_lock)  # h9
    if not await Step(ctx.fault_pending_wqh, remove, "fault_pending_wqh", entry):  # h9
        await Step(ctx.fault_wqh, remove, "fault_wqh", entry)  # h9
    await Step(k.current.state, unlink, entry.task, cost="store")  # h9
    await k.spin_unlock(ctx.fault_pending_lock)  # h9


async def userfaultfd_ctx_get(k: "Kernel", ctx: Uffd) -> None:
    """Keep the context alive. Kernel: fs/userfaultfd.c."""
    await k.atomic_add(ctx.refcount, 1)


async def userfaultfd_ctx_put(k: "Kernel", ctx: Uffd) -> None:
    """Let go of the context. Kernel: fs/userfaultfd.c. Left out: freeing it with the last one."""
    await k.atomic_add(ctx.refcount, -1)
