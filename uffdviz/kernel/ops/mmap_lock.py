"""mmap_lock, and the sequence number that unlocks every mapping at once.

Kernel: include/linux/mmap_lock.h.
Left out: tracepoints; the memory order of the sequence number.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.objects import Mm

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def mmap_read_lock(k: "Kernel", mm: Mm) -> None:
    """Keep the tree and all mappings from changing. Not interruptible."""
    await k.down_read(mm.lock)


async def mmap_read_lock_killable(k: "Kernel", mm: Mm) -> int:
    """Keep the tree and all mappings from changing. Returns: 0, or -EINTR."""
    return await k.down_read_killable(mm.lock)


async def mmap_read_trylock(k: "Kernel", mm: Mm) -> bool:
    """Keep the tree and all mappings from changing if that needs no wait."""
    return await k.down_read_trylock(mm.lock)


async def mmap_read_unlock(k: "Kernel", mm: Mm) -> None:
    """Let writers of the address space in again."""
    await k.up_read(mm.lock)


async def mmap_write_lock(k: "Kernel", mm: Mm) -> None:
    """Gain the right to change mappings. Not interruptible."""
    await k.down_write(mm.lock)


async def mmap_write_lock_killable(k: "Kernel", mm: Mm) -> int:
    """Gain the right to change mappings. Returns: 0, or -EINTR with nothing changed."""
    return await k.down_write_killable(mm.lock)


async def vma_end_write_all(k: "Kernel", mm: Mm) -> None:
    """Unlock every write-locked mapping: none equals the address space's number any more."""
    await k.atomic_add(mm.lock_seq, 1)


async def mmap_write_unlock(k: "Kernel", mm: Mm) -> None:
    """Unlock all mappings, then the rwsem: in this order, or a reader could slip in between."""
    await k.vma_end_write_all(mm)
    await k.up_write(mm.lock)


async def mmap_write_downgrade(k: "Kernel", mm: Mm) -> None:
    """Unlock all mappings, then go on as a reader."""
    await k.vma_end_write_all(mm)
    await k.downgrade_write(mm.lock)
