"""Whatever a single task does to its address space, tree and mappings stay one picture."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernel.eras import WRITER_ERAS
from tests.kernel.harness import BASE, Scene, leftovers, run, scene
from uffdviz.kernel.errno import EINTR
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Tree, VmaRecord
from uffdviz.kernel.objects import PAGE_SIZE, Mm
from uffdviz.kernel.vma_tree import MmapSpec
from uffdviz.run.machine import Machine

PAGES = st.integers(0, 24)
LENGTHS = st.integers(1, 6)
CALLS = st.one_of(
    st.tuples(st.just("mmap"), PAGES, LENGTHS, st.sampled_from(("rw", "r")), st.booleans()),
    st.tuples(st.just("munmap"), PAGES, LENGTHS),
    st.tuples(st.just("mprotect"), PAGES, LENGTHS, st.sampled_from(("rw", "r"))),
    st.tuples(st.just("mremap"), PAGES, LENGTHS, LENGTHS, PAGES, st.booleans(), st.booleans()),
    st.tuples(
        st.just("madvise"), PAGES, LENGTHS, st.sampled_from(("dontneed", "dontfork", "dofork"))
    ),
)
HISTORIES = st.lists(CALLS, max_size=8)


def at(page: int) -> int:
    """An address of the playground, which begins at the first mapping."""
    return BASE + (page + 4) * PAGE_SIZE


async def do(k: Kernel, mm: Mm, call: tuple[Any, ...]) -> int:
    """Make one call."""
    match call:
        case ("mmap", page, pages, prot, fixed):
            spec = MmapSpec(prot=prot, fixed=fixed)
            return await k.sys_mmap(mm, at(page), pages * PAGE_SIZE, spec)
        case ("munmap", page, pages):
            return await k.sys_munmap(mm, at(page), pages * PAGE_SIZE)
        case ("mprotect", page, pages, prot):
            return await k.sys_mprotect(mm, at(page), pages * PAGE_SIZE, prot)
        case ("mremap", page, old, new, to, fixed, dontunmap):
            lengths = (old * PAGE_SIZE, new * PAGE_SIZE)
            return await k.sys_mremap(mm, at(page), *lengths, at(to), fixed, dontunmap)
        case ("madvise", page, pages, advice):
            return await k.sys_madvise(mm, at(page), pages * PAGE_SIZE, advice)
        case ("fork",):
            return await k.sys_fork("child")
        case _:
            raise AssertionError(call)


def picture(machine: Machine, made: Scene) -> tuple[tuple[int, int, str], ...]:
    """The tree's entries, checked against the mappings' records."""
    tree: Tree = machine.state(made.mm.tree)
    top = 0
    for start, end, name in tree.entries:
        assert top <= start < end
        top = end
        rec: VmaRecord = machine.state(made.stage.vma(name).rec)
        assert (rec.start, rec.end, rec.detached, rec.freed) == (start, end, False, False)
        assert rec.mm == made.mm.name
    assert len({name for _, _, name in tree.entries}) == len(tree.entries)
    return tree.entries


@pytest.mark.parametrize("era", WRITER_ERAS, ids=lambda era: era.era)
@given(history=HISTORIES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_tree_and_the_mappings_agree_after_any_calls(
    era: type[Kernel], history: list[tuple[Any, ...]]
) -> None:
    made = scene(era)

    async def life(k: Kernel) -> None:
        for call in history:
            await do(k, made.mm, call)

    machine = made.machine(app=life)
    picture(machine, made)
    run(machine)
    picture(machine, made)
    assert leftovers(machine) == []


@pytest.mark.parametrize("era", WRITER_ERAS, ids=lambda era: era.era)
@given(call=CALLS, failing=st.integers(0, 12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_failed_allocation_leaves_tree_and_mappings_in_agreement(
    era: type[Kernel], call: tuple[Any, ...], failing: int
) -> None:
    made = scene(era)
    machine = made.machine(app=lambda k: do(k, made.mm, call))
    works = 0
    while machine.choices():
        ask = machine.tasks["app"].ask
        fails = getattr(ask, "errno", 0) != 0
        machine.step("fail app" if fails and works == failing else "app")
        works += fails
    picture(machine, made)
    assert leftovers(machine) == []


WRITERS = {
    "mmap": ("mmap", 12, 2, "rw", False),
    "munmap": ("munmap", 1, 2),
    "mprotect": ("mprotect", 1, 2, "r"),
    "mremap": ("mremap", 0, 4, 6, 12, True, False),
    "madvise": ("madvise", 1, 2, "dontfork"),
    "fork": ("fork",),
}


@pytest.mark.parametrize("era", WRITER_ERAS, ids=lambda era: era.era)
@pytest.mark.parametrize("call", WRITERS.values(), ids=WRITERS.keys())
def test_a_writer_that_is_killed_while_it_waits_for_mmap_lock_has_done_nothing(
    era: type[Kernel], call: tuple[Any, ...]
) -> None:
    made = scene(era)

    async def reader(k: Kernel) -> None:
        await k.mmap_read_lock(made.mm)
        await k.signal_pending()
        await k.mmap_read_unlock(made.mm)

    machine = made.machine(r=reader, app=lambda k: do(k, made.mm, call))
    while not machine.state(made.mm.lock).readers:
        machine.step("r")
    while machine.can_step("app"):
        machine.step("app")
    before = {name: rec for name, rec in machine.named.items() if name.startswith("mapping")}
    machine.step("kill app")
    while machine.can_step("app"):
        machine.step("app")
    assert made.results == {"app": EINTR}
    run(machine)
    after = {name: rec for name, rec in machine.named.items() if name.startswith("mapping")}
    assert after == before
    assert leftovers(machine) == []
