"""A small world for tests of kernel functions, and ways to run tasks in it.

`scene()` builds a stage; `Scene.machine()` puts coroutines on it; the rest drives machines.
"""

from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Mapping
from random import Random
from typing import Any

from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Folio, PageTable, Pte, Tree, VmaRecord
from uffdviz.kernel.objects import PAGE_SIZE, Mm, Uffd, Vma
from uffdviz.kernel.stage import Stage
from uffdviz.run.machine import Machine
from uffdviz.trace.events import Event

BASE = 0x7F00_0000_0000
PATIENCE = 60
Job = Callable[[Kernel], Coroutine[Any, Any, Any]]


async def _pte_alloc(k: Kernel, mm: Mm, addr: int) -> int:
    return 0


async def _pte_offset_map_lock(k: Kernel, mm: Mm, addr: int) -> bool:
    await k.spin_lock(mm.ptl(addr))
    return True


async def _zero(k: Kernel, *args: Any) -> int:
    return 0


STAND_INS = {
    "pte_alloc": _pte_alloc,
    "pte_offset_map_lock": _pte_offset_map_lock,
    "uffd_wp_range": _zero,
    "anon_vma_prepare": _zero,
}
for _name, _fn in STAND_INS.items():
    if not hasattr(Kernel, _name):
        setattr(Kernel, _name, _fn)


