"""Effects that only a mistake has."""

from uffdviz.kernel.locks.vma_refcnt import READING, VmaRefcnt
from uffdviz.kernel.steps import Outcome
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact


def count_up_anyhow(s: VmaRefcnt, task: str) -> Outcome:
    """Count a reader in, also at zero."""
    if s.flag:
        return s, s.count, Fact("LockRefused", "read", s.holders)
    return msgspec.structs.replace(s, readers=(*s.readers, task)), -1, READING
