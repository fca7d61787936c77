"""Two small stages, made by hand, for tests that need a machine and no scenario file."""

from collections import defaultdict

from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Tree, VmaRecord
from uffdviz.kernel.stage import Stage
from uffdviz.kernel.steps import Mark
from uffdviz.run.machine import Machine
from uffdviz.run.running import Life
from uffdviz.trace.events import Fact

DST = 0x7F0000000000
SRC = DST + 0x4000


def two_mappings() -> Stage:
    """`dst`, registered with `gc`, then `src`; tasks gc, app and ui."""
    stage = Stage(V6_9.vma_lock_state)
    mm = stage.mm("mm")
    stage.uffd("gc", mm)
    entries = []
    for name, start, ctx in (("dst", DST, "gc"), ("src", SRC, "")):
        vma = stage.vma(name, mm)
        end = start + 0x4000
        stage.world[vma.rec] = VmaRecord("mm", start, end, ctx=ctx, anon_vma=name)
        mm.name_table(start, name)
        entries.append((start, end, name))
    stage.world[mm.tree] = Tree(tuple(entries))
    for task in ("gc", "app", "ui"):
        stage.task(task, mm)
    return stage


def protects(times: int, name: str = "dst") -> Life:
    """A life that calls mprotect() on a whole mapping."""

    async def life(k: Kernel) -> None:
        mm = k.stage.mm("mm")
        for _ in range(times):
            await Mark(Fact("Called", detail=f"mprotect {name}"))
            start = DST if name == "dst" else SRC
            await k.mmap_write_lock_killable(mm)
            await k.vma_start_write(k.stage.vma(name))
            await k.mmap_write_unlock(mm)
            await Mark(Fact("Returned", detail=str(start - start)))

    return life


def looks(times: int) -> Life:
    """A life that takes mmap_lock to read, then lets go."""

    async def life(k: Kernel) -> None:
        mm = k.stage.mm("mm")
        for _ in range(times):
            await Mark(Fact("Called", detail="look"))
            await k.mmap_read_lock(mm)
            await k.spin_lock(mm.ptl(DST))
            await k.spin_unlock(mm.ptl(DST))
            await k.mmap_read_unlock(mm)
            await Mark(Fact("Returned", detail="0"))

    return life


def three_tasks(times: int = 2, cpus: int = 0) -> Machine:
    """A reader gc, and two writers app and ui, on the stage of two mappings."""
    lives = [("gc", looks(times)), ("app", protects(times)), ("ui", protects(times, "src"))]
    return Machine(
        two_mappings(),
        V6_9,
        lives,
        defaultdict(lambda: 100, handoff_deadline=4_000_000, time_slice=3_000_000),
        cpus,
    )
