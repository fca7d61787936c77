"""Fill operations: their steps are those of the reference, sections 0 to 2."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.kernel.harness import Scene, labels_of, leftovers, lock_steps, run, scene
from uffdviz.kernel.eras.registry import era, eras
from uffdviz.kernel.errno import EAGAIN, EEXIST, EFAULT, EINTR, EINVAL, EIO, ENOENT, ENOMEM, ESRCH
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Folio, Pte, TaskState, find
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.kernel.page_cache import PageCache
from uffdviz.run.machine import Machine

WRAP_IN, WRAP_OUT = ["P1", "P2", "P5"], ["P7", "P8"]
# One page, everything prepared; reference sections 1.2, 2.1, 2.2 and 2.3 to 2.6. V1 is locks.md 2/3.
PAGE = {
    "copy": ["A11", "c1", "c2", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "A13"],
    "zeropage": ["A11", "c6", "c7", "c8", "c10", "c11", "A13"],
    "poison": ["c6", "c7", "c8", "c10", "c11", "A13"],
}
BODY_A = ["A1", "A2", "A3", "A4", "A7", "A8"]
BODY_B = ["F2", "B2", "B3", "A4", "A7"]
UNDER_MMAP_LOCK = ("v6.1", "v6.8")
UNDER_VMA_LOCK = ("v6.9", "v6.12", "v6.18", "series-v3", "series-v4", "series-v5", "series-v6")
ALL = tuple(eras())


def call(made: Scene, op: str, pages: int = 1, **options: Any) -> Callable[[Kernel], Any]:
    dst, src, length = made.addr("dst"), made.addr("src"), pages * PAGE_SIZE

    async def job(k: Kernel) -> int:
        if op == "copy":
            return await k.userfaultfd_copy(made.ctx, dst, src, length, **options)
        fill = getattr(k, f"userfaultfd_{op}")
        return int(await fill(made.ctx, dst, length, **options))

    return job


def fill(made: Scene, op: str, pages: int = 1, **options: Any) -> Machine:
    machine = made.machine(gc=call(made, op, pages, **options))
    run(machine)
    return machine


def fail_at(made: Scene, function: str, op: str, pages: int = 1) -> Machine:
    machine = made.machine(gc=call(made, op, pages))
    while machine.choices():
        ask: Any = machine.tasks["gc"].ask
        machine.step("fail gc" if getattr(ask, "name", "") == function else "gc")
    return machine


def numbered(machine: Machine) -> list[str]:
    wanted = ("A", "B", "F", "P", "c", "n", "r")
    return [s for s in labels_of(machine.events, "gc") if s.startswith(wanted)]


def pte_of(machine: Machine, made: Scene, page: int = 0) -> Pte | None:
    addr = made.addr("dst", page)
    return find(machine.state(made.mm.table(addr)).entries, addr // PAGE_SIZE)


@pytest.mark.parametrize("op", ["copy", "zeropage"])
@pytest.mark.parametrize("name", UNDER_MMAP_LOCK)
def test_a_fill_under_mmap_lock_takes_the_steps_of_section_2_1(name: str, op: str) -> None:
    made = scene(era(name))
    machine = fill(made, op, dontwake=True)
    steps = [s for s in numbered(machine) if s not in {"A9", "c7"}]
    page = [s for s in PAGE[op] if s != "c7"]
    assert steps == [*WRAP_IN, *BODY_A, *page, "AU", *WRAP_OUT]
    assert made.results["gc"] == PAGE_SIZE
    assert not leftovers(machine)


@pytest.mark.parametrize("op", ["copy", "zeropage", "poison"])
@pytest.mark.parametrize("name", UNDER_VMA_LOCK)
def test_a_fill_under_a_vma_lock_takes_the_steps_of_section_2_2(name: str, op: str) -> None:
    made = scene(era(name))
    machine = fill(made, op, dontwake=True)
    steps = [s for s in numbered(machine) if s not in {"A9", "c7"}]
    page = [s for s in PAGE[op] if s != "c7"]
    assert steps == [*WRAP_IN, *BODY_B, *page, "BU", *WRAP_OUT]
    assert made.results["gc"] == PAGE_SIZE
    assert not leftovers(machine)


@pytest.mark.parametrize("name", [n for n in ALL if n not in UNDER_MMAP_LOCK])
def test_a_fill_of_a_prepared_mapping_never_takes_mmap_lock(name: str) -> None:
    made = scene(era(name))
    locks = lock_steps(fill(made, "copy", dontwake=True).events, "gc")
    assert not [step for step in locks if "mmap_lock" in step]
    assert locks[0] == "+R vma dst"
    assert locks[-1] == "-R vma dst"


@pytest.mark.parametrize("name", ["v6.9", "v6.12", "v6.18"])
def test_a_mapping_without_anon_vma_is_locked_through_mmap_lock(name: str) -> None:
    made = scene(era(name), anon_vma="")
    machine = fill(made, "copy", dontwake=True)
    locks = [s for s in lock_steps(machine.events, "gc") if "anon_vma" not in s]
    locks = [s for s in locks if "page_table_lock" not in s]
    at = locks.index("+R mmap_lock")
    assert locks[at : at + 4] == [
        "+R mmap_lock",
        "+R vma dst",
        "-R mmap_lock",
        "+R map_changing_lock gc",
    ]


@pytest.mark.parametrize("name", ALL)
def test_a_source_that_is_absent_is_faulted_in_with_no_lock_held(name: str) -> None:
    made = scene(era(name))
    made.stage.world[made.mm.table(made.addr("src"))] = made.stage.world[
        made.mm.table(made.addr("src"))
    ].__class__(linked=True)
    machine = made.machine(gc=call(made, "copy", dontwake=True))
    while machine.choices():
        machine.step("gc")
        if machine.tasks["gc"].ask and machine.events[-1].function == "copy_from_user":
            assert not [n for n in leftovers(machine) if n.startswith(("vma", "map_changing"))]
    assert made.results["gc"] == PAGE_SIZE
    steps = numbered(machine)
    assert steps.index("r2") < len(steps) - 1 - steps[::-1].index("A11")
    assert steps.count("c1") == 1


def test_v6_1_tries_the_copy_under_the_lock_twice() -> None:
    tries = {}
    for name in ("v6.1", "v6.8"):
        made = scene(era(name))
        table = made.mm.table(made.addr("src"))
        made.stage.world[table] = made.stage.world[table].__class__(linked=True)
        machine = fill(made, "copy", dontwake=True)
        steps = [e.step for e in machine.events]
        tries[name] = steps[: steps.index("AU")].count("c2")
    assert tries == {"v6.1": 2, "v6.8": 1}


@pytest.mark.parametrize("name", ALL)
def test_an_unread_event_turns_a_fill_away_before_any_lock(name: str) -> None:
    made = scene(era(name))
    made.stage.world[made.ctx.mmap_changing] = 1
    machine = fill(made, "copy")
    assert made.results["gc"] == EAGAIN
    assert not lock_steps(machine.events, "gc")


@pytest.mark.parametrize("name", ALL)
def test_an_event_after_the_first_look_turns_a_fill_away_under_the_lock(name: str) -> None:
    made = scene(era(name))
    machine = made.machine(gc=call(made, "copy"))
    machine.step("gc")
    machine.world[made.ctx.mmap_changing] = 1
    run(machine)
    assert made.results["gc"] == EAGAIN
    assert not leftovers(machine)


@pytest.mark.parametrize("name", ALL)
def test_no_registered_mapping_is_enoent(name: str) -> None:
    made = scene(era(name), ctx="", modes=())
    machine = fill(made, "copy")
    assert made.results["gc"] == ENOENT
    assert not leftovers(machine)


@pytest.mark.parametrize("name", ALL)
def test_a_range_beyond_the_mapping_is_enoent(name: str) -> None:
    made = scene(era(name))
    machine = fill(made, "copy", pages=5)
    assert made.results["gc"] == ENOENT
    assert not leftovers(machine)


@pytest.mark.parametrize("name", ALL)
def test_an_occupied_page_ends_the_fill_with_the_bytes_done(name: str) -> None:
    made = scene(era(name))
    made.put("dst", 1, Pte(folio="dst+1"))
    machine = fill(made, "copy", pages=3, dontwake=True)
    assert made.results["gc"] == PAGE_SIZE
    assert pte_of(machine, made, 2) is None
    assert not leftovers(machine)


@pytest.mark.parametrize("name", ALL)
def test_an_occupied_first_page_is_eexist(name: str) -> None:
    made = scene(era(name))
    made.put("dst", 0, Pte(folio="dst"))
    fill(made, "copy")
    assert made.results["gc"] == EEXIST


def test_a_copy_overwrites_a_marker_and_zeropage_does_not() -> None:
    results = {}
    for op in ("copy", "zeropage", "poison"):
        made = scene()
        made.put("dst", 0, Pte("poison"))
        fill(made, op, dontwake=True)
        results[op] = made.results["gc"]
    assert results == {"copy": PAGE_SIZE, "zeropage": EEXIST, "poison": EEXIST}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("function", ["alloc_page", "mem_cgroup_charge"])
def test_a_failed_allocation_is_enomem_and_leaves_nothing(name: str, function: str) -> None:
    made = scene(era(name))
    machine = fail_at(made, function, "copy")
    assert made.results["gc"] == ENOMEM
    assert pte_of(machine, made) is None
    assert not leftovers(machine)


@pytest.mark.parametrize("name", ALL)
def test_a_fatal_signal_ends_the_fill_after_a_page(name: str) -> None:
    made = scene(era(name))
    made.stage.world[made.stage.task("gc", made.mm).state] = TaskState(signal=True)
    machine = fill(made, "copy", pages=2, dontwake=True)
    assert made.results["gc"] == PAGE_SIZE
    assert EINTR < 0
    assert not leftovers(machine)


def test_an_address_space_without_users_is_esrch() -> None:
    made = scene()
    made.stage.world[made.mm.users] = 0
    fill(made, "copy")
    assert made.results["gc"] == ESRCH


@pytest.mark.parametrize("function", ["copy_from_user", "put_user"])
def test_an_argument_that_cannot_be_read_or_written_is_efault(function: str) -> None:
    made = scene()
    fail_at(made, function, "copy")
    assert made.results["gc"] == EFAULT


def test_poison_is_unknown_to_v6_1() -> None:
    made = scene(era("v6.1"))
    fill(made, "poison")
    assert made.results["gc"] == EINVAL


def test_write_protection_needs_the_mode() -> None:
    made = scene()
    fill(made, "copy", wp=True)
    assert made.results["gc"] == EINVAL


def shared_scene(name: str, *, cached: bool) -> Scene:
    made = scene(era(name), backing="shmem", shared=True, file="shm", anon_vma="")
    pages = ((0, "shm+0"),) if cached else ()
    made.stage.world[made.stage.file("shm").cache] = PageCache(pages, size=4)
    made.stage.world[made.stage.folio("shm+0").rec] = Folio(file="shm")
    return made


@pytest.mark.parametrize("name", ALL)
def test_continue_maps_the_cached_page_and_unlocks_it(name: str) -> None:
    made = shared_scene(name, cached=True)
    machine = fill(made, "continue", dontwake=True)
    assert made.results["gc"] == PAGE_SIZE
    assert pte_of(machine, made) == Pte(folio="shm+0")
    steps = [s for s in numbered(machine) if s[0] in "nc"]
    assert steps == ["n1", "n2", "c6", "c7", "c8", "c9", "c10", "c11", "n4"]
    assert not leftovers(machine)


def test_continue_without_a_cached_page_is_efault() -> None:
    made = shared_scene("v6.9", cached=False)
    fill(made, "continue")
    assert made.results["gc"] == EFAULT


def test_continue_of_a_poisoned_page_is_eio_and_unlocks_it() -> None:
    made = shared_scene("v6.9", cached=True)
    made.stage.world[made.stage.folio("shm+0").rec] = Folio(file="shm", poisoned=True)
    machine = fill(made, "continue")
    assert made.results["gc"] == EIO
    assert not leftovers(machine)


@pytest.mark.parametrize("name", ALL)
def test_a_shared_copy_enters_the_page_cache(name: str) -> None:
    made = shared_scene(name, cached=False)
    machine = fill(made, "copy", dontwake=True)
    assert made.results["gc"] == PAGE_SIZE
    assert len(machine.state(made.stage.file("shm").cache).pages) == 1
    assert not leftovers(machine)


def test_a_shared_copy_over_a_cached_page_is_eexist() -> None:
    made = shared_scene("v6.9", cached=True)
    fill(made, "copy")
    assert made.results["gc"] == EEXIST


def test_a_shared_copy_onto_a_mapped_page_leaves_the_page_cache_again() -> None:
    made = shared_scene("v6.9", cached=False)
    made.put("dst", 0, Pte(folio="other"))
    machine = fill(made, "copy")
    assert made.results["gc"] == EEXIST
    assert not machine.state(made.stage.file("shm").cache).pages
    assert not leftovers(machine)


def test_a_page_behind_the_end_of_the_file_is_efault() -> None:
    made = shared_scene("v6.9", cached=False)
    made.stage.world[made.stage.file("shm").cache] = PageCache(size=0)
    fill(made, "copy")
    assert made.results["gc"] == EFAULT
