"""What a page fault is about, and how its handling can end. Kernel: include/linux/mm_types.h."""

from typing import Final

from uffdviz.kernel.memory import Pte
from uffdviz.light import msgspec

DONE: Final = "0"
NOPAGE: Final = "VM_FAULT_NOPAGE"
RETRY: Final = "VM_FAULT_RETRY"
SIGBUS: Final = "VM_FAULT_SIGBUS"
OOM: Final = "VM_FAULT_OOM"


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """struct vm_fault: where and how, and what the one who faults allows.

    `vma_lock`: it holds the mapping's lock instead of mmap_lock. `user`: from user mode.
    `may_retry`: the handler may drop the lock and ask for a second try; with `nowait` it may only
    ask.
    """

    addr: int
    write: bool
    user: bool = True
    vma_lock: bool = False
    may_retry: bool = True
    nowait: bool = False


def permits(pte: Pte | None, *, write: bool) -> bool:
    """Whether the processor goes through an entry without a fault."""
    if pte is None or pte.kind not in {"page", "zero"}:
        return False
    return not write or (pte.write and not pte.wp)
