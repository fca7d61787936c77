"""What the tests of UFFDIO_MOVE share: calls, failures of one step, and what entries are then."""

from collections.abc import Callable
from typing import Any

from tests.kernel.harness import Scene, labels_of, run, scene
from uffdviz.kernel.eras.registry import era
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Pte, find
from uffdviz.kernel.objects import PAGE_SIZE, TABLE_SIZE
from uffdviz.run.machine import Machine


def prepared(name: str, **fields: Any) -> Scene:
    """Mappings `dst` (registered) and `src` (all four pages there), and a page table for both."""
    made = scene(era(name), **fields)
    link(made, "dst")
    return made


def link(made: Scene, *names: str) -> None:
    """Give mappings their page tables."""
    for name in names:
        table = made.mm.table(made.addr(name))
        state = made.stage.world.get(table, table.initial)
        made.stage.world[table] = type(state)(linked=True, entries=state.entries)


def far_apart(name: str) -> Scene:
    """As `prepared`, but `src` has a page table of its own, above that of `dst`."""
    made = Scene(era(name), ())
    made.add("dst", ctx="gc", modes=("missing",))
    add_at(made, "src", made.addr("dst") + TABLE_SIZE)
    for page in range(4):
        made.put("src", page, Pte(folio=f"src+{page}"))
    link(made, "dst")
    return made


def add_at(made: Scene, name: str, start: int) -> None:
    """Add a mapping of four pages at an address."""
    vma = made.add(name)
    rec = made.stage.world[vma.rec]
    tree = made.stage.world[made.mm.tree]
    moved = type(rec)(mm="mm", start=start, end=start + 4 * PAGE_SIZE, anon_vma=name)
    made.stage.world[vma.rec] = moved
    entries = (*tree.entries[:-1], (start, start + 4 * PAGE_SIZE, name))
    made.stage.world[made.mm.tree] = type(tree)(entries)
    made.at[name] = start
    made.mm.name_table(start, name)


def call(made: Scene, pages: int = 1, **options: Any) -> Callable[[Kernel], Any]:
    """UFFDIO_MOVE from `src` to `dst`, or to and from the addresses given."""
    dst = options.pop("dst", made.addr("dst"))
    src = options.pop("src", made.at.get("src", 0))

    async def job(k: Kernel) -> int:
        return int(await k.userfaultfd_move(made.ctx, dst, src, pages * PAGE_SIZE, **options))

    return job


def touch(made: Scene, name: str, number: int = 0) -> Callable[[Kernel], Any]:
    """A write to a page of a mapping."""

    async def job(k: Kernel) -> Any:
        return await k.page_fault(made.addr(name, number), write=True)

    return job


def move(made: Scene, pages: int = 1, **options: Any) -> Machine:
    """Move, with nobody else about."""
    machine = made.machine(gc=call(made, pages, **options))
    run(machine)
    return machine


def fail_once(made: Scene, function: str, pages: int = 1, nth: int = 1, **options: Any) -> Machine:
    """Move, and let the nth call of `function` fail."""
    machine = made.machine(gc=call(made, pages, **options))
    met = 0
    while machine.choices():
        ask: Any = machine.tasks["gc"].ask
        here = getattr(ask, "name", "") == function
        met += here
        machine.step("fail gc" if here and met == nth else "gc")
    return machine


def entry(made: Scene, machine: Machine, name: str, page: int = 0) -> Pte | None:
    """The entry of a page of a mapping."""
    addr = made.addr(name, page)
    return find(machine.state(made.mm.table(addr)).entries, addr // PAGE_SIZE)


def numbered(machine: Machine, letters: str = "Pmqs") -> list[str]:
    """The numbered steps of the move, each once in a row."""
    return [s for s in labels_of(machine.events, "gc") if s[0] in letters]
