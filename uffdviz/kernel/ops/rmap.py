"""From a page to the mappings that have it: anon_vma.

Kernel: mm/rmap.c. An `AnonVma` is the root of a tree of them, whose rwsem guards the whole tree.
`anon_vma users` counts mappings that use it; nobody's is free to be allocated again.
Left out: the tree below the root (a child's own anon_vma has its parent's root and lock), chains.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import ENOMEM
from uffdviz.kernel.memory import VmaRecord, look, put
from uffdviz.kernel.objects import AnonVma, Vma
from uffdviz.kernel.steps import Outcome, Step, Work
from uffdviz.kernel.vma_tree import linear_pgoff, tree_around, whole_record
from uffdviz.trace.events import Fact

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


def claim(s: int, task: str, name: str) -> Outcome:
    """Allocate an anon_vma under this name if nobody uses one; the answer says whether."""
    if s > 0:
        return s, False, Fact("Saw", detail=f"{s} users")
    return 1, True, Fact("Changed", detail=f"makes anon_vma {name}")


def publish(s: VmaRecord, task: str, name: str, anon_vma: str) -> Outcome:
    """Let a mapping adopt a neighbour's anon_vma, which somebody must be using still."""
    return put(s, task, name, "anon_vma", anon_vma)


def compatible(vma: VmaRecord, near: VmaRecord | None) -> bool:
    """Whether two neighbours could be one mapping after an mprotect().

    Kernel: mm/vma.c, anon_vma_compatible().
    """
    if near is None or not near.anon_vma:
        return False
    low, high = sorted((vma, near), key=lambda rec: rec.start)
    pages = (low.end - low.start) // 4096
    same = ("shared", "backing", "file", "modes", "dontfork")
    return (
        low.end == high.start
        and all(getattr(low, f) == getattr(high, f) for f in same)
        and linear_pgoff(low) + pages == linear_pgoff(high)
    )


async def anon_vma_prepare(k: "Kernel", vma: Vma) -> int:
    """Give a mapping an anon_vma before its first anonymous page. The caller holds mmap_lock.

    A neighbour's is adopted if the two may become one mapping some day: neighbours are not locked
    by the lock of this mapping, so mmap_lock it must be. Of two that prepare at once the first to
    take page_table_lock wins.
    Kernel: mm/rmap.c, __anon_vma_prepare().
    Returns: 0, or -ENOMEM.
    """
    if await Step(vma.rec, look, "anon_vma"):
        return 0
    if await Work("anon_vma_chain_alloc", cost="anon_vma_alloc", errno=ENOMEM):
        return ENOMEM
    anon_vma = await k.find_mergeable_anon_vma(vma)
    allocated = anon_vma is None
    if anon_vma is None:
        anon_vma = await k.anon_vma_alloc(vma)
        if anon_vma is None:
            return ENOMEM
    used = await k.anon_vma_publish(vma, anon_vma, not allocated)
    if allocated and not used:
        await k.put_anon_vma(anon_vma)
    return 0


async def anon_vma_publish(k: "Kernel", vma: Vma, anon_vma: AnonVma, adopted: bool) -> bool:
    """Set the mapping's anon_vma unless somebody was faster.

    Kernel: mm/rmap.c, in __anon_vma_prepare().
    Returns: whether it is the one that the mapping has now.
    """
    await k.down_write(anon_vma.lock)
    await k.spin_lock(vma.mm.page_table_lock)
    free = not await Step(vma.rec, look, "anon_vma")
    if free and adopted:
        await Step(vma.rec, publish, vma.name, anon_vma.name, cost="store")
        await k.atomic_add(anon_vma.rec, 1)
    elif free:
        await Step(vma.rec, put, vma.name, "anon_vma", anon_vma.name, cost="store")
    await k.spin_unlock(vma.mm.page_table_lock)
    await k.up_write(anon_vma.lock)
    return free


