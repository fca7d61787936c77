"""Mappings as objects: names, memory that is used again, and what may be joined."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.harness import run, scene
from tests.kernel.writers import record
from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.eras.v6_18 import V6_18
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Tree, VmaRecord
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.kernel.vma_tree import MmapSpec, can_join, part, plan_merge, tree_gap, tree_store

RANGES = st.tuples(st.integers(0, 30), st.integers(1, 6), st.sampled_from(("", "a", "b", "c")))


@given(st.lists(RANGES, max_size=12))
def test_a_store_leaves_what_an_array_of_pages_would_hold(
    stores: list[tuple[int, int, str]],
) -> None:
    tree, pages = Tree(), dict.fromkeys(range(40), "")
    for start, length, name in stores:
        outcome = tree_store(tree, "t", start, start + length, name)
        assert outcome is not None
        tree = outcome[0]
        pages.update(dict.fromkeys(range(start, start + length), name))
        found = {p: n for low, high, n in tree.entries for p in range(low, high)}
        assert found == {p: n for p, n in pages.items() if n}
        assert list(tree.entries) == sorted(tree.entries)


@given(st.lists(RANGES, max_size=8), st.integers(1, 8), st.integers(0, 40))
def test_room_that_is_found_is_free(
    stores: list[tuple[int, int, str]], length: int, hint: int
) -> None:
    tree = Tree()
    for start, size, name in stores:
        outcome = tree_store(tree, "t", 100 + start, 100 + start + size, name)
        assert outcome is not None
        tree = outcome[0]
    found = tree_gap(tree, "t", length, hint)
    assert found is not None
    at = found[1]
    assert not [e for e in tree.entries if e[0] < at + length and at < e[1]]


@pytest.mark.parametrize(
    "other",
    [{"prot": "r"}, {"ctx": "gc"}, {"backing": "shmem"}, {"dontfork": True}, {"anon_vma": "x"}],
)
def test_different_mappings_do_not_join(other: dict[str, Any]) -> None:
    low = VmaRecord(start=0x1000, end=0x2000, anon_vma="a")
    high = VmaRecord(start=0x2000, end=0x3000, **{"anon_vma": "a", **other})
    assert not can_join(low, high)


def test_an_anon_vma_that_is_not_there_yet_is_no_obstacle() -> None:
    low = VmaRecord(start=0x1000, end=0x2000, anon_vma="a")
    assert can_join(low, VmaRecord(start=0x2000, end=0x3000))


def test_moved_pages_join_only_where_their_offsets_go_on() -> None:
    low = VmaRecord(start=0x1000, end=0x2000)
    assert can_join(low, VmaRecord(start=0x2000, end=0x3000, pgoff=2))
    assert not can_join(low, VmaRecord(start=0x2000, end=0x3000, pgoff=7))


def test_the_parts_of_a_mapping_join_again() -> None:
    rec = VmaRecord(start=0x1000, end=0x9000, backing="shmem", file="f", pgoff=3)
    assert can_join(part(rec, 0x1000, 0x4000), part(rec, 0x4000, 0x9000))


def test_a_neighbour_takes_the_first_pages_of_a_mapping() -> None:
    prev = VmaRecord(start=0x1000, end=0x2000, prot="r")
    curr = VmaRecord(start=0x2000, end=0x5000, prot="rw")
    new = VmaRecord(start=0x2000, end=0x3000, prot="r")
    plan = plan_merge(new, ("curr", curr), ("prev", prev), None)
    assert plan is not None
    assert (plan.keep, plan.start, plan.end) == ("prev", 0x1000, 0x3000)
    assert (plan.trimmed, plan.trim_start, plan.trim_end) == ("curr", 0x3000, 0x5000)
    assert plan.locks == ("prev", "curr")


def test_a_hole_between_two_of_a_kind_makes_them_one() -> None:
    prev = VmaRecord(start=0x1000, end=0x2000)
    after = VmaRecord(start=0x3000, end=0x4000, anon_vma="a")
    plan = plan_merge(VmaRecord(start=0x2000, end=0x3000), None, ("prev", prev), ("after", after))
    assert plan is not None
    assert (plan.keep, plan.end, plan.gone, plan.donor) == ("prev", 0x4000, ("after",), "after")


@pytest.mark.parametrize("era", [V6_9, V6_18])
def test_another_address_space_may_get_the_memory_of_a_freed_mapping(
    era: type[Kernel],
) -> None:
    made = scene(era)

    async def free_then_map_elsewhere(k: Kernel) -> int:
        await k.sys_munmap(made.mm, made.addr("dst"), 4 * PAGE_SIZE)
        child = k.stage.mm("child")
        return await k.sys_mmap(child, made.addr("dst"), PAGE_SIZE, MmapSpec(name="new"))

    machine = made.machine(app=free_then_map_elsewhere)
    run(machine)
    shared = era is V6_18
    name = machine.state(made.stage.mm("child").tree).entries[0][2]
    assert name == ("new~dst" if shared else "new")
    assert (made.stage.vma(name).rec is made.stage.vma("dst").rec) is shared
    assert record(machine, made, name).mm == "child"
    assert not record(machine, made, name).freed
