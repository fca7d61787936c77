"""The sleeping reader-writer lock.

Kernel: kernel/locking/rwsem.c (same logic in 6.8 and 7.0).
The rules this file keeps:
- a new reader enters at once only if nobody writes, nobody queues and no handoff is promised;
- else it queues while *readers* hold the lock, and may steal when the lock is momentarily free;
- a trylock never overtakes anybody who is queued;
- a queued writer takes the lock only from the head of the queue; a reader at the head lets in
  all queued readers at once, over the writers between them;
- the first waiter, once its 4 ms have passed, gets a promise (handoff): nobody steals any more.
Left out: the limit of 256 readers a wake-up; the reader count overflow guard; PREEMPT_RT.
"""

from typing import TYPE_CHECKING, Final

from uffdviz.kernel.locks.base import MISUSED, Waiter, primitive, without_one
from uffdviz.kernel.steps import INTERRUPTED, Obj, Outcome, Step
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact, Mode

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel

EINTR: Final = -4
ACQUIRED: Final[dict[Mode, Fact]] = {
    "read": Fact("LockAcquired", "read"),
    "write": Fact("LockAcquired", "write"),
}
RELEASED: Final[dict[Mode, Fact]] = {
    "read": Fact("LockReleased", "read"),
    "write": Fact("LockReleased", "write"),
}


class RwSem(msgspec.Struct, frozen=True, tag="rwsem", omit_defaults=True):
    """Who reads, who writes, who queues; `handoff`: the head of the queue is next for sure."""

    readers: tuple[str, ...] = ()
    writer: str = ""
    queue: tuple[Waiter, ...] = ()
    handoff: bool = False

    @property
    def holders(self) -> tuple[str, ...]:
        """Everybody who holds the lock, in the order of arrival."""
        return (self.writer,) if self.writer else self.readers


def _queued(s: RwSem, task: str, mode: Mode) -> Outcome:
    queue = (*s.queue, Waiter(task, mode))
    return msgspec.structs.replace(s, queue=queue), False, Fact("LockContended", mode, s.holders)


def _written(s: RwSem, task: str, queue: tuple[Waiter, ...]) -> Outcome:
    return RwSem(writer=task, queue=queue), True, ACQUIRED["write"]


def enter_read(s: RwSem, task: str) -> Outcome:
    """Take the lock for reading, or join the queue; the answer says which."""
    free_for_all = not s.writer and not s.queue and not s.handoff
    steals = not s.readers and not s.writer and not s.handoff
    if not (free_for_all or steals):
        return _queued(s, task, "read")
    return (
        msgspec.structs.replace(s, readers=(*s.readers, task)),
        True,
        ACQUIRED["read"],
    )


def enter_write(s: RwSem, task: str) -> Outcome:
    """Take the lock for writing if nobody holds it and none is promised it, or join the queue."""
    if s.readers or s.writer or s.handoff:
        return _queued(s, task, "write")
    return _written(s, task, s.queue)


def try_read(s: RwSem, task: str) -> Outcome:
    """Take the lock for reading only if nobody writes, queues or has a promise."""
    if s.writer or s.queue or s.handoff:
        return s, False, Fact("LockRefused", "read", s.holders)
    return msgspec.structs.replace(s, readers=(*s.readers, task)), True, ACQUIRED["read"]


def try_write(s: RwSem, task: str) -> Outcome:
    """Take the lock for writing only if nobody holds it or queues."""
    if s.writer or s.readers or s.queue:
        return s, False, Fact("LockRefused", "write", s.holders)
    return _written(s, task, ())


def wait_read(s: RwSem, task: str) -> Outcome:
    """Go on once a wake-up has moved this reader from the queue to the readers."""
    if any(w.task == task for w in s.queue):
        return None
    return s, True, ACQUIRED["read"]


def wait_write(s: RwSem, task: str) -> Outcome:
    """Take the free lock from the head of the queue."""
    if s.writer or s.readers or s.queue[0].task != task:
        return None
    return _written(s, task, s.queue[1:])


def leave_queue(s: RwSem, task: str, mode: Mode) -> Outcome:
    """A fatal signal came: leave the queue, unless the lock was granted in the meantime."""
    at = next((i for i, w in enumerate(s.queue) if w.task == task), None)
    if at is None:
        return s, True, ACQUIRED[mode]
    rest = (*s.queue[:at], *s.queue[at + 1 :])
    left = msgspec.structs.replace(s, queue=rest, handoff=s.handoff and at != 0)
    if at == 0:
        left = _readers_in(left)
    return left, False, Fact("LockGaveUp", mode)