async def find_mergeable_anon_vma(k: "Kernel", vma: Vma) -> AnonVma | None:
    """Find a neighbour whose anon_vma fits: the next one first.

    Kernel: mm/vma.c, find_mergeable_anon_vma(). Left out: neighbours of forked processes are
    not asked whether their chain is singular.
    Returns: its anon_vma, or None.
    """
    rec: VmaRecord = await Step(vma.rec, whole_record)
    below, above = await Step(vma.mm.tree, tree_around, rec.start, rec.end, cost="tree_walk")
    for name in (above, below):
        if name:
            near: VmaRecord = await Step(k.stage.vma(name).rec, whole_record)
            if compatible(rec, near):
                return k.stage.anon_vma(near.anon_vma)
    return None


async def anon_vma_alloc(k: "Kernel", vma: Vma) -> AnonVma | None:
    """Allocate an anon_vma; it is called as the mapping, with `~2`, `~3` if that is in use.

    Kernel: mm/rmap.c, anon_vma_alloc().
    Returns: it, or None for want of memory.
    """
    if await Work("anon_vma_alloc", errno=ENOMEM):
        return None
    number = 1
    while True:
        name = vma.name if number == 1 else f"{vma.name}~{number}"
        anon_vma = k.stage.anon_vma(name)
        if await Step(anon_vma.rec, claim, name, cost="slab_alloc"):
            return anon_vma
        number += 1


async def put_anon_vma(k: "Kernel", anon_vma: AnonVma) -> None:
    """Let go of an anon_vma; without users it is free. Kernel: include/linux/rmap.h."""
    await k.atomic_add(anon_vma.rec, -1)


async def anon_vma_lock_write(k: "Kernel", name: str) -> None:
    """Keep rmap walkers out of all mappings of an anon_vma. Kernel: include/linux/rmap.h."""
    await k.down_write(k.stage.anon_vma(name).lock)


async def anon_vma_unlock_write(k: "Kernel", name: str) -> None:
    """Let rmap walkers in again. Kernel: include/linux/rmap.h."""
    await k.up_write(k.stage.anon_vma(name).lock)


async def anon_vma_clone(k: "Kernel", dst: Vma, src: Vma) -> int:
    """Let a mapping belong to the anon_vma of another one, which its record names already.

    Kernel: mm/rmap.c, anon_vma_clone().
    Returns: 0, or -ENOMEM.
    """
    name = await Step(src.rec, look, "anon_vma")
    if not name:
        return 0
    if await Work("anon_vma_clone", cost="anon_vma_alloc", errno=ENOMEM):
        return ENOMEM
    anon_vma = k.stage.anon_vma(name)
    await k.down_write(anon_vma.lock)
    await k.atomic_add(anon_vma.rec, 1)
    await k.up_write(anon_vma.lock)
    return 0


async def anon_vma_fork(k: "Kernel", vma: Vma, pvma: Vma) -> int:
    """Attach a child's mapping to its parent's anon_vma, and give it one of its own below it.

    Kernel: mm/rmap.c, anon_vma_fork().
    Returns: 0, or -ENOMEM.
    """
    name = await Step(pvma.rec, look, "anon_vma")
    if not name:
        return 0
    if await k.anon_vma_clone(vma, pvma):
        return ENOMEM
    if await Work("anon_vma_fork", cost="anon_vma_alloc", errno=ENOMEM):
        await k.unlink_anon_vmas(vma)
        return ENOMEM
    await k.anon_vma_lock_write(name)
    await k.anon_vma_unlock_write(name)
    return 0


async def unlink_anon_vmas(k: "Kernel", vma: Vma) -> None:
    """Take a mapping out of its anon_vma; the caller has it write-locked, or it is nobody's.

    Kernel: mm/rmap.c, unlink_anon_vmas().
    """
    name = await Step(vma.rec, look, "anon_vma")
    if not name:
        return
    anon_vma = k.stage.anon_vma(name)
    await k.down_write(anon_vma.lock)
    await Step(vma.rec, put, vma.name, "anon_vma", "", cost="store")
    await k.up_write(anon_vma.lock)
    await k.put_anon_vma(anon_vma)
