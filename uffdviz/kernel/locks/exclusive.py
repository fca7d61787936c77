"""A lock with one holder and a first-come queue: spinlocks and the folio lock.

Kernel: kernel/locking/qspinlock.c (spins in order of arrival); mm/filemap.c, folio_lock().
Left out: interrupts, preemption, the pending bit; barging into a folio lock.
"""

from typing import TYPE_CHECKING, Final

from uffdviz.kernel.locks.base import MISUSED, Waiter, primitive
from uffdviz.kernel.steps import Obj, Outcome, Step
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel

ACQUIRED: Final = Fact("LockAcquired", "write")
RELEASED: Final = Fact("LockReleased", "write")


class Exclusive(msgspec.Struct, frozen=True, tag="exclusive", omit_defaults=True):
    """Who holds the lock and who is next."""

    holder: str = ""
    queue: tuple[Waiter, ...] = ()

    @property
    def holders(self) -> tuple[str, ...]:
        """The holder, if there is one."""
        return (self.holder,) if self.holder else ()


def enter(s: Exclusive, task: str) -> Outcome:
    """Take the lock, or join the queue; the answer says which."""
    if not s.holder and not s.queue:
        return Exclusive(task), True, ACQUIRED
    queued = Exclusive(s.holder, (*s.queue, Waiter(task)))
    return queued, False, Fact("LockContended", "write", s.holders)


def wait(s: Exclusive, task: str) -> Outcome:
    """Take the free lock from the head of the queue."""
    if s.holder or s.queue[0].task != task:
        return None
    return Exclusive(task, s.queue[1:]), True, ACQUIRED


def trylock(s: Exclusive, task: str) -> Outcome:
    """Take the lock only if nobody holds it or queues."""
    if s.holder or s.queue:
        return s, False, Fact("LockRefused", "write", s.holders)
    return Exclusive(task), True, ACQUIRED


def release(s: Exclusive, task: str) -> Outcome:
    """Let go; the head of the queue sees it."""
    if s.holder != task:
        return s, None, MISUSED
    return Exclusive("", s.queue), None, RELEASED


@primitive
async def spin_lock(k: "Kernel", lock: Obj) -> None:
    """Take a spinlock, waiting in order of arrival."""
    if not await Step(lock, enter, cost="spin_lock"):
        await Step(lock, wait, cost="spin_lock", waits=True)


@primitive
async def spin_unlock(k: "Kernel", lock: Obj) -> None:
    """Release a spinlock."""
    await Step(lock, release, cost="spin_unlock")


@primitive
async def folio_lock(k: "Kernel", lock: Obj) -> None:
    """Lock a folio, asleep until it is free."""
    if not await Step(lock, enter, cost="folio_lock"):
        await Step(lock, wait, cost="folio_lock", waits=True)


@primitive
async def folio_trylock(k: "Kernel", lock: Obj) -> bool:
    """Lock a folio if that needs no wait. Returns: whether it did."""
    return bool(await Step(lock, trylock, cost="folio_lock"))


@primitive
async def folio_unlock(k: "Kernel", lock: Obj) -> None:
    """Unlock a folio."""
    await Step(lock, release, cost="folio_unlock")
