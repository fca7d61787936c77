"""v6.1: no per-VMA lock at all, and neither UFFDIO_MOVE nor UFFDIO_POISON."""

from typing import ClassVar

from uffdviz.kernel.eras.v6_8 import V6_8
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.objects import Mm, Vma
from uffdviz.kernel.ops.change_protection import uffd_wp_range_v6_1
from uffdviz.kernel.ops.fault import do_user_addr_fault_v6_1
from uffdviz.kernel.ops.userfaultfd_ioctl import no_such_ioctl
from uffdviz.kernel.ops.vma import no_detached_mark
from uffdviz.kernel.steps import Work


async def no_vma_lock(k: "Kernel", vma: Vma) -> None:
    """Do nothing: a mapping has no lock of its own. Kernel: include/linux/mm.h from v6.4 on."""


async def no_vma_end_write_all(k: "Kernel", mm: Mm) -> None:
    """Do nothing: there is no sequence number to move.

    Kernel: include/linux/mmap_lock.h from v6.4 on.
    """


async def lock_vma_under_rcu(k: "Kernel", mm: Mm, addr: int) -> Vma | None:
    """Find nothing: every fault goes by mmap_lock. Kernel: mm/memory.c from v6.4 on."""
    return None


async def copy_from_user_inatomic(k: "Kernel", src: int) -> bool:
    """Copy a page from user memory with faults disabled, and after a fault try once more.

    Kernel: arch/x86/lib/copy_user_64.S: what is left after a fault is tried byte by byte.
    Returns: whether the page was there.
    """
    if not await k.user_page_present(src) and not await k.user_page_present(src):
        return False
    await Work("copy_page")
    return True


class V6_1(V6_8):
    """mmap_lock alone."""

    era: ClassVar[str] = "v6.1"

    vma_start_write = no_vma_lock
    vma_end_read = no_vma_lock
    vma_mark_detached = no_detached_mark
    vma_mark_attached = no_detached_mark
    vma_end_write_all = no_vma_end_write_all
    lock_vma_under_rcu = lock_vma_under_rcu
    do_user_addr_fault = do_user_addr_fault_v6_1
    copy_from_user_inatomic = copy_from_user_inatomic
    userfaultfd_poison = no_such_ioctl
    userfaultfd_move = no_such_ioctl
    uffd_wp_range = uffd_wp_range_v6_1
