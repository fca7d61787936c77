"""Page faults: from the access to the lock under which the fault is handled.

Kernel: arch/x86/mm/fault.c; mm/memory.c, lock_mm_and_find_vma() (mm/mmap_lock.c since v6.16).
Step numbers f1 to f6 are those of the reference, section 5.1.
"""

from typing import TYPE_CHECKING, Final

from uffdviz.kernel.errno import EINTR
from uffdviz.kernel.memory import look, pte_at, tree_walk
from uffdviz.kernel.objects import PAGE_SIZE, Mm, Vma
from uffdviz.kernel.ops.vm_fault import RETRY, SIGBUS, Fault, permits
from uffdviz.kernel.steps import Step

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel

LOCK_MMAP: Final = "lock_mmap"
"""The fault goes on under mmap_lock (the label of that name in do_user_addr_fault())."""


async def page_fault(k: "Kernel", addr: int, write: bool) -> int | str:
    """Touch a page from user mode: no fault if the page table allows it, else fault and try again.

    Left out: reserved bits, protection keys; a fault without memory just tries again.
    Returns: the byte read (1 on a filled page), 0 for a write; "SIGBUS", "SIGSEGV", or -EINTR: a
    fatal signal came first.
    """
    return await k.access(addr, write, True)


async def kernel_fault(k: "Kernel", addr: int, write: bool) -> int | str:
    """Touch a user's page from within the kernel, as copy_from_user() does, with faults allowed.

    Such a fault goes by mmap_lock, never by the mapping's lock: the caller must hold neither.
    Returns: 0, or as page_fault(); what is not 0 makes the copy fall short.
    """
    result = await k.access(addr, write, False)
    return 0 if result == 1 else result


async def access(k: "Kernel", addr: int, write: bool, user: bool) -> int | str:
    """Go through the page table, and fault until it lets the access through."""
    mm = k.current.mm
    while True:
        pte = await Step(mm.table(addr), pte_at, addr // PAGE_SIZE)
        if permits(pte, write=write):
            return int(not write and pte.kind == "page")
        del pte  # an old entry would tell states apart that are the same
        result = await k.do_user_addr_fault(mm, Fault(addr, write, user))
        if result:
            return result


async def do_user_addr_fault(k: "Kernel", mm: Mm, vmf: Fault) -> int | str:
    """Handle a fault at a user address: under the mapping's lock, or else under mmap_lock.

    Kernel: arch/x86/mm/fault.c, do_user_addr_fault() since v6.4.
    Returns: 0 to try the access again, "SIGBUS", "SIGSEGV" or -EINTR.
    """
    if vmf.user:
        result = await k.fault_under_vma_lock(mm, vmf)  # f1
        if result != LOCK_MMAP:
            return result
    return await k.fault_under_mmap_lock(mm, vmf)  # f5


async def do_user_addr_fault_v6_1(k: "Kernel", mm: Mm, vmf: Fault) -> int | str:
    """Handle a fault at a user address under mmap_lock.

    Kernel: arch/x86/mm/fault.c, do_user_addr_fault() before v6.4.
    Returns: 0 to try the access again, "SIGBUS", "SIGSEGV" or -EINTR.
    """
    return await k.fault_under_mmap_lock(mm, vmf)  # f5


async def fault_under_vma_lock(k: "Kernel", mm: Mm, vmf: Fault) -> int | str:
    """Try to handle a fault without mmap_lock.

    Kernel: do_user_addr_fault(), its part before the label lock_mmap.
    Returns: as do_user_addr_fault(), or LOCK_MMAP.
    """
    vma = await k.lock_vma_under_rcu(mm, vmf.addr)  # f2
    if vma is None:
        return LOCK_MMAP
    if not allows(await Step(vma.rec, look, "prot"), vmf):  # f2
        await k.vma_end_read(vma)  # f2
        return await k.bad_access_under_vma_lock()  # f2
    fault = await k.handle_mm_fault(vma, Fault(vmf.addr, vmf.write, vma_lock=True))  # f3
    if fault != RETRY:
        await k.vma_end_read(vma)  # f4
        return delivered(fault)
    return EINTR if await k.signal_pending() else LOCK_MMAP  # f4


async def bad_access_under_vma_lock(k: "Kernel") -> str:
    """Look again under mmap_lock before a signal is sent. Kernel: x86 before v6.10."""
    return LOCK_MMAP


async def bad_access_under_vma_lock_v6_10(k: "Kernel") -> str:
    """Send the signal at once. Kernel: arch/x86/mm/fault.c since v6.10."""
    return "SIGSEGV"


async def fault_under_mmap_lock(k: "Kernel", mm: Mm, vmf: Fault) -> int | str:
    """Handle a fault under mmap_lock, again as long as the handler dropped it and says retry.

    Kernel: do_user_addr_fault(), its part after the label lock_mmap.
    """
    while True:
        vma = await k.lock_mm_and_find_vma(mm, vmf.addr)  # f5
        if isinstance(vma, int | str):
            return vma
        if not allows(await Step(vma.rec, look, "prot"), vmf):  # f5
            await k.mmap_read_unlock(mm)  # f5
            return "SIGSEGV"
        fault = await k.handle_mm_fault(vma, vmf)  # f6
        if fault != RETRY:
            await k.mmap_read_unlock(mm)  # f6
            return delivered(fault)
        if await k.signal_pending():  # f6
            return EINTR


async def lock_mm_and_find_vma(k: "Kernel", mm: Mm, addr: int) -> Vma | int | str:
    """Take mmap_lock for a fault and find the mapping.

    Kernel: mm/memory.c, lock_mm_and_find_vma(). Left out: growing stacks.
    Returns: the mapping; else without the lock -EINTR or "SIGSEGV".
    """
    locked = await k.mmap_read_trylock(mm)  # f5
    if not locked and await k.mmap_read_lock_killable(mm):  # f5
        return EINTR
    name = await Step(mm.tree, tree_walk, addr, cost="tree_walk")  # f5
    if name:
        return k.stage.vma(name)
    await k.mmap_read_unlock(mm)  # f5
    return "SIGSEGV"


def allows(prot: str, vmf: Fault) -> bool:
    """access_error(), the other way round: whether the mapping permits the access."""
    return ("w" if vmf.write else "r") in prot


def delivered(fault: str) -> int | str:
    """What the one who touched the page gets: a signal, or another try."""
    return "SIGBUS" if fault == SIGBUS else 0
