"""Kernel code that needs a user's page in its hands: get_user_pages().

Kernel: mm/gup.c. Left out: long-term pins, several pages at once.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EFAULT, EINTR
from uffdviz.kernel.memory import Folio, look, pte_at, tree_walk
from uffdviz.kernel.objects import PAGE_SIZE, Mm
from uffdviz.kernel.ops.fault import allows
from uffdviz.kernel.ops.vm_fault import OOM, RETRY, SIGBUS, Fault, permits
from uffdviz.kernel.steps import Outcome, Step
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


def pin(s: Folio, task: str, name: str) -> Outcome:
    """Keep a page where it is."""
    return msgspec.structs.replace(s, pins=s.pins + 1), None, Fact("Changed", detail=f"pins {name}")


def unpin(s: Folio, task: str, name: str) -> Outcome:
    """Let go of a page."""
    after = msgspec.structs.replace(s, pins=s.pins - 1)
    return after, None, Fact("Changed", detail=f"unpins {name}")


async def pin_user_page_fast(k: "Kernel", mm: Mm, addr: int, write: bool) -> int:
    """Pin the page at an address: first without any lock.

    Kernel: mm/gup.c, pin_user_pages_fast(). The reference is taken before the entry is looked at
    once more: whoever clears the entry meanwhile finds the pin, or the pin is given back.
    Returns: 0, -EFAULT or -EINTR.
    """
    pte = await Step(mm.table(addr), pte_at, addr // PAGE_SIZE)
    if permits(pte, write=write) and pte.folio:
        await Step(k.stage.folio(pte.folio).rec, pin, pte.folio, cost="atomic")
        if await Step(mm.table(addr), pte_at, addr // PAGE_SIZE) == pte:
            return 0
        await k.unpin_user_page(pte.folio)
    return int(await k.pin_user_page(mm, addr, write))


async def pin_user_page(k: "Kernel", mm: Mm, addr: int, write: bool) -> int:
    """Pin the page at an address; fault it in first if it is not there.

    mmap_lock stays held from one try to the next, unless the fault drops it and says retry. A fault
    that says "done" and leaves the page missing makes this loop for ever with the lock held.
    Kernel: mm/gup.c, __get_user_pages_locked() and faultin_page().
    Returns: 0, -EFAULT or -EINTR.
    """
    if await k.mmap_read_lock_killable(mm):
        return EINTR
    while not await k.follow_page_pte(mm, addr, write):
        fault = await k.faultin_page(mm, addr, write)
        if fault == RETRY:
            if await k.signal_pending() or await k.mmap_read_lock_killable(mm):
                return EINTR
        elif fault in {SIGBUS, OOM}:
            await k.mmap_read_unlock(mm)
            return EFAULT
    await k.mmap_read_unlock(mm)
    return 0


async def follow_page_pte(k: "Kernel", mm: Mm, addr: int, write: bool) -> bool:
    """Pin the page if it is there. Kernel: mm/gup.c. Returns: whether it was."""
    await k.spin_lock(mm.ptl(addr))
    pte = await Step(mm.table(addr), pte_at, addr // PAGE_SIZE)
    found = permits(pte, write=write)
    if found and pte.folio:
        await Step(k.stage.folio(pte.folio).rec, pin, pte.folio, cost="atomic")
    await k.spin_unlock(mm.ptl(addr))
    return found


async def faultin_page(k: "Kernel", mm: Mm, addr: int, write: bool) -> str:
    """Handle a fault for somebody who holds mmap_lock, where the mapping permits the access.

    Kernel: mm/gup.c, faultin_page(), and check_vma_flags() before it.
    """
    name = await Step(mm.tree, tree_walk, addr, cost="tree_walk")
    if not name:
        return SIGBUS
    vma, vmf = k.stage.vma(name), Fault(addr, write, user=False)
    if not allows(await Step(vma.rec, look, "prot"), vmf):
        return SIGBUS
    return await k.handle_mm_fault(vma, vmf)


async def unpin_user_page(k: "Kernel", name: str) -> None:
    """Let go of a pinned page. Kernel: mm/gup.c."""
    await Step(k.stage.folio(name).rec, unpin, name, cost="atomic")
