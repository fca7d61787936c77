"""A small kernel of its own for tests of the screen, so that the real one may change beneath them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from uffdviz.course.schema import Expect, Front, Goal, Lesson, Play, Predict, Prose
from uffdviz.course.shelf import Entry
from uffdviz.errors import UsageError
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.locks.rwsem import RwSem
from uffdviz.kernel.memory import Pte, Tree, VmaRecord, set_pte
from uffdviz.kernel.objects import Mm, Vma
from uffdviz.kernel.stage import Stage
from uffdviz.kernel.steps import Mark, Step, Work
from uffdviz.run.machine import Machine
from uffdviz.run.session import RunSession
from uffdviz.trace.events import Fact
from uffdviz.tui.session import Session
from uffdviz.tui.tools import Workload

BASE = 0x7F00_0000_0000
PAGE = 4096


async def fill(k: "Toy", mm: Mm, vma: Vma, addr: int) -> int:
    """Put a page into a mapping."""
    await k.down_read(mm.lock)  # 1
    await k.down_read(vma.lock)  # 2
    await Work("copy_page")  # 3
    pte = Pte(folio="page")
    await Step(mm.table(addr), set_pte, addr // PAGE, vma.name, pte)  # 4
    await k.up_read(vma.lock)  # 5
    await k.up_read(mm.lock)  # 6
    return PAGE


async def protect(k: "Toy", mm: Mm, vma: Vma) -> int:
    """Take both locks the other way round."""
    await k.down_write(vma.lock)  # 1
    await k.down_write(mm.lock)  # 2
    await Work("change")  # 3
    await k.up_write(mm.lock)  # 4
    await k.up_write(vma.lock)  # 5
    return 0


class Toy(Kernel):
    """Two functions that can deadlock."""

    fill = fill
    protect = protect


class Setting:
    """`tasks` tasks, every other one a writer, on `mappings` mappings of four pages."""

    def __init__(self, tasks: int = 2, mappings: int = 2, calls: int = 2) -> None:
        self.tasks = tasks
        self.mappings = mappings
        self.calls = calls

    def machine(self) -> Machine:
        """A machine at its start."""
        stage = Stage(RwSem())
        vmas = self._mappings(stage)
        lives = []
        for number in range(self.tasks):
            name = ["gc", "app"][number] if number < 2 else f"t{number}"
            stage.task(name, stage.mm("mm"))
            at = number // 2 % self.mappings
            life = self._writer if number % 2 else self._filler
            lives.append((name, life(vmas[at], BASE + at * 4 * PAGE)))
        return Machine(stage, Toy, lives, defaultdict(lambda: 100))

    def _mappings(self, stage: Stage) -> list[Vma]:
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
                ctx="gc" if name == "dst" else "",
                modes=("missing",) if name == "dst" else (),
                anon_vma=name,
            )
            entries.append((start, start + 4 * PAGE, name))
        mm.name_table(BASE, names[0])
        stage.world[mm.tree] = Tree(tuple(entries))
        return [stage.vma(name) for name in names]

    def _filler(self, vma: Vma, at: int) -> Callable[[Any], Any]:
        async def life(k: Toy) -> None:
            for number in range(self.calls):
                await Mark(Fact("Called", detail=f"UFFDIO_COPY {vma.name} src 1 page"))
                result = await k.fill(vma.mm, vma, at + number * PAGE)
                await Mark(Fact("Returned", detail=str(result)))

        return life

    def _writer(self, vma: Vma, at: int) -> Callable[[Any], Any]:
        async def life(k: Toy) -> None:
            for _ in range(self.calls):
                await Mark(Fact("Called", detail=f"mprotect {vma.name} 4 pages r"))
                result = await k.protect(vma.mm, vma)
                await Mark(Fact("Returned", detail=str(result)))

        return life


TITLE = "A copy meets mprotect()"
LESSON = Lesson(
    name="two-orders",
    path="two-orders.md",
    chapter="2-standstill",
    front=Front(title="Two locks, two orders", scenario="toy", era="v6.9"),
    blocks=(
        Prose(
            text="`gc` copies a page. It takes **mmap_lock** first, then the mapping's own lock."
        ),
        Play(schedule="gc until holds mmap_lock for read"),
        Prose(text="Now `app` changes the protection, and takes them *the other way round*."),
        Predict(
            ask="What happens when gc goes on?",
            choices=("It copies.", "It waits for app.", "It returns -EAGAIN."),
            answer=2,
            why="The mapping is locked for writing: a reader has to wait.",
            fact="gc waits for vma dst to read",
        ),
        Play(schedule="app until holds vma dst for write\ngc until waits for vma dst to read"),
        Expect(facts=("gc waits for vma dst to read",)),
        Prose(text="One step more and nobody can move."),
        Play(schedule="app until waits for mmap_lock to write"),
        Goal(
            kind="break", text="Make them wait for each other.", hints=("Stop gc after one lock.",)
        ),
    ),
)


def session(tasks: int = 2, mappings: int = 2, calls: int = 2) -> RunSession:
    """A session in the sandbox."""
    return RunSession(Setting(tasks, mappings, calls), TITLE, "v6.9")


def lesson() -> RunSession:
    """A session of a lesson."""
    blocks = LESSON.blocks
    script = [(i, block.schedule) for i, block in enumerate(blocks) if isinstance(block, Play)]
    return RunSession(
        Setting(), LESSON.title, "v6.9", script=script, lesson=LESSON, blocks=len(blocks)
    )


class SmallShelf:
    """A start screen with little on it."""

    def __init__(self) -> None:
        self.finished: list[str] = []

    def lessons(self) -> list[Entry]:
        """Two chapters."""
        return [
            Entry("why", "Why mmap_lock hurts", "1 Waiting", "A copy waits behind a writer."),
            Entry("same", "The same schedule in v6.9", "1 Waiting", done=True),
            Entry("two-orders", "Two locks, two orders", "2 Standstill"),
        ]

    def scenarios(self) -> list[Entry]:
        """One."""
        return [Entry("copy-meets-mprotect", TITLE, about="Two tasks.")]

    def recordings(self) -> list[Entry]:
        """None yet."""
        return []

    def eras(self) -> list[str]:
        """Two kernels."""
        return ["v6.8", "v6.9"]

    def open_lesson(self, name: str) -> Session:
        """Always the same."""
        return lesson()

    def open_scenario(self, name: str, era: str = "") -> Session:
        """Always the same."""
        return session()

    def workload(self, name: str, eras: Sequence[str] = ()) -> Workload:
        """The toy kernel has no scenario that goes by time."""
        msg = f"{name}: no scenario"
        raise UsageError(msg)

    def open_recording(self, name: str) -> Session:
        """Always the same."""
        return session()

    def guide(self, name: str) -> None:
        """None: nobody judges the goals."""
        return

    def open_goal(self, name: str, index: int) -> Session:
        """Always the same."""
        return session()

    def after(self, name: str) -> None:
        """None."""
        return

    def tools(self, session: object) -> None:
        """None: the toy kernel has no scenario."""
        return

    def finish(self, name: str) -> None:
        """Remember it."""
        self.finished.append(name)