def _readers_in(s: RwSem) -> RwSem:
    """Grant the lock to every queued reader if one is at the head (rwsem_mark_wake())."""
    if s.writer or not s.queue or s.queue[0].mode == "write":
        return s
    readers = tuple(w.task for w in s.queue if w.mode == "read")
    writers = tuple(w for w in s.queue if w.mode == "write")
    return RwSem(readers=(*s.readers, *readers), queue=writers)


def release_read(s: RwSem, task: str) -> Outcome:
    """Give up one read hold; the answer: somebody is left to wake."""
    if task not in s.readers:
        return s, False, MISUSED
    left = msgspec.structs.replace(s, readers=without_one(s.readers, task))
    return left, bool(left.queue) and not left.readers, RELEASED["read"]


def release_write(s: RwSem, task: str) -> Outcome:
    """Give up the write hold; the answer: somebody is left to wake."""
    if s.writer != task:
        return s, False, MISUSED
    return msgspec.structs.replace(s, writer=""), bool(s.queue), RELEASED["write"]


def downgrade(s: RwSem, task: str) -> Outcome:
    """Turn the write hold into a read hold; the answer: a reader is at the head of the queue."""
    left = msgspec.structs.replace(s, writer="", readers=(task,))
    return left, bool(s.queue) and s.queue[0].mode == "read", Fact("LockDowngraded", "read")


def wake(s: RwSem, task: str) -> Outcome:
    """Wake the head of the queue: a writer tries by itself, readers are granted the lock."""
    after = _readers_in(s)
    woken = after.readers[len(s.readers) :]
    if not woken and s.queue and s.queue[0].mode == "write":
        woken = (s.queue[0].task,)
    return after, None, Fact("Woke", tasks=woken)


def pass_deadline(s: RwSem, task: str) -> Outcome:
    """The environment's move: the first waiter has waited 4 ms and is promised the lock."""
    if s.handoff or not s.queue or s.queue[0].task != task:
        return None
    return msgspec.structs.replace(s, handoff=True), None, Fact("DeadlinePassed", s.queue[0].mode)


@primitive
async def down_read(k: "Kernel", sem: Obj) -> None:
    """Take `sem` for reading, asleep in the queue if need be, deaf to signals."""
    if not await Step(sem, enter_read, cost="rwsem_lock"):
        await Step(sem, wait_read, cost="rwsem_lock", waits=True)


@primitive
async def down_write(k: "Kernel", sem: Obj) -> None:
    """Take `sem` for writing, asleep in the queue if need be, deaf to signals."""
    if not await Step(sem, enter_write, cost="rwsem_lock"):
        await Step(sem, wait_write, cost="rwsem_lock", waits=True)


@primitive
async def down_read_killable(k: "Kernel", sem: Obj) -> int:
    """Take `sem` for reading; a fatal signal ends the wait with -EINTR."""
    if await Step(sem, enter_read, cost="rwsem_lock"):
        return 0
    got = await Step(sem, wait_read, cost="rwsem_lock", waits=True, killable=True)
    if got is INTERRUPTED:
        got = await Step(sem, leave_queue, "read", cost="rwsem_lock")
    return 0 if got else EINTR


@primitive
async def down_write_killable(k: "Kernel", sem: Obj) -> int:
    """Take `sem` for writing; a fatal signal ends the wait with -EINTR."""
    if await Step(sem, enter_write, cost="rwsem_lock"):
        return 0
    got = await Step(sem, wait_write, cost="rwsem_lock", waits=True, killable=True)
    if got is INTERRUPTED:
        got = await Step(sem, leave_queue, "write", cost="rwsem_lock")
    return 0 if got else EINTR


@primitive
async def down_read_trylock(k: "Kernel", sem: Obj) -> bool:
    """Take `sem` for reading if that needs no wait. Returns: whether it did."""
    return bool(await Step(sem, try_read, cost="rwsem_lock"))


@primitive
async def down_write_trylock(k: "Kernel", sem: Obj) -> bool:
    """Take `sem` for writing if that needs no wait. Returns: whether it did."""
    return bool(await Step(sem, try_write, cost="rwsem_lock"))


@primitive
async def up_read(k: "Kernel", sem: Obj) -> None:
    """Release a read hold, then wake: two steps, as others may come in between."""
    if await Step(sem, release_read, cost="rwsem_unlock"):
        await Step(sem, wake, cost="wake_up")


@primitive
async def up_write(k: "Kernel", sem: Obj) -> None:
    """Release the write hold, then wake: two steps, as others may come in between."""
    if await Step(sem, release_write, cost="rwsem_unlock"):
        await Step(sem, wake, cost="wake_up")


@primitive
async def downgrade_write(k: "Kernel", sem: Obj) -> None:
    """Turn the write hold into a read hold, then wake readers at the head of the queue."""
    if await Step(sem, downgrade, cost="rwsem_unlock"):
        await Step(sem, wake, cost="wake_up")
