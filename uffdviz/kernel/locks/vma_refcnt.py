"""The per-VMA lock of v6.15 and later: a count, a flag in it, and a number.

Kernel: include/linux/mmap_lock.h; mm/mmap_lock.c. The count's meaning:
0 detached; 1 attached; n + 1 attached with n readers; with the flag added, a writer waits for the
readers to leave (more than flag + 1), has them out (flag + 1), or detaches (flag, for the last one).
A mapping's memory may become another mapping's, of another address space, while a reader looks at it
(SLAB_TYPESAFE_BY_RCU): so a reader checks `vm_mm` after it has counted itself in.
Left out: RCU read sections (nothing waits for them: the memory stays a mapping's for ever); the
retry of the unlocked count-up; the limit of 2^30 readers, but a refusal can be injected.
"""

from typing import TYPE_CHECKING, Final

from uffdviz.kernel.errno import EAGAIN
from uffdviz.kernel.locks.base import MISUSED, Waiter, without_one
from uffdviz.kernel.locks.word import load, store
from uffdviz.kernel.memory import look, put, tree_walk
from uffdviz.kernel.objects import Mm, Vma
from uffdviz.kernel.steps import Outcome, Step, Work
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact

if TYPE_CHECKING:
    from uffdviz.kernel.eras.v6_18 import V6_18

VMA_LOCK_OFFSET: Final = 1 << 30
READING: Final = Fact("LockAcquired", "read")
WRITING: Final = Fact("LockAcquired", "write")


class VmaRefcnt(msgspec.Struct, frozen=True, tag="vma_refcnt", omit_defaults=True):
    """Who is counted. `flag`: the writer that added the flag; `asleep`: it sleeps for a wake-up."""

    attached: bool = True
    readers: tuple[str, ...] = ()
    flag: str = ""
    asleep: bool = False

    @property
    def count(self) -> int:
        """The count vm_refcnt."""
        return int(self.attached) + len(self.readers) + (VMA_LOCK_OFFSET if self.flag else 0)

    @property
    def holders(self) -> tuple[str, ...]:
        """The readers, or the writer that has them all out."""
        return self.readers or ((self.flag,) if self.flag else ())

    @property
    def queue(self) -> tuple[Waiter, ...]:
        """The writer that waits for the readers."""
        return (Waiter(self.flag),) if self.flag and self.readers else ()


def count_up(s: VmaRefcnt, task: str) -> Outcome:
    """refcount_inc_not_zero_limited_acquire(): the answer is the old count if it refused, or -1."""
    if not s.count or s.flag:
        return s, s.count, Fact("LockRefused", "read", s.holders)
    return msgspec.structs.replace(s, readers=(*s.readers, task)), -1, READING


def count_down(s: VmaRefcnt, task: str) -> Outcome:
    """refcount_dec_return(): a reader leaves; the answer is the new count."""
    if task not in s.readers:
        return s, 1, MISUSED
    left = msgspec.structs.replace(s, readers=without_one(s.readers, task))
    return left, left.count, Fact("LockReleased", "read")


def add_flag(s: VmaRefcnt, task: str) -> Outcome:
    """refcount_add_not_zero(): keep new readers out. The answer: None at zero, else all are out."""
    if not s.count:
        return s, None, Fact("Saw", detail=f"count {s.count}")
    after = msgspec.structs.replace(s, flag=task)
    fact = Fact("LockContended", "write", s.readers) if s.readers else WRITING
    return after, not s.readers, fact


def subtract_flag(s: VmaRefcnt, task: str) -> Outcome:
    """refcount_sub_and_test(): let readers come again."""
    if s.flag != task:
        return s, None, MISUSED
    return msgspec.structs.replace(s, flag="", asleep=False), None, Fact("LockReleased", "write")


def all_out(s: VmaRefcnt, task: str) -> Outcome:
    """Compare the count with the flag: go on, or fall asleep until a reader's last wake-up."""
    if not s.readers:
        return msgspec.structs.replace(s, asleep=False), True, WRITING
    return msgspec.structs.replace(s, asleep=True), False, Fact("Slept", "uninterruptible")


def awake(s: VmaRefcnt, task: str) -> Outcome:
    """Sleep until a reader that left has woken the writer; then it compares once more."""
    if s.asleep:
        return None
    return s, None, Fact("Resumed")


def rouse(s: VmaRefcnt, task: str) -> Outcome:
    """rcuwait_wake_up(): wake the writer that sleeps for this mapping's readers."""
    woken = (s.flag,) if s.asleep else ()
    return msgspec.structs.replace(s, asleep=False), None, Fact("Woke", tasks=woken)


def detach(s: VmaRefcnt, task: str, name: str) -> Outcome:
    """refcount_dec_and_test(): the tree lets go; the answer is the new count."""
    after = msgspec.structs.replace(s, attached=False)
    return after, after.count, Fact("Changed", detail=f"detaches {name}")


def attach(s: VmaRefcnt, task: str, name: str) -> Outcome:
    """refcount_set_release(1): from now on readers may come."""
    return (
        msgspec.structs.replace(s, attached=True),
        None,
        Fact("Changed", detail=f"attaches {name}"),
    )


async def vma_refcount_put(k: "V6_18", vma: Vma) -> None:
    """Count a reader out, and wake the writer that waited for the last one.

    Kernel: include/linux/mmap_lock.h, vma_refcount_put(). The address space is read first: once
    the count is down, the mapping may be freed.
    """
    mm = k.stage.mm(await Step(vma.rec, look, "mm"))
    count = await Step(vma.lock, count_down, cost="atomic")
    if VMA_LOCK_OFFSET <= count <= VMA_LOCK_OFFSET + 1:
        await k.wake_vma_writer(mm)


