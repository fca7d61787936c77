"""UFFDIO_MOVE in the posted revisions: the same steps, and what each of them got wrong."""

import pytest

from tests.kernel.harness import leftovers, lock_steps, run, run_until
from tests.kernel.moves import call, entry, fail_once, far_apart, move, numbered, prepared, touch
from uffdviz.kernel.eras.registry import eras
from uffdviz.kernel.errno import EAGAIN, EINVAL, ENOENT, ENOMEM
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Pte
from uffdviz.kernel.objects import PAGE_SIZE

REVISIONS = tuple(name for name in eras() if name.startswith("series"))
LOSING = ("series-v3", "series-v4")
every_revision = pytest.mark.parametrize("name", REVISIONS)
# One present page, nobody about; reference sections 4.1 and 4.2.
ONE_PAGE = ["q1", "q3", "q4", "q7", "q8", "q9", "q10", "q11", "q12", "q13", "q14", "q15", "q16"]
BODY = ["m2", "m3", "m4", "m5", "m6", "m10", *ONE_PAGE, "q17", "m12", "mU"]


@every_revision
def test_a_revision_moves_by_the_steps_of_section_4(name: str) -> None:
    made = prepared(name)
    machine = move(made, dontwake=True)
    assert numbered(machine) == ["P1", "P2", "P5", *BODY, "P7", "P8"]
    assert (made.results["gc"], entry(made, machine, "dst")) == (PAGE_SIZE, Pte(folio="src+0"))
    assert not leftovers(machine)


@every_revision
def test_a_moved_page_wakes_who_waits_for_it(name: str) -> None:
    made = prepared(name)
    machine = made.machine(app=touch(made, "dst"), gc=call(made))
    while "app" in machine.choices():
        machine.step("app")
    run(machine)
    assert made.results == {"app": 0, "gc": PAGE_SIZE}
    assert not leftovers(machine)


@every_revision
def test_an_event_that_comes_before_the_binding_test_ends_the_move(name: str) -> None:
    made = prepared(name)

    async def raise_event(k: Kernel) -> None:
        await k.atomic_add(made.ctx.mmap_changing, 1)

    machine = made.machine(gc=call(made), app=raise_event)
    run_until(machine, "gc", step="P2")
    machine.step("app")
    run(machine)
    assert made.results["gc"] == EAGAIN
    assert numbered(machine)[-4:] == ["m3", "mU", "P7", "P8"]
    assert not leftovers(machine)


@every_revision
def test_a_source_without_a_page_table_is_a_hole(name: str) -> None:
    made = far_apart(name)
    del made.stage.world[made.mm.table(made.addr("src"))]
    machine = move(made)
    assert made.results["gc"] == ENOENT
    assert not leftovers(machine)


@pytest.mark.parametrize("name", [n for n in REVISIONS if n not in LOSING])
def test_a_range_that_leaves_its_mapping_is_invalid(name: str) -> None:
    made = prepared(name)
    machine = move(made, pages=3, src=made.addr("src", 2))
    assert made.results["gc"] == EINVAL
    assert not leftovers(machine)


@pytest.mark.parametrize("end", ["dst", "src"])
@pytest.mark.parametrize("name", LOSING)
def test_revisions_3_and_4_lose_the_errno_and_wake_everybody(name: str, end: str) -> None:
    made = prepared(name)
    flawed = call(made, pages=3, **{end: made.addr(end, 2)})
    machine = made.machine(app=touch(made, "dst", 1), gc=flawed)
    while "app" in machine.choices():
        machine.step("app")
    while "gc" in machine.choices():
        machine.step("gc")
    assert made.results == {"gc": EAGAIN}
    assert machine.choices() == ["app"]
    assert not leftovers(machine)


@pytest.mark.parametrize("name", LOSING)
def test_what_the_areas_are_is_still_told_in_revisions_3_and_4(name: str) -> None:
    made = prepared(name, ctx="other")
    machine = move(made)
    assert made.results["gc"] == EINVAL
    assert numbered(machine)[-4:] == ["m5", "mU", "P7", "P8"]


def test_revision_2_holds_mmap_lock_all_the_while_without_an_anon_vma() -> None:
    made = prepared("series-v2", anon_vma="")
    machine = move(made, dontwake=True)
    locks = lock_steps(machine.events, "gc")
    assert (locks[-1], made.results["gc"]) == ("-R mmap_lock", PAGE_SIZE)
    assert machine.state(made.stage.vma("dst").rec).anon_vma
    assert not leftovers(machine)


@every_revision
def test_without_memory_for_an_anon_vma_nothing_is_moved(name: str) -> None:
    made = prepared(name, anon_vma="")
    machine = fail_once(made, "anon_vma_chain_alloc")
    assert made.results["gc"] == ENOMEM
    assert entry(made, machine, "src") == Pte(folio="src+0")
    assert not leftovers(machine)
