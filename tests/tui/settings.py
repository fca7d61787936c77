"""A small setting for tests of the screen: a copy and an mprotect() over two mappings."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from uffdviz.course.shelf import Entry
from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Tree, VmaRecord
from uffdviz.kernel.stage import Stage
from uffdviz.kernel.steps import Mark
from uffdviz.run.machine import Machine
from uffdviz.run.session import RunSession
from uffdviz.trace.events import Fact
from uffdviz.tui.session import Session

BASE = 0x7F00_0000_0000
PAGE = 4096


class Setting:
    """`tasks` copies and changers of protection, on `mappings` mappings of four pages."""

    def __init__(self, tasks: int = 2, mappings: int = 2, calls: int = 2) -> None:
        self.tasks = tasks
        self.mappings = mappings
        self.calls = calls

    def _stage(self) -> Stage:
        stage = Stage(V6_9.vma_lock_state)
        mm = stage.mm("mm")
        stage.uffd("gc", mm)
        names = ["dst", "src", *(f"map{n}" for n in range(2, self.mappings))][: self.mappings]
        entries = []
        for number, name in enumerate(names):
            vma = stage.vma(name, mm)
            start = BASE + number * 4 * PAGE
            stage.world[vma.rec] = VmaRecord(
                mm="mm",
                start=start,
                end=start + 4 * PAGE,
                ctx="" if name == "src" else "gc",
                modes=() if name == "src" else ("missing",),
                anon_vma=name,
            )
            entries.append((start, start + 4 * PAGE, name))
        mm.name_table(BASE, names[0])
        stage.world[mm.tree] = Tree(tuple(entries))
        return stage

    def machine(self) -> Machine:
        """A machine at its start."""
        stage = self._stage()
        mm, uffd = stage.mm("mm"), stage.uffd("gc")

        def copier(at: int) -> Callable[[Kernel], Any]:
            async def life(k: Kernel) -> None:
                for _ in range(self.calls):
                    await Mark(Fact("Called", detail="UFFDIO_COPY 2 pages"))
                    result = await k.mfill_atomic(uffd, at, BASE + 4 * PAGE, 2 * PAGE)
                    await Mark(Fact("Returned", detail=str(result)))

            return life

        def changer(at: int) -> Callable[[Kernel], Any]:
            async def life(k: Kernel) -> None:
                for _ in range(self.calls):
                    await Mark(Fact("Called", detail="mprotect 4 pages r"))
                    result = await k.sys_mprotect(mm, at, 4 * PAGE, "r")
                    await Mark(Fact("Returned", detail=str(result)))

            return life

        lives = []
        for number in range(self.tasks):
            name = ["gc", "app"][number] if number < 2 else f"t{number}"
            stage.task(name, mm)
            at = BASE + (number // 2 % self.mappings) * 4 * PAGE
            lives.append((name, (changer if number % 2 else copier)(at)))
        return Machine(stage, V6_9, lives, defaultdict(lambda: 100))


def session(tasks: int = 2, mappings: int = 2, calls: int = 2) -> RunSession:
    """A session in the sandbox."""
    return RunSession(Setting(tasks, mappings, calls), "A copy meets mprotect()", "v6.9")


class SmallShelf:
    """A start screen with little on it."""

    def lessons(self) -> list[Entry]:
        """Two chapters."""
        return [
            Entry("why", "Why mmap_lock hurts", "1 Waiting", "A copy waits behind a writer."),
            Entry("same", "The same schedule in v6.9", "1 Waiting", done=True),
            Entry("v4", "Two locks, two orders", "2 Standstill"),
        ]

    def scenarios(self) -> list[Entry]:
        """One."""
        return [Entry("copy-meets-mprotect", "A copy meets mprotect()", about="Two tasks.")]

    def recordings(self) -> list[Entry]:
        """None yet."""
        return []

    def eras(self) -> list[str]:
        """Two kernels."""
        return ["v6.8", "v6.9"]

    def open_lesson(self, name: str) -> Session:
        """Always the same."""
        return session()

    def open_scenario(self, name: str, era: str = "") -> Session:
        """Always the same."""
        return session()

    def open_recording(self, name: str) -> Session:
        """Always the same."""
        return session()

    def finish(self, name: str) -> None:
        """Forget it."""
