"""Mappings lie in file order; an address is a name and a page."""

import pytest

from uffdviz.errors import ScenarioError
from uffdviz.run.addresses import BASE, Layout
from uffdviz.run.scenario import Fork, Mmap, MmTable, Scenario, TaskTable, VmaTable

PAGE = 4096


def layout(*vmas: VmaTable, task: TaskTable | None = None, mm: tuple[MmTable, ...] = ()) -> Layout:
    tasks = (task or TaskTable(name="a", calls=(Fork(),)),)
    return Layout(Scenario(vma=vmas, task=tasks, mm=mm))


def test_mappings_follow_one_another_without_a_gap() -> None:
    places = layout(VmaTable(name="a", pages=2), VmaTable(name="b", pages=1)).places
    assert (places["a"].start, places["b"].start) == (BASE, BASE + 2 * PAGE)


def test_a_gap_is_one_page() -> None:
    places = layout(VmaTable(name="a", pages=2), VmaTable(name="b", pages=1, gap=True)).places
    assert places["b"].start == BASE + 3 * PAGE


def test_a_start_is_taken_as_it_is() -> None:
    places = layout(VmaTable(name="a", pages=1, start=0x7000), VmaTable(name="b", pages=1)).places
    assert (places["a"].start, places["b"].start) == (0x7000, 0x8000)


def test_a_start_between_pages_is_refused() -> None:
    with pytest.raises(ScenarioError, match="is not at a page"):
        layout(VmaTable(name="a", pages=1, start=0x7001))


def test_a_second_address_space_has_addresses_of_its_own() -> None:
    mm = (MmTable(name="other"),)
    places = layout(
        VmaTable(name="a", pages=1), VmaTable(name="b", pages=1, mm="other"), mm=mm
    ).places
    assert places["a"].start != places["b"].start


def test_an_address_and_its_name_are_the_same() -> None:
    here = layout(VmaTable(name="a", pages=4), VmaTable(name="b", pages=4))
    for text in ("a", "a+3", "b", "b+1"):
        assert here.where(here.address(text)) == text


def test_step_and_rep_move_an_address() -> None:
    here = layout(VmaTable(name="t0", pages=8), VmaTable(name="t1", pages=8))
    assert here.address("t{rep}", 1) == here.address("t1")
    assert here.address("t0", 2, 3) == here.address("t0+6")
    assert here.address("t0+7", 2, -3) == here.address("t0+1")


def test_memory_that_only_mmap_brings_has_a_place_for_each_twin() -> None:
    call = Mmap(name="new{n}", pages=2)
    here = layout(VmaTable(name="a", pages=1), task=TaskTable(name="w", count=2, calls=(call,)))
    assert here.address("new{n}", twin=1) != here.address("new{n}", twin=2)
