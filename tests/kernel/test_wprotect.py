"""UFFDIO_WRITEPROTECT: steps of the reference, section 3; locks of the recordings."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.kernel.harness import Scene, labels_of, leftovers, lock_steps, run, run_until, scene
from uffdviz.kernel.eras.registry import era, eras
from uffdviz.kernel.errno import EAGAIN, EFAULT, EINVAL, ENOENT, ENOMEM, ESRCH
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import PageTable, Pte, find
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.run.machine import Machine

ALL = tuple(eras())
UNDER_MMAP_LOCK_ALONE = ("v6.1", "v6.8")
every_era = pytest.mark.parametrize("name", ALL)


def protected(name: str, *, present: tuple[int, ...] = (0, 1, 2, 3), **fields: Any) -> Scene:
    """A mapping `dst` of four pages, registered for write protection."""
    return scene(era(name), modes=("wp",), present=present, **fields)


def call(made: Scene, pages: int = 4, **options: Any) -> Callable[[Kernel], Any]:
    start = options.pop("start", made.addr("dst"))
    protect = options.pop("protect", True)

    async def job(k: Kernel) -> int:
        length = pages * PAGE_SIZE
        return int(
            await k.userfaultfd_writeprotect(made.ctx, start, length, protect=protect, **options)
        )

    return job


def writeprotect(made: Scene, pages: int = 4, **options: Any) -> Machine:
    machine = made.machine(gc=call(made, pages, **options))
    run(machine)
    return machine


def fail_once(made: Scene, function: str, **options: Any) -> Machine:
    machine = made.machine(gc=call(made, **options))
    while machine.choices():
        ask: Any = machine.tasks["gc"].ask
        machine.step("fail gc" if getattr(ask, "name", "") == function else "gc")
    return machine


def entries(made: Scene, machine: Machine, name: str = "dst") -> list[Pte | None]:
    table = machine.state(made.mm.table(made.addr(name)))
    return [find(table.entries, made.addr(name, n) // PAGE_SIZE) for n in range(4)]


def unprotected(name: str) -> Scene:
    """As `protected`, with the first page write-protected already."""
    made = protected(name, present=(1, 2, 3))
    made.put("dst", 0, Pte(folio="dst+0", write=False, wp=True))
    return made


@every_era
def test_it_takes_the_steps_of_section_3(name: str) -> None:
    made = protected(name)
    steps = [s for s in labels_of(writeprotect(made).events, "gc") if s[0] in "Pw"]
    locked = ["w1"] if name in UNDER_MMAP_LOCK_ALONE else ["w1", "w2"]
    assert steps == ["P1", "P2", "P5", *locked, "w3", "w4", "w5", "w6", "wU", "P7"]
    assert made.results["gc"] == 0


@every_era
def test_it_takes_the_locks_of_the_recordings(name: str) -> None:
    made = protected(name)
    locks = lock_steps(writeprotect(made).events, "gc")
    ptl = ["+W ptl dst", "-W ptl dst"]
    body = ["+R map_changing_lock gc", *ptl, "-R map_changing_lock gc"]
    body = ptl if name in UNDER_MMAP_LOCK_ALONE else body
    assert locks == ["+R mmap_lock", *body, "-R mmap_lock"]


@every_era
def test_protected_pages_are_read_only_and_say_why(name: str) -> None:
    made = protected(name)
    machine = writeprotect(made, pages=2)
    wp = [Pte(folio=f"dst+{n}", write=False, wp=True) for n in (0, 1)]
    assert entries(made, machine) == [*wp, Pte(folio="dst+2"), Pte(folio="dst+3")]


@every_era
def test_lifting_the_protection_wakes_the_writer(name: str) -> None:
    made = unprotected(name)

    async def app(k: Kernel) -> Any:
        return await k.page_fault(made.addr("dst"), write=True)

    machine = made.machine(app=app, gc=call(made, protect=False))
    while "app" in machine.choices():
        machine.step("app")
    run(machine)
    assert made.results == {"app": 0, "gc": 0}
    assert entries(made, machine)[0] == Pte(folio="dst+0")
    assert not leftovers(machine)


@pytest.mark.parametrize(("name", "write"), [("v6.1", False), ("v6.8", True), ("v6.18", True)])
def test_a_page_of_one_owner_is_writable_at_once_since_v6_2(name: str, *, write: bool) -> None:
    made = unprotected(name)
    machine = writeprotect(made, protect=False)
    assert entries(made, machine)[0] == Pte(folio="dst+0", write=write)


@every_era
def test_protecting_and_dontwake_wake_nobody(name: str) -> None:
    made = unprotected(name)

    async def app(k: Kernel) -> Any:
        return await k.page_fault(made.addr("dst"), write=True)

    machine = made.machine(app=app, gc=call(made, protect=False, dontwake=True))
    while "app" in machine.choices():
        machine.step("app")
    run(machine)
    assert made.results == {"gc": 0}


@every_era
def test_missing_anonymous_pages_get_no_marker_and_those_of_files_do(name: str) -> None:
    made = protected(name, present=(0,))
    assert entries(made, writeprotect(made))[1:] == [None] * 3
    made = protected(name, present=(), backing="shmem", shared=True, file="f", anon_vma="")
    marker = Pte(kind="wp_marker", write=False, wp=True)
    machine = writeprotect(made)
    assert entries(made, machine) == [marker] * 4
    assert not leftovers(machine)


# Several mappings, errors.


def neighbours(name: str, *modes: str) -> Scene:
    """A mapping right after `dst`, with these modes."""
    made = protected(name)
    vma = made.add("next", present=(0, 1, 2, 3), ctx="gc", modes=modes)
    rec, tree = made.stage.world[vma.rec], made.stage.world[made.mm.tree]
    start = made.addr("dst", 4)
    table = made.mm.table(start)
    old = made.addr("next") // PAGE_SIZE
    shift = start // PAGE_SIZE - old
    moved = [(n + shift * (old <= n < old + 4), pte) for n, pte in made.stage.world[table].entries]
    made.stage.world[table] = PageTable(linked=True, entries=tuple(sorted(moved)))
    made.at["next"] = start
    made.stage.world[vma.rec] = type(rec)(
        mm="mm", start=start, end=start + 4 * PAGE_SIZE, ctx="gc", modes=modes, anon_vma="next"
    )
    spans = (*tree.entries[:-1], (start, start + 4 * PAGE_SIZE, "next"))
    made.stage.world[made.mm.tree] = type(tree)(tuple(sorted(spans)))
    return made


@every_era
def test_a_range_may_span_several_mappings(name: str) -> None:
    made = neighbours(name, "wp")
    machine = writeprotect(made, pages=8)
    assert made.results["gc"] == 0
    assert all(pte and pte.wp for at in ("dst", "next") for pte in entries(made, machine, at))


@every_era
def test_a_mapping_without_the_mode_ends_it_and_earlier_ones_stay_changed(name: str) -> None:
    made = neighbours(name, "missing")
    machine = writeprotect(made, pages=8)
    assert made.results["gc"] == ENOENT
    assert all(pte and pte.wp for pte in entries(made, machine))
    assert not any(pte and pte.wp for pte in entries(made, machine, "next"))
    assert not leftovers(machine)


@every_era
def test_a_range_without_a_mapping_is_an_error(name: str) -> None:
    made = protected(name)
    machine = writeprotect(made, start=made.addr("src", 100))
    assert made.results["gc"] == ENOENT
    assert not leftovers(machine)


@every_era
def test_a_pending_event_turns_it_away_before_any_lock(name: str) -> None:
    made = protected(name)
    made.stage.world[made.ctx.mmap_changing] = 1
    assert not lock_steps(writeprotect(made).events, "gc")
    assert made.results["gc"] == EAGAIN


@every_era
def test_an_event_that_comes_before_the_binding_test_ends_it(name: str) -> None:
    made = protected(name)

    async def raise_event(k: Kernel) -> None:
        await k.atomic_add(made.ctx.mmap_changing, 1)

    machine = made.machine(gc=call(made), app=raise_event)
    run_until(machine, "gc", step="P2")
    machine.step("app")
    run(machine)
    assert made.results["gc"] == EAGAIN
    assert not any(pte and pte.wp for pte in entries(made, machine))
    assert not leftovers(machine)


@every_era
def test_protecting_without_waking_makes_no_sense(name: str) -> None:
    made = protected(name)
    writeprotect(made, dontwake=True)
    assert made.results["gc"] == EINVAL


@every_era
def test_no_pages_or_parts_of_pages_are_invalid(name: str) -> None:
    made = protected(name)
    writeprotect(made, pages=0)
    assert made.results["gc"] == EINVAL
    writeprotect(made, start=made.addr("dst") + 8)
    assert made.results["gc"] == EINVAL


@every_era
def test_an_argument_that_cannot_be_read_gives_efault(name: str) -> None:
    made = protected(name)
    fail_once(made, "copy_from_user")
    assert made.results["gc"] == EFAULT


@every_era
def test_an_address_space_that_is_gone_gives_esrch(name: str) -> None:
    made = protected(name)
    made.stage.world[made.mm.users] = 0
    writeprotect(made)
    assert made.results["gc"] == ESRCH


@every_era
def test_without_memory_for_the_page_table_of_markers_it_says_enomem(name: str) -> None:
    made = protected(name, present=(), backing="shmem", shared=True, file="f", anon_vma="")
    made.stage.world.pop(made.mm.table(made.addr("dst")))
    machine = fail_once(made, "pte_alloc")
    assert made.results["gc"] == ENOMEM
    assert not leftovers(machine)
