"""A sequence count: who looks without a lock learns whether somebody has written meanwhile.

Kernel: include/linux/seqlock.h. Its number says nothing but whether it has moved since a look began.
So what is kept here is whose look still holds, and not the number, which would grow without end: a
search could then never be through with a monitor that reads for ever.
Left out: wrapping after 2^32 changes, within one look.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.locks.base import primitive, without_one
from uffdviz.kernel.steps import Obj, Outcome, Step
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


class SeqCount(msgspec.Struct, frozen=True, tag="seqcount", omit_defaults=True):
    """Whether the number is odd, and the tasks that have begun to look since it last moved."""

    odd: bool = False
    looks: tuple[str, ...] = ()


def begin_look(s: SeqCount, task: str) -> Outcome:
    """Begin to look, once no writer is at it."""
    if s.odd:
        return None
    return SeqCount(looks=(*s.looks, task)), None, Fact("Saw", detail="even")


def end_look(s: SeqCount, task: str) -> Outcome:
    """End a look; the answer: it has to be made again."""
    if task not in s.looks:
        return s, True, Fact("Saw", detail="moved")
    return SeqCount(s.odd, without_one(s.looks, task)), False, Fact("Saw", detail="unmoved")


def move(s: SeqCount, task: str, name: str) -> Outcome:
    """Add one to the number: no look that has begun holds any more."""
    word = "even" if s.odd else "odd"
    return SeqCount(odd=not s.odd), None, Fact("Changed", detail=f"makes {name} {word}")


@primitive
async def read_seqcount_begin(k: "Kernel", count: Obj) -> None:
    """Begin to look at what the count stands for, spinning while somebody writes."""
    await Step(count, begin_look, cost="check", waits=True)


@primitive
async def read_seqcount_retry(k: "Kernel", count: Obj) -> bool:
    """End the look. Returns: whether it has to be made again."""
    return bool(await Step(count, end_look, cost="check"))


@primitive
async def write_seqcount_begin(k: "Kernel", count: Obj) -> None:
    """Say that a change begins. Writers keep each other out by a lock of their own."""
    await Step(count, move, count.name, cost="atomic")


@primitive
async def write_seqcount_end(k: "Kernel", count: Obj) -> None:
    """Say that the change is over."""
    await Step(count, move, count.name, cost="atomic")
