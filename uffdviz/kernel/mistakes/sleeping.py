"""Mistakes in the sleeping reader-writer lock itself: reference, invariants, 3.6."""

from typing import TYPE_CHECKING, Final

from uffdviz.kernel.locks.base import primitive
from uffdviz.kernel.locks.rwsem import (
    ACQUIRED,
    EINTR,
    RwSem,
    enter_read,
    enter_write,
    leave_queue,
    release_read,
    release_write,
    try_read,
    wait_read,
    wait_write,
    wake,
)
from uffdviz.kernel.mistakes.eras import A, B, C
from uffdviz.kernel.mutations import Mistake
from uffdviz.kernel.steps import INTERRUPTED, Obj, Outcome, Step
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact, Mode

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


def join_readers(s: RwSem, task: str) -> Outcome:
    """Read if nobody writes, whoever queues."""
    if s.writer or not s.readers:
        return enter_read(s, task)
    return msgspec.structs.replace(s, readers=(*s.readers, task)), True, ACQUIRED["read"]


def try_to_join(s: RwSem, task: str) -> Outcome:
    """Read if others do, whoever queues."""
    return try_read(s, task) if s.writer or not s.readers else join_readers(s, task)


def wake_one(s: RwSem, task: str) -> Outcome:
    """Wake the head of the queue and nobody else."""
    if s.writer or not s.queue or s.queue[0].mode == "write":
        return wake(s, task)
    head, *rest = s.queue
    after = RwSem(readers=(*s.readers, head.task), queue=tuple(rest))
    return after, None, Fact("Woke", tasks=(head.task,))


@primitive
async def down_read(k: "Kernel", sem: Obj) -> None:
    """Take `sem` for reading, past writers that queue."""
    if not await Step(sem, join_readers, cost="rwsem_lock"):
        await Step(sem, wait_read, cost="rwsem_lock", waits=True)


@primitive
async def down_read_killable(k: "Kernel", sem: Obj) -> int:
    """Take `sem` for reading, past writers that queue; a fatal signal ends the wait."""
    if await Step(sem, join_readers, cost="rwsem_lock"):
        return 0
    got = await Step(sem, wait_read, cost="rwsem_lock", waits=True, killable=True)
    if got is INTERRUPTED:
        got = await Step(sem, leave_queue, "read", cost="rwsem_lock")
    return 0 if got else EINTR


@primitive
async def down_read_trylock(k: "Kernel", sem: Obj) -> bool:
    """Take `sem` for reading without a wait, past writers that queue."""
    return bool(await Step(sem, try_to_join, cost="rwsem_lock"))


@primitive
async def up_read(k: "Kernel", sem: Obj) -> None:
    """Release a read hold, then wake one."""
    if await Step(sem, release_read, cost="rwsem_unlock"):
        await Step(sem, wake_one, cost="wake_up")


@primitive
async def up_write(k: "Kernel", sem: Obj) -> None:
    """Release the write hold, then wake one."""
    if await Step(sem, release_write, cost="rwsem_unlock"):
        await Step(sem, wake_one, cost="wake_up")


def leave_quietly(s: RwSem, task: str, mode: Mode) -> Outcome:
    """Leave the queue, whoever comes to its head by that."""
    queue = tuple(waiter for waiter in s.queue if waiter.task != task)
    return msgspec.structs.replace(s, queue=queue), False, Fact("LockGaveUp", mode)


@primitive
async def down_write_killable_leaving_quietly(k: "Kernel", sem: Obj) -> int:
    """Take `sem` for writing; who dies in the queue minds nobody."""
    if await Step(sem, enter_write, cost="rwsem_lock"):
        return 0
    got = await Step(sem, wait_write, cost="rwsem_lock", waits=True, killable=True)
    if got is INTERRUPTED:
        got = await Step(sem, leave_quietly, "write", cost="rwsem_lock")
    return 0 if got else EINTR


@primitive
async def up_read_waking_nobody(k: "Kernel", sem: Obj) -> None:
    """Release a read hold."""
    await Step(sem, release_read, cost="rwsem_unlock")


MISTAKES: Final = (
    Mistake(
        "M58",
        "new readers do not mind writers that queue",
        ("L3",),
        (*A, *B, *C),
        "two-writeprotects-meet-mprotect",
        functions=(
            ("down_read", down_read),
            ("down_read_killable", down_read_killable),
            ("down_read_trylock", down_read_trylock),
        ),
    ),
    Mistake(
        "M60",
        "waking readers lets in the first of them only",
        (),
        (*A, *B, *C),
        "two-writeprotects-meet-mprotect",
        functions=(("up_read", up_read), ("up_write", up_write)),
        why="costs throughput alone",
    ),
)