async def wake_vma_writer(k: "V6_18", mm: Mm) -> None:
    """Wake the one task that may sleep for readers of a mapping, if it does.

    Kernel: kernel/exit.c, rcuwait_wake_up(&mm->vma_writer_wait).
    """
    name = await Step(mm.writer_wait, load)
    if name:
        await Step(k.stage.vma(name).lock, rouse, cost="wake_up")


async def vma_start_read(k: "V6_18", mm: Mm, vma: Vma) -> Vma | int | None:
    """Try to lock a mapping for reading; never sleeps.

    Kernel: mm/mmap_lock.c, vma_start_read().
    Returns: the mapping; None if a writer has it; -EAGAIN if it was detached: look it up again.
    """
    seq = await Step(vma.rec, look, "lock_seq")  # 1
    if seq == await Step(mm.lock_seq, load):  # 1
        return None
    old = await Step(vma.lock, count_up, cost="atomic")  # 2
    if old >= 0:
        return EAGAIN if old == 0 else None
    if await Step(vma.rec, look, "mm") != mm.name:  # 3
        await k.vma_put_stranger(vma)  # 3
        return None
    seq = await Step(vma.rec, look, "lock_seq")  # 4
    if seq == await Step(mm.lock_seq, load):  # 4
        await k.vma_refcount_put(vma)  # 4
        return None
    return vma


async def vma_put_stranger(k: "V6_18", vma: Vma) -> None:
    """Count out of another address space's mapping, which must not vanish before its wake-up.

    Kernel: mm/mmap_lock.c, the end of vma_start_read() ("mm: fix a UAF when vma->mm is freed after
    vma->vm_refcnt got dropped").
    """
    other = k.stage.mm(await Step(vma.rec, look, "mm"))
    await k.mmgrab(other)
    await k.vma_refcount_put(vma)
    await k.mmdrop(other)


async def vma_end_read(k: "V6_18", vma: Vma) -> None:
    """Release a mapping's read lock. Kernel: include/linux/mmap_lock.h."""
    await k.vma_refcount_put(vma)


async def vma_start_read_locked(k: "V6_18", vma: Vma) -> bool:
    """Lock a mapping for reading with mmap_lock held, which keeps its writers out.

    Kernel: include/linux/mmap_lock.h, vma_start_read_locked(). No sequence number is compared.
    Returns: whether it is locked; refused only when too many readers are counted.
    """
    if await Work("vma_start_read_locked", cost="mark", errno=EAGAIN):
        return False
    return int(await Step(vma.lock, count_up, cost="atomic")) < 0


async def vma_enter_locked(k: "V6_18", vma: Vma) -> bool:
    """Keep new readers out and wait until the last has left. Not interruptible.

    Kernel: mm/mmap_lock.c, __vma_enter_locked().
    Returns: whether the flag was added: not if nobody is counted any more.
    """
    out = await Step(vma.lock, add_flag, cost="atomic")  # 2
    if out is None:
        return False
    if not out:
        mm = k.stage.mm(await Step(vma.rec, look, "mm"))  # 3
        await Step(mm.writer_wait, store, mm.writer_wait.name, vma.name, cost="store")  # 3
        while not await Step(vma.lock, all_out):  # 3
            await Step(vma.lock, awake, waits=True, cost="context_switch")  # 3
        await Step(mm.writer_wait, store, mm.writer_wait.name, "", cost="store")  # 3
    return True


async def vma_exit_locked(k: "V6_18", vma: Vma) -> None:
    """Let readers come again. Kernel: mm/mmap_lock.c, __vma_exit_locked()."""
    await Step(vma.lock, subtract_flag, cost="atomic")


async def vma_start_write(k: "V6_18", vma: Vma) -> None:
    """Lock a mapping for writing until mmap_lock is released or downgraded.

    Kernel: mm/mmap_lock.c, __vma_start_write(). The caller holds mmap_lock for writing.
    """
    mm, seq = await Step(vma.rec, look, "mm", "lock_seq")  # 1
    mm_seq = await Step(k.stage.mm(mm).lock_seq, load)  # 1
    if seq == mm_seq:
        return
    locked = await k.vma_enter_locked(vma)  # 2
    await Step(vma.rec, put, vma.lock.name, "lock_seq", mm_seq, cost="store")  # 4
    if locked:
        await k.vma_exit_locked(vma)  # 5


async def vma_mark_attached(k: "V6_18", vma: Vma) -> None:
    """Say that the tree has the mapping. Kernel: include/linux/mmap_lock.h."""
    await Step(vma.lock, attach, vma.name, cost="atomic")


async def vma_mark_detached(k: "V6_18", vma: Vma) -> None:
    """Say that a mapping is leaving the tree, once readers that will back out have done so.

    Kernel: mm/mmap_lock.c, vma_mark_detached(). The mapping is locked for writing.
    """
    if await Step(vma.lock, detach, vma.name, cost="atomic") and await k.vma_enter_locked(vma):
        await k.vma_exit_locked(vma)


async def lock_vma_under_rcu(k: "V6_18", mm: Mm, addr: int) -> Vma | None:
    """Find and read-lock the mapping at `addr` without mmap_lock.

    Kernel: mm/mmap_lock.c, lock_vma_under_rcu().
    Returns: the locked mapping, or None: the caller then goes by mmap_lock.
    """
    while True:
        name = await Step(mm.tree, tree_walk, addr, cost="tree_walk")  # 2
        if not name:
            return None
        vma: Vma | int | None = await k.vma_start_read(mm, k.stage.vma(name))  # 3
        if vma is None:
            return None
        if not isinstance(vma, int):
            break
    start, end = await Step(vma.rec, look, "start", "end")  # 4
    if start <= addr < end:
        return vma
    await k.vma_end_read(vma)  # 4
    return None
