"""Who keeps an address space alive: users of its mappings, and holders of the structure.

Kernel: include/linux/sched/mm.h.
Left out: what the last mmput() and the last mmdrop() tear down; exit_mmap() is the exit's own work.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.objects import Mm
from uffdviz.kernel.steps import Outcome, Step
from uffdviz.trace.events import Fact

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


def inc_not_zero(s: int, task: str, name: str) -> Outcome:
    """Take a reference unless none is left; the answer says whether it was taken."""
    if s == 0:
        return s, False, Fact("Saw", detail="0")
    return s + 1, True, Fact("Changed", detail=f"raises {name} to {s + 1}")


async def mmget_not_zero(k: "Kernel", mm: Mm) -> bool:
    """Keep the mappings from being torn down. Returns: whether they still were there."""
    return bool(await Step(mm.users, inc_not_zero, mm.users.name, cost="atomic"))


async def mmput(k: "Kernel", mm: Mm) -> None:
    """Stop using the mappings of an address space."""
    await k.atomic_add(mm.users, -1)


async def mmgrab(k: "Kernel", mm: Mm) -> None:
    """Keep the structure of an address space, mappings or not."""
    await k.atomic_add(mm.count, 1)


async def mmdrop(k: "Kernel", mm: Mm) -> None:
    """Let go of the structure of an address space."""
    await k.atomic_add(mm.count, -1)
