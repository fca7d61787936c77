"""Page tables: which lock belongs to which addresses, linking, zapping, moving, copying."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.harness import BASE, Scene, leftovers, lock_steps, run, run_until, scene
from tests.kernel.test_move import pte
from tests.kernel.writers import run_failing
from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.errno import ENOMEM
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Folio, PageTable, Pte
from uffdviz.kernel.objects import PAGE_SIZE, TABLE_SIZE, Mm
from uffdviz.kernel.page_tables import (
    Protect,
    protect_range,
    put_range,
    shift_range,
    take_range,
)
from uffdviz.run.machine import Machine

FREE = BASE + 0x300 * PAGE_SIZE
ENTRIES = st.dictionaries(
    st.integers(0, 20),
    st.builds(Pte, folio=st.sampled_from(["a", "b"]), write=st.booleans()),
)


def wide_scene() -> Scene:
    """A mapping over two page tables, with a page in each, beside the usual ones."""
    made = scene(V6_9)
    made.add("wide", pages=1024, present=(0, 600))
    return made


def ptls(machine: Machine) -> list[str]:
    """The page-table locks that the task took and released, in order."""
    return [w for w in lock_steps(machine.events, "app") if " ptl " in w]


def test_two_mib_of_addresses_share_one_lock() -> None:
    mm = Mm("mm", "")
    assert mm.ptl(BASE) is mm.ptl(BASE + TABLE_SIZE - 1)
    assert mm.ptl(BASE) is not mm.ptl(BASE + TABLE_SIZE)


def test_linking_a_table_takes_the_lock_of_the_level_above_once() -> None:
    made = wide_scene()
    at = BASE + 4 * TABLE_SIZE
    machine = made.machine(app=lambda k: alloc_twice(k, made.mm, at))
    run(machine)
    assert lock_steps(machine.events, "app") == ["+W ptl pmd", "-W ptl pmd"]
    assert machine.state(made.mm.table(at)).linked


async def alloc_twice(k: Kernel, mm: Mm, addr: int) -> int:
    """The second time the table is there."""
    return await k.pte_alloc(mm, addr) or await k.pte_alloc(mm, addr)


def test_without_memory_no_table_is_linked() -> None:
    made = wide_scene()
    at = BASE + 4 * TABLE_SIZE
    machine = made.machine(app=lambda k: k.pte_alloc(made.mm, at))
    run_failing(machine, "pte_alloc")
    assert made.results == {"app": ENOMEM}
    assert not machine.state(made.mm.table(at)).linked
    assert leftovers(machine) == []


def test_of_two_that_link_a_table_one_is_too_late() -> None:
    made = wide_scene()
    at = BASE + 4 * TABLE_SIZE
    machine = made.machine(
        app=lambda k: k.pte_alloc(made.mm, at), other=lambda k: k.pte_alloc(made.mm, at)
    )
    run_until(machine, "app", object="ptl pmd")
    run_until(machine, "other", object="ptl pmd", fact="LockContended")
    run(machine)
    assert made.results == {"app": 0, "other": 0}
    linked = [e for e in machine.events if e.detail.startswith("links page table")]
    assert [e.task for e in linked] == ["app"]


def test_a_table_that_has_vanished_is_not_locked() -> None:
    made = wide_scene()
    machine = made.machine(app=lambda k: k.pte_offset_map_lock(made.mm, made.addr("dst")))
    run_failing(machine, "pte_offset_map")
    assert made.results == {"app": False}
    assert leftovers(machine) == []


def test_zapping_takes_one_lock_a_table_and_one_step() -> None:
    made = wide_scene()
    wide = made.stage.vma("wide")
    ends = (made.addr("wide"), made.addr("wide", 1024))
    machine = made.machine(app=lambda k: k.zap_range(wide, *ends))
    run(machine)
    two = ["ptl dst", "ptl 0x7f0000200000"]
    assert ptls(machine) == [f"{sign}W {lock}" for lock in two for sign in "+-"]
    assert [pte(machine, made, "wide", n) for n in (0, 600)] == [None, None]
    assert len([e for e in machine.events if e.detail.startswith("clears")]) == 2


def test_nothing_is_locked_where_no_table_is() -> None:
    made = wide_scene()
    machine = made.machine(
        app=lambda k: k.zap_range(made.stage.vma("wide"), FREE + TABLE_SIZE, FREE + 2 * TABLE_SIZE)
    )
    run(machine)
    assert ptls(machine) == []


def test_moving_inside_one_table_takes_its_lock_once() -> None:
    made = wide_scene()
    ends = (made.stage.vma("src"), made.addr("src"), made.stage.vma("dst"), made.addr("dst"))
    machine = made.machine(app=lambda k: k.move_page_tables(*ends, 4 * PAGE_SIZE))
    run(machine)
    assert ptls(machine) == ["+W ptl dst", "-W ptl dst"]
    assert made.results == {"app": 4 * PAGE_SIZE}
    assert pte(machine, made, "dst", 3) == Pte(folio="src+3")
    assert pte(machine, made, "src", 3) is None


def test_moving_to_another_table_nests_the_new_lock_in_the_old_one() -> None:
    made = wide_scene()
    wide = made.stage.vma("wide")
    ends = (made.stage.vma("src"), made.addr("src"), wide, made.addr("wide", 700))
    machine = made.machine(app=lambda k: k.move_page_tables(*ends, 4 * PAGE_SIZE))
    run(machine)
    old, new = "W ptl dst", "W ptl 0x7f0000200000"
    assert ptls(machine) == [f"+{old}", f"+{new}", f"-{new}", f"-{old}"]
    assert pte(machine, made, "wide", 703) == Pte(folio="src+3")


def test_moving_stops_where_no_table_can_be_had() -> None:
    made = wide_scene()
    wide = made.stage.vma("wide")
    far = BASE + 4 * TABLE_SIZE - 2 * PAGE_SIZE
    ends = (made.stage.vma("src"), made.addr("src"), wide, far)
    machine = made.machine(app=lambda k: k.move_page_tables(*ends, 4 * PAGE_SIZE))
    run_failing(machine, "pte_alloc", 2)
    assert made.results == {"app": 2 * PAGE_SIZE}
    assert pte(machine, made, "src", 2) == Pte(folio="src+2")
    assert leftovers(machine) == []


def copying(made: Scene) -> Machine:
    """A machine whose task copies `src` to a child."""
    child = made.stage.mm("child")
    tmp = made.stage.vma("child/src", child)
    made.stage.world[tmp.rec] = made.stage.world[made.stage.vma("src").rec]
    return made.machine(app=lambda k: k.copy_page_range(tmp, made.stage.vma("src")))


def test_a_child_gets_the_pages_and_both_sides_lose_the_right_to_write() -> None:
    made = scene(V6_9)
    machine = copying(made)
    run(machine)
    at = made.addr("src")
    child = dict(machine.state(made.stage.mm("child").table(at)).entries)
    shared = Pte(folio="src+0", write=False)
    assert child[at // PAGE_SIZE] == pte(machine, made, "src") == shared
    assert not machine.state(made.stage.folio("src+0").rec).exclusive


def test_the_childs_table_is_locked_outside_the_parents() -> None:
    made = scene(V6_9)
    machine = copying(made)
    run(machine)
    mine = "W ptl dst"
    theirs = "W ptl 0x7f0000000000 child"
    linked = ["+W ptl pmd child", "-W ptl pmd child"]
    assert ptls(machine) == [*linked, f"+{theirs}", f"+{mine}", f"-{mine}", f"-{theirs}"]


def test_a_pinned_page_is_copied_for_the_child() -> None:
    made = scene(V6_9)
    made.stage.world[made.stage.folio("src+0").rec] = Folio(anon_vma="src", pins=1)
    machine = copying(made)
    run(machine)
    assert pte(machine, made, "src") == Pte(folio="src+0")
    at = made.addr("src")
    child = dict(machine.state(made.stage.mm("child").table(at)).entries)
    assert child[at // PAGE_SIZE] == Pte(folio="src@app.1")


def test_what_can_be_faulted_in_is_not_copied() -> None:
    made = scene(V6_9)
    src = made.stage.vma("src")
    made.stage.world[src.rec] = made.stage.world[src.rec].__class__(
        mm="mm", start=made.addr("src"), end=made.addr("src", 4), backing="shmem", file="f"
    )
    machine = copying(made)
    run(machine)
    assert ptls(machine) == []


def test_a_copy_without_memory_for_its_table_fails() -> None:
    made = scene(V6_9)
    machine = copying(made)
    run_failing(machine, "pte_alloc")
    assert made.results == {"app": ENOMEM}
    assert leftovers(machine) == []


@given(ENTRIES)
def test_what_is_taken_can_be_put_back(entries: dict[int, Pte]) -> None:
    table = PageTable(linked=True, entries=tuple(sorted(entries.items())))
    taken = take_range(table, "a", 5, 15, "x")
    assert taken is not None
    assert [p for p, _ in taken[0].entries if 5 <= p <= 15] == []
    back = put_range(taken[0], "a", taken[1], "x")
    assert back is not None
    assert back[0] == table


@given(ENTRIES)
def test_entries_that_are_shifted_and_shifted_back_are_as_before(entries: dict[int, Pte]) -> None:
    table = PageTable(linked=True, entries=tuple(sorted(entries.items())))
    there = shift_range(table, "a", (0, 20), 100, "x")
    assert there is not None
    back = shift_range(there[0], "a", (100, 120), -100, "x")
    assert back is not None
    assert back[0] == table


@given(ENTRIES)
def test_protection_that_is_lifted_leaves_nobody_with_more_rights(entries: dict[int, Pte]) -> None:
    table = PageTable(linked=True, entries=tuple(sorted(entries.items())))
    on = protect_range(table, "a", (0, 20), Protect(wp=True, markers=True), "x")
    assert on is not None
    assert all(p.wp and not p.write for _, p in on[0].entries)
    off = protect_range(on[0], "a", (0, 20), Protect(wp=False, markers=True), "x")
    assert off is not None
    old, new = dict(table.entries), dict(off[0].entries)
    assert old.keys() == new.keys()
    assert not any(p.wp or p.write for p in new.values())


@pytest.mark.parametrize("prot", ["r", "rw"])
def test_mprotect_gives_own_pages_back_their_write_bit(prot: str) -> None:
    made = scene(V6_9)
    made.put("dst", 0, Pte(folio="dst+0", write=False))
    dst = made.stage.vma("dst")
    machine = made.machine(
        app=lambda k: k.change_protection(dst, made.addr("dst"), made.addr("dst", 4), prot)
    )
    run(machine)
    assert pte(machine, made, "dst") == Pte(folio="dst+0", write=prot == "rw")