class Scene:
    """A stage of four-page mappings side by side, each preceded by a hole of four pages."""

    def __init__(self, era: type[Kernel], features: tuple[str, ...]) -> None:
        self.era = era
        self.stage = Stage(era.vma_lock_state)
        self.mm: Mm = self.stage.mm("mm")
        self.ctx: Uffd = self.stage.uffd("gc", self.mm, features)
        self.at: dict[str, int] = {}
        self.results: dict[str, Any] = {}

    def add(
        self, name: str, *, present: tuple[int, ...] = (), pages: int = 4, **fields: Any
    ) -> Vma:
        """Add a mapping; `fields` are those of its record."""
        vma = self.stage.vma(name, self.mm)
        start = BASE + (8 * len(self.at) + 4) * PAGE_SIZE
        self.at[name] = start
        fields = {"anon_vma": name, **fields}
        rec = VmaRecord(mm="mm", start=start, end=start + pages * PAGE_SIZE, **fields)
        self.stage.world[vma.rec] = rec
        if fields["anon_vma"]:
            self.stage.world[self.stage.anon_vma(fields["anon_vma"]).rec] = 1
        self.mm.name_table(start, name)
        tree: Tree = self.stage.world.get(self.mm.tree, Tree())
        self.stage.world[self.mm.tree] = Tree((*tree.entries, (rec.start, rec.end, name)))
        for page in present:
            self.put(name, page, Pte(folio=f"{name}+{page}"))
        return vma

    def put(self, name: str, page: int, pte: Pte) -> None:
        """Set the entry of a page in the first world."""
        addr = self.addr(name, page)
        obj = self.mm.table(addr)
        table: PageTable = self.stage.world.get(obj, PageTable(linked=True))
        entries = sorted([*table.entries, (addr // PAGE_SIZE, pte)])
        self.stage.world[obj] = PageTable(linked=True, entries=tuple(entries))
        if pte.kind in {"page", "swap"}:
            folio = self.stage.folio(pte.folio)
            self.stage.world[folio.rec] = Folio(anon_vma=name, index=addr // PAGE_SIZE)

    def addr(self, name: str, page: int = 0) -> int:
        """The address of a page of a mapping."""
        return self.at[name] + page * PAGE_SIZE

    def machine(self, **jobs: Job) -> Machine:
        """Put tasks on the stage; what each job returns is kept in `results`."""
        self.results = {}
        lives = []
        for name, job in jobs.items():
            self.stage.task(name, self.mm)
            lives.append((name, self._life(name, job)))
        return Machine(self.stage, self.era, lives, defaultdict(lambda: 100))

    def _life(self, name: str, job: Job) -> Callable[[Kernel], Coroutine[Any, Any, None]]:
        async def life(k: Kernel) -> None:
            self.results[name] = await job(k)

        return life


def scene(era: type[Kernel] = V6_9, features: tuple[str, ...] = (), **fields: Any) -> Scene:
    """A registered mapping `dst`, untouched, and an ordinary one `src`, all present."""
    made = Scene(era, features)
    made.add("dst", **{"ctx": "gc", "modes": ("missing",), **fields})
    made.add("src", present=(0, 1, 2, 3))
    return made


def run(machine: Machine) -> list[Event]:
    """Let the first task that can move do so, until nobody can."""
    while choices := machine.choices():
        machine.step(choices[0])
    return machine.events


def run_until(machine: Machine, task: str, **wanted: str) -> Event:
    """Let one task run up to and including the event with these fields."""
    while True:
        event = machine.step(task)
        if all(getattr(event, field) == value for field, value in wanted.items()):
            return event


def run_randomly(machine: Machine, seed: int, limit: int = 5000) -> list[str]:
    """Let chance decide. Returns: the tasks that are not done in the end."""
    chance = Random(seed)
    for _ in range(limit):
        if not (choices := machine.choices()):
            break
        machine.step(choices[int(chance.random() * len(choices))])
    return unfinished(machine)


def unfinished(machine: Machine) -> list[str]:
    """The tasks that have something left to do."""
    return [name for name, task in machine.tasks.items() if not task.done]


def every_ending(
    make: Callable[[], Machine], *, switches: int = 3, moves: Mapping[str, int] | None = None
) -> Iterator[tuple[Machine, tuple[str, ...]]]:
    """Run all interleavings with at most so many switches away from a task that could go on.

    Yields: each machine at its end, with its schedule. Two runs that reach the same world with the
    same answers given to each task go on only once. A task that goes on and on has to let others in.
    """
    todo: list[tuple[tuple[str, ...], int]] = [((), switches)]
    seen: set[Any] = set()
    while todo:
        schedule, left = todo.pop()
        machine = make()
        for choice in schedule:
            machine.step(choice)
        last = schedule[-1] if schedule else ""
        while choices := machine.choices():
            key = (key_of(machine), last, left)
            if key in seen:
                break
            seen.add(key)
            spins = len(schedule) > PATIENCE and set(schedule[-PATIENCE:]) == {last}
            free = last not in choices or (spins and len(choices) > 1)
            choices = [c for c in choices if c != last] if spins and free else choices
            if free or left:
                others = [c for c in choices if c != last]
                todo += [((*schedule, c), left if free else left - 1) for c in others[free:]]
            last = choices[0] if free else last
            machine.step(last)
            schedule = (*schedule, last)
        else:
            yield machine, schedule


def key_of(machine: Machine) -> Any:
    """What a run has come to: the world, and what each task has seen."""
    told: dict[str, list[Any]] = defaultdict(list)
    for e in machine.events:
        told[e.task].append((e.fact, e.object, e.mode, e.detail, e.tasks))
    return (
        frozenset(machine.world.items()),
        tuple((name, hash(tuple(seen))) for name, seen in sorted(told.items())),
    )


def lock_steps(events: list[Event], task: str) -> list[str]:
    """Write the locks of a task as the traces' tables do: `+R mmap_lock`, `-R mmap_lock`."""
    signs = {"LockAcquired": "+", "LockReleased": "-", "LockRefused": "!", "LockDowngraded": "dg"}
    return [
        f"{signs[e.fact]}{e.mode[0].upper()} {e.object}"
        for e in events
        if e.task == task and e.fact in signs
    ]


def labels_of(events: list[Event], task: str, letter: str = "") -> list[str]:
    """The step labels of a letter that a task passed, each once in a row."""
    found: list[str] = []
    for e in events:
        if (
            e.task == task
            and e.step
            and e.step.startswith(letter)
            and (not found or found[-1] != e.step)
        ):
            found.append(e.step)
    return found


def steps_in(events: list[Event], task: str, *functions: str) -> list[str]:
    """The step labels that a task passed in these functions, each once in a row."""
    return labels_of([e for e in events if e.function in functions], task)


def leftovers(machine: Machine) -> list[str]:
    """Locks that somebody still holds or queues for."""
    return [
        obj.name
        for obj, state in machine.world.items()
        if getattr(state, "holders", ()) or (hasattr(state, "holders") and state.queue)
    ]
