"""A user's own model over the same steps: three locks, movers and writers, as small as can be.

The same model stands in other checkers' languages in `benchmarks/peers.py`. All its locks are one
object, as in those: mmap (readers, writer, queued writers), then for each of two mappings its
readers, its write mark and its queued writers.
"""

from typing import Final

from uffdviz.kernel.stage import Stage
from uffdviz.kernel.steps import Obj, Outcome, Step
from uffdviz.kernel.table import Table
from uffdviz.run.running import Life
from uffdviz.run.space import Space
from uffdviz.trace.events import Fact

State = tuple[int, ...]
DONE: Final = Fact("Saw")
LOCKS: Final = Obj("board", "three locks", (0,) * 9)
MMAP_READERS, MMAP_WRITER, MMAP_QUEUE = 0, 1, 2
READERS, MARK, QUEUE = 3, 5, 7


def changed(s: State, at: int, by: int) -> State:
    return (*s[:at], s[at] + by, *s[at + 1 :])


def is_free(s: State, vma: int) -> bool:
    return not s[MARK + vma] and not s[QUEUE + vma]


def try_vma(s: State, task: str, vma: int) -> Outcome:
    if is_free(s, vma):
        return changed(s, READERS + vma, 1), True, DONE
    return s, False, DONE


def mmap_read_lock(s: State, task: str) -> Outcome:
    free = not s[MMAP_WRITER] and not s[MMAP_QUEUE]
    return (changed(s, MMAP_READERS, 1), None, DONE) if free else None


def mmap_read_unlock(s: State, task: str) -> Outcome:
    return changed(s, MMAP_READERS, -1), None, DONE


def down_read(s: State, task: str, vma: int) -> Outcome:
    return (changed(s, READERS + vma, 1), None, DONE) if is_free(s, vma) else None


def vma_end_read(s: State, task: str, vma: int) -> Outcome:
    return changed(s, READERS + vma, -1), None, DONE


def work(s: State, task: str) -> Outcome:
    return s, None, DONE


def queue_mmap(s: State, task: str) -> Outcome:
    return changed(s, MMAP_QUEUE, 1), None, DONE


def mmap_write_lock(s: State, task: str) -> Outcome:
    if s[MMAP_READERS] or s[MMAP_WRITER]:
        return None
    return changed(changed(s, MMAP_WRITER, 1), MMAP_QUEUE, -1), None, DONE


def queue_vma(s: State, task: str, vma: int) -> Outcome:
    return changed(s, QUEUE + vma, 1), None, DONE


def vma_start_write(s: State, task: str, vma: int) -> Outcome:
    if s[READERS + vma]:
        return None
    return changed(changed(s, QUEUE + vma, -1), MARK + vma, 1), None, DONE


def unlock_all(s: State, task: str) -> Outcome:
    return (s[0], 0, s[2], s[3], s[4], 0, 0, s[7], s[8]), None, DONE


def mover(dst: int, rounds: int, *, bug: bool) -> Life:
    """Move into one mapping from the other; with the bug, ask for mmap with dst still locked."""
    src = 1 - dst

    async def life(k: Table) -> None:
        for _ in range(rounds):
            if not await Step(LOCKS, try_vma, dst):
                await Step(LOCKS, mmap_read_lock, waits=True)
                await Step(LOCKS, down_read, dst, waits=True)
                await Step(LOCKS, mmap_read_unlock)
            if not await Step(LOCKS, try_vma, src):
                if not bug:
                    await Step(LOCKS, vma_end_read, dst)
                await Step(LOCKS, mmap_read_lock, waits=True)
                if not bug:
                    await Step(LOCKS, down_read, dst, waits=True)
                await Step(LOCKS, down_read, src, waits=True)
                await Step(LOCKS, mmap_read_unlock)
            await Step(LOCKS, work)
            await Step(LOCKS, vma_end_read, src)
            await Step(LOCKS, vma_end_read, dst)

    return life


def writer(rounds: int) -> Life:
    """Lock mmap for writing, then mark both mappings."""

    async def life(k: Table) -> None:
        for _ in range(rounds):
            await Step(LOCKS, queue_mmap)
            await Step(LOCKS, mmap_write_lock, waits=True)
            for vma in (1, 0):
                await Step(LOCKS, queue_vma, vma)
                await Step(LOCKS, vma_start_write, vma, waits=True)
            await Step(LOCKS, work)
            await Step(LOCKS, unlock_all)

    return life


def lives(movers: int, writers: int, rounds: int, *, bug: bool) -> list[tuple[str, Life]]:
    """The tasks of one size of the model."""
    return [
        *((f"mover{n}", mover(n % 2, rounds, bug=bug)) for n in range(movers)),
        *((f"writer{n}", writer(rounds)) for n in range(writers)),
    ]


def three_locks(movers: int, writers: int, rounds: int, *, bug: bool, merge: bool = True) -> Space:
    """The space of one size of the model."""
    stage = Stage(None)
    mm = stage.mm("mm")
    tasks = lives(movers, writers, rounds, bug=bug)
    for name, _ in tasks:
        stage.task(name, mm)
    even = tuple(f"mover{n}" for n in range(0, movers, 2))
    odd = tuple(f"mover{n}" for n in range(1, movers, 2))
    writing = tuple(f"writer{n}" for n in range(writers))
    groups = [group for group in (even, odd, writing) if len(group) > 1]
    return Space(stage, Table, tasks, alike=groups, merge=merge)
