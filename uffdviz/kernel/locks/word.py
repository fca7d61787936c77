"""Plain words of memory that several CPUs use: counters, sequence numbers, flags.

Left out: memory order. The model is sequentially consistent; what that hides is in docs/model.md.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.locks.base import primitive
from uffdviz.kernel.steps import Obj, Outcome, Step
from uffdviz.trace.events import Fact

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


def load(s: int, task: str) -> Outcome:
    """Look at a word."""
    return s, s, Fact("Saw", detail=str(s))


def store(s: int, task: str, name: str, value: int) -> Outcome:
    """Set a word."""
    return value, None, Fact("Changed", detail=f"sets {name} to {value}")


def add(s: int, task: str, name: str, by: int) -> Outcome:
    """Add to a word; the answer is its new value."""
    verb = "raises" if by > 0 else "lowers"
    return s + by, s + by, Fact("Changed", detail=f"{verb} {name} to {s + by}")


@primitive
async def read_once(k: "Kernel", word: Obj) -> int:
    """Look at a word once. Kernel: include/linux/compiler.h, READ_ONCE(). Returns: its value."""
    return int(await Step(word, load, cost="check"))


@primitive
async def write_once(k: "Kernel", word: Obj, value: int) -> None:
    """Set a word. Kernel: include/linux/compiler.h, WRITE_ONCE()."""
    await Step(word, store, word.name, value, cost="store")


@primitive
async def atomic_add(k: "Kernel", word: Obj, by: int) -> int:
    """Add to a word in one go. Kernel: include/linux/atomic.h. Returns: the new value."""
    return int(await Step(word, add, word.name, by, cost="atomic"))
