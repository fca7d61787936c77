"""Whatever a single task does to its address space, tree and mappings stay one picture."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernel.eras import WRITER_ERAS
from tests.kernel.harness import BASE, Scene, leftovers, run, scene
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
