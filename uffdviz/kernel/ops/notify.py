"""Between the kernel and the monitor: wake-ups, messages and their answers.

Kernel: fs/userfaultfd.c. Step numbers d1 to d6 and e1 to e7 are those of the reference, sections
5.4, 5.5 and 6. A list head of the kernel takes new entries in front: messages are read oldest first
and sleepers woken newest first.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EAGAIN, EINTR, EINVAL, EMFILE, ERESTARTSYS
from uffdviz.kernel.memory import tree_overlap
from uffdviz.kernel.objects import PAGE_SIZE, Uffd
from uffdviz.kernel.queues import (
    Entry,
    append,
    entry_of,
    peek,
    remove,
    replace,
    unlink,
    withdraw,
)
from uffdviz.kernel.steps import Obj, Step, Work

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def wake_up_poll(k: "Kernel", ctx: Uffd) -> None:
    """Wake whoever sleeps in poll or read of this userfaultfd.

    Kernel: include/linux/wait.h, wake_up_poll() of ctx->fd_wqh.
    """
    await k.spin_lock(ctx.fd_lock)
    for entry in (await Step(ctx.fd_wqh, peek))[::-1]:
        await k.wake_up_task(k.stage.task(entry.task).state, entry.task)
    await k.spin_unlock(ctx.fd_lock)


async def wake_up_all_senders(k: "Kernel", ctx: Uffd) -> None:
    """Wake whoever waits for an event to be read. Kernel: wake_up_all() of ctx->event_wqh."""
    await k.spin_lock(ctx.event_lock)
    for entry in (await Step(ctx.event_wqh, peek))[::-1]:
        await k.wake_up_task(k.stage.task(entry.task).state, entry.task)
    await k.spin_unlock(ctx.event_lock)


async def userfaultfd_wake(k: "Kernel", ctx: Uffd, start: int, length: int) -> int:
    """UFFDIO_WAKE: wake the faults of a range, which the caller has resolved by itself.

    Kernel: fs/userfaultfd.c, userfaultfd_wake(). Returns: 0, or -EINVAL.
    """
    if start % PAGE_SIZE or length % PAGE_SIZE or length <= 0:
        return EINVAL
    await k.wake_userfault(ctx, start, length)
    return 0


async def wake_userfault(k: "Kernel", ctx: Uffd, start: int, length: int) -> None:
    """Wake the faults of a range; length 0 means all of them.

    Kernel: fs/userfaultfd.c, wake_userfault().
    """
    if await k.userfault_waiters(ctx):
        await k.do_wake_userfault(ctx, start, length)


async def userfault_waiters(k: "Kernel", ctx: Uffd) -> bool:
    """Whether a fault is in either queue, seen without a lock.

    A reader moves faults from one queue to the other, and for a moment they are in none. The
    sequence count tells that it happened, and then both queues are looked at again.
    Kernel: the loop of wake_userfault().
    """
    while True:
        await k.read_seqcount_begin(ctx.refile_seq)
        pending = await Step(ctx.fault_pending_wqh, peek)
        active = bool(pending) or bool(await Step(ctx.fault_wqh, peek))
        if not await k.read_seqcount_retry(ctx.refile_seq):
            return active


async def do_wake_userfault(k: "Kernel", ctx: Uffd, start: int, length: int) -> None:
    """Wake the faults of a range in both queues, under the lock of the first.

    Kernel: fs/userfaultfd.c, __wake_userfault().
    """
    await k.spin_lock(ctx.fault_pending_lock)
    for entry in (await Step(ctx.fault_pending_wqh, peek))[::-1]:
        if matches(entry, start, length):
            await k.userfaultfd_wake_function(ctx.fault_pending_wqh, "fault_pending_wqh", entry)
    if await Step(ctx.fault_wqh, peek):
        await k.spin_lock(ctx.fault_lock)
        for entry in (await Step(ctx.fault_wqh, peek))[::-1]:
            if matches(entry, start, length):
                await k.userfaultfd_wake_function(ctx.fault_wqh, "fault_wqh", entry)
        await k.spin_unlock(ctx.fault_lock)
    await k.spin_unlock(ctx.fault_pending_lock)


def matches(entry: Entry, start: int, length: int) -> bool:
    """Whether a fault lies in the range that is woken."""
    return not length or start <= entry.addr < start + length


async def userfaultfd_wake_function(k: "Kernel", queue: Obj, name: str, entry: Entry) -> None:
    """Wake one fault's task, then take the fault off its queue: the task may be there first.

    Kernel: fs/userfaultfd.c, userfaultfd_wake_function().
    """
    state = k.stage.task(entry.task).state
    await k.wake_up_task(state, entry.task)
    await Step(queue, remove, name, entry)
    await Step(state, unlink, entry.task, cost="store")


async def userfaultfd_poll(k: "Kernel", ctx: Uffd) -> int:
    """Wait until a message can be read.

    Kernel: fs/userfaultfd.c, userfaultfd_poll() below do_poll() of fs/select.c.
    Left out: time limits; other files. The kernel sets the task's state after it has looked and
    keeps a note of a wake-up in between; here the state is set first, to the same end.
    Returns: 0, or -EINTR.
    """
    me = Entry(k.current.name)
    await k.spin_lock(ctx.fd_lock)
    await Step(ctx.fd_wqh, append, "fd_wqh", me, cost="queue")
    await k.spin_unlock(ctx.fd_lock)
    err = 0
    while not err:
        await k.set_current_state("interruptible")
        if await Step(ctx.fault_pending_wqh, peek) or unread(await Step(ctx.event_wqh, peek)):
            break
        if await k.signal_pending():
            err = EINTR
        else:
            await k.schedule()
    await k.set_current_state("running")
    await k.spin_lock(ctx.fd_lock)
    await Step(ctx.fd_wqh, remove, "fd_wqh", me)
    await k.spin_unlock(ctx.fd_lock)
    return err


def unread(events: tuple[Entry, ...]) -> Entry | None:
    """The oldest event that no reader has taken."""
    return next((e for e in events if not e.taken), None)


async def userfaultfd_read(k: "Kernel", ctx: Uffd, nonblocking: bool = False) -> Entry | int:
    """Read one message: faults before events.

    Kernel: fs/userfaultfd.c, userfaultfd_ctx_read(). Left out: buffers for several messages.
    Returns: the message, or a negative errno.
    """
    me = Entry(k.current.name)
    await k.spin_lock(ctx.fd_lock)  # d1
    await Step(ctx.fd_wqh, append, "fd_wqh", me, cost="queue")  # d1
    while True:
        await k.set_current_state("interruptible")  # d1
        found = await k.userfaultfd_next_message(ctx, nonblocking)  # d2
        if found is not None:
            break
        await k.spin_unlock(ctx.fd_lock)  # d4
        await k.schedule()  # d4
        await k.spin_lock(ctx.fd_lock)  # d4
    await Step(ctx.fd_wqh, remove, "fd_wqh", me)  # d5
    await k.set_current_state("running")  # d5
    await k.spin_unlock(ctx.fd_lock)  # d5
    if isinstance(found, Entry) and found.kind == "fork":
        return await k.resolve_userfault_fork(ctx, found)  # d6
    return found


async def userfaultfd_next_message(k: "Kernel", ctx: Uffd, nonblocking: bool) -> Entry | int | None:
    """Take the next message: a fault, else an event, else say why there is none.

    Kernel: the loop body of userfaultfd_ctx_read().
    Returns: the message, a negative errno, or None: sleep and look again.
    """
    fault = await k.find_userfault(ctx)  # d2
    if fault is not None:
        return fault
    event = await k.find_userfault_evt(ctx)  # d3
    if event is not None:
        return event
    if await k.signal_pending():  # d4
        return ERESTARTSYS
    return EAGAIN if nonblocking else None


async def find_userfault(k: "Kernel", ctx: Uffd) -> Entry | None:
    """Take the oldest pending fault, and file it among those that have been read.

    Kernel: fs/userfaultfd.c, find_userfault() and the refile in userfaultfd_ctx_read().
    """
    await k.spin_lock(ctx.fault_pending_lock)  # d2
    pending = await Step(ctx.fault_pending_wqh, peek)  # d2
    fault = pending[0] if pending else None
    if fault is not None:
        await k.refile_userfault(ctx, fault)  # d2
    await k.spin_unlock(ctx.fault_pending_lock)  # d2
    return fault


async def refile_userfault(k: "Kernel", ctx: Uffd, fault: Entry) -> None:
    """Move a fault to the other queue, between two bumps of the sequence count.

    Kernel: userfaultfd_ctx_read(), from write_seqcount_begin() to write_seqcount_end().
    """
    await k.write_seqcount_begin(ctx.refile_seq)  # d2
    await Step(ctx.fault_pending_wqh, remove, "fault_pending_wqh", fault)  # d2
    await k.spin_lock(ctx.fault_lock)  # d2
    await Step(ctx.fault_wqh, append, "fault_wqh", fault, cost="queue")  # d2
    await k.spin_unlock(ctx.fault_lock)  # d2
    await k.write_seqcount_end(ctx.refile_seq)  # d2


async def find_userfault_evt(k: "Kernel", ctx: Uffd) -> Entry | None:
    """Take the oldest event and answer its sender; a fork's sender has to wait for the file.

    Kernel: fs/userfaultfd.c, find_userfault_evt() and what userfaultfd_ctx_read() does with it.
    """
    await k.spin_lock(ctx.event_lock)  # d3
    event = unread(await Step(ctx.event_wqh, peek))  # d3
    if event is not None and event.kind == "fork":
        held = Entry(event.task, "fork", ctx=event.ctx, taken=True)
        await Step(ctx.event_wqh, replace, "event_wqh", event, held)  # d3
        await k.userfaultfd_ctx_get(k.stage.uffd(event.ctx))  # d3
    elif event is not None:
        await k.userfaultfd_event_complete(ctx, event)  # d3
    await k.spin_unlock(ctx.event_lock)  # d3
    return event


async def resolve_userfault_fork(k: "Kernel", ctx: Uffd, event: Entry) -> Entry | int:
    """Make a file of the child's context, then answer the sender if it is still there.

    A sender that gave up has dropped its reference; the one taken by the reader then stays with
    the new file. Kernel: fs/userfaultfd.c, resolve_userfault_fork() and the end of
    userfaultfd_ctx_read(). Returns: the message, or a negative errno.
    """
    err = await Work("anon_inode_create_getfd", errno=EMFILE)  # d6
    await k.spin_lock(ctx.event_lock)  # d6
    held = entry_of(await Step(ctx.event_wqh, peek), event.task)  # d6
    if held is not None:
        await k.userfaultfd_ctx_put(k.stage.uffd(event.ctx))  # d6
        if err:
            await Step(ctx.event_wqh, replace, "event_wqh", held, event)  # d6
        else:
            await k.userfaultfd_event_complete(ctx, held)  # d6
    await k.spin_unlock(ctx.event_lock)  # d6
    return err or event


async def userfaultfd_event_complete(k: "Kernel", ctx: Uffd, event: Entry) -> None:
    """Answer an event: its sender is woken and its entry gone. Kernel: fs/userfaultfd.c."""
    await k.wake_up_task(k.stage.task(event.task).state, event.task)
    await Step(ctx.event_wqh, remove, "event_wqh", event)


async def userfaultfd_event_wait_completion(k: "Kernel", ctx: Uffd, entry: Entry) -> None:
    """Send an event and wait until it has been read. The caller holds no lock of the mm.

    Kernel: fs/userfaultfd.c, userfaultfd_event_wait_completion().
    """
    await k.spin_lock(ctx.event_lock)  # e1
    await Step(ctx.event_wqh, append, "event_wqh", entry, cost="queue")  # e1
    aborted = False
    while True:
        await k.set_current_state("killable")  # e2
        if entry_of(await Step(ctx.event_wqh, peek), entry.task) is None:  # e2
            break
        if await k.read_once(ctx.released) or await k.signal_pending():  # e2
            await Step(ctx.event_wqh, withdraw, "event_wqh")  # e2
            aborted = True
            break
        await k.spin_unlock(ctx.event_lock)  # e3
        await k.wake_up_poll(ctx)  # e3
        await k.schedule()  # e3
        await k.spin_lock(ctx.event_lock)  # e3
    await k.set_current_state("running")  # e4
    await k.spin_unlock(ctx.event_lock)  # e4
    if aborted and entry.kind == "fork":
        await k.userfaultfd_release_new(k.stage.uffd(entry.ctx))  # e5
    await k.atomic_add(ctx.mmap_changing, -1)  # e6
    await k.userfaultfd_ctx_put(ctx)  # e7


async def userfaultfd_release_new(k: "Kernel", new: Uffd) -> None:
    """Take the context of a fork that nobody will read about out of the child's mappings.

    Kernel: userfaultfd_event_wait_completion(), its part for release_new_ctx.
    """
    await k.mmap_write_lock(new.mm)  # e5
    for name in await Step(new.mm.tree, tree_overlap, 0, 1 << 63, cost="tree_walk"):  # e5
        await k.userfaultfd_reset_ctx(k.stage.vma(name), new)  # e5
    await k.mmap_write_unlock(new.mm)  # e5
    await k.userfaultfd_ctx_put(new)  # e5
