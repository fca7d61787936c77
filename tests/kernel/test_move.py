"""UFFDIO_MOVE: its locks and steps era by era, its errors and what each of them leaves behind."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.kernel.harness import Scene, labels_of, leftovers, lock_steps, run, run_until, scene
from tests.kernel.writers import run_failing
from uffdviz.kernel.eras.v6_1 import V6_1
from uffdviz.kernel.eras.v6_8 import V6_8
from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.eras.v6_12 import V6_12
from uffdviz.kernel.eras.v6_18 import V6_18
from uffdviz.kernel.errno import (
    EAGAIN,
    EBUSY,
    EEXIST,
    EFAULT,
    EINTR,
    EINVAL,
    ENOENT,
    ENOMEM,
    ESRCH,
)
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Folio, Pte
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.run.machine import Machine

MOVE_ERAS: tuple[type[Kernel], ...] = (V6_8, V6_9, V6_12, V6_18)
every_era = pytest.mark.parametrize("era", MOVE_ERAS, ids=lambda era: era.era)

ONE_PAGE = ["+W ptl dst", "-W ptl dst"] * 3
ANON_VMA = ["+W anon_vma src", "+W ptl dst", "-W ptl dst", "-W anon_vma src"]
UNDER_MMAP_LOCK = ["+R mmap_lock", *ONE_PAGE, *ANON_VMA, "-R mmap_lock"]
UNDER_VMA_LOCKS = [
    *("+R vma dst", "+R vma src", "+R map_changing_lock gc"),
    *(*ONE_PAGE, *ANON_VMA),
    *("-R map_changing_lock gc", "-R vma src", "-R vma dst"),
]
RECORDED: dict[type[Kernel], list[str]] = {
    V6_8: UNDER_MMAP_LOCK,
    V6_9: UNDER_VMA_LOCKS,
    V6_12: UNDER_VMA_LOCKS,
    V6_18: UNDER_VMA_LOCKS,
}
"""The table `move_two_vmas` of the recordings, which is v6.12; the others by the reference."""


def moving(
    made: Scene, pages: int = 1, *, dst: int = 0, src: int = 0, holes: bool = False
) -> Machine:
    """A machine whose task `app` moves pages from `src` to `dst`."""
    to, at = made.addr("dst", dst), made.addr("src", src)
    length = pages * PAGE_SIZE
    return made.machine(app=lambda k: k.userfaultfd_move(made.ctx, to, at, length, holes))


def pte(machine: Machine, made: Scene, name: str, page: int = 0) -> Pte | None:
    """The entry of a page."""
    addr = made.addr(name, page)
    found: Pte | None = dict(machine.state(made.mm.table(addr)).entries).get(addr // PAGE_SIZE)
    return found


def folio(machine: Machine, made: Scene, name: str) -> Folio:
    """What rmap knows of a page."""
    rec: Folio = machine.state(made.stage.folio(name).rec)
    return rec


def nothing_held(machine: Machine, made: Scene) -> bool:
    """No lock, no reference to a page or to the address space is left."""
    pages = [folio(machine, made, f"src+{n}").refs for n in range(4)]
    return not leftovers(machine) and pages == [1] * 4 and machine.state(made.mm.users) <= 1


@every_era
def test_one_page_takes_the_locks_that_the_recordings_show(era: type[Kernel]) -> None:
    made = scene(era)
    machine = moving(made)
    run(machine)
    locks = [w for w in lock_steps(machine.events, "app") if " folio " not in w]
    assert locks == RECORDED[era]
    assert made.results == {"app": PAGE_SIZE}
    assert nothing_held(machine, made)


@every_era
def test_one_page_goes_through_the_steps_of_the_reference(era: type[Kernel]) -> None:
    made = scene(era)
    machine = moving(made)
    run(machine)
    outer = ["m1", "m3", "m4", "m5"] if era is V6_8 else ["m2", "m3", "m4", "m5"]
    passed = [s for s in labels_of(machine.events, "app") if s[0] in "mq"]
    one_page = [
        "q1",
        "q3",
        "q4",
        "q7",
        "q8",
        "q9",
        "q10",
        "q11",
        "q12",
        "q13",
        "q14",
        "q15",
        "q16",
        "q17",
    ]
    assert passed == [*outer, "m6", "m10", *one_page, "m12", "mU"]


@every_era
def test_the_page_has_a_new_place_and_rmap_knows_it(era: type[Kernel]) -> None:
    made = scene(era)
    machine = moving(made, dst=2, src=1)
    run(machine)
    assert pte(machine, made, "dst", 2) == Pte(folio="src+1")
    assert pte(machine, made, "src", 1) is None
    rec = folio(machine, made, "src+1")
    assert (rec.anon_vma, rec.index) == ("dst", made.addr("dst", 2) // PAGE_SIZE)


@every_era
def test_within_one_mapping_one_lock_is_enough(era: type[Kernel]) -> None:
    made = scene(era, present=(0,))
    to, at = made.addr("dst", 2), made.addr("dst")
    machine = made.machine(app=lambda k: k.userfaultfd_move(made.ctx, to, at, PAGE_SIZE))
    run(machine)
    assert made.results == {"app": PAGE_SIZE}
    taken = [w for w in lock_steps(machine.events, "app") if "vma dst" in w and "anon" not in w]
    assert taken == ([] if era is V6_8 else ["+R vma dst", "-R vma dst"])


@every_era
@pytest.mark.parametrize("way", ["up", "down"])
def test_of_two_page_tables_the_lower_one_is_locked_first(era: type[Kernel], way: str) -> None:
    made = scene(era)
    made.add("wide", pages=1024, ctx="gc", modes=("missing",))
    made.put("wide", 600, Pte(folio="wide+600"))
    low, high = made.addr("dst"), made.addr("wide", 600)
    if way == "up":
        low = made.addr("src")
    ends = (high + PAGE_SIZE, low) if way == "up" else (low, high)
    machine = made.machine(app=lambda k: k.userfaultfd_move(made.ctx, *ends, PAGE_SIZE))
    run(machine)
    assert made.results == {"app": PAGE_SIZE}
    both = [w for w in lock_steps(machine.events, "app") if " ptl " in w][6:]
    assert both[0] == "+W ptl dst"
    assert both[1] == "+W ptl 0x7f0000200000"
    assert leftovers(machine) == []


def test_v6_1_has_no_such_operation() -> None:
    made = scene(V6_1)
    machine = moving(made)
    run(machine)
    assert made.results == {"app": EINVAL}
    assert lock_steps(machine.events, "app") == []


def occupied(made: Scene) -> Machine:
    made.put("dst", 0, Pte(folio="dst+0"))
    return moving(made)


def hole(made: Scene) -> Machine:
    made.stage.world[made.mm.table(made.addr("src"))] = made.mm.table(0).initial
    made.put("src", 1, Pte(folio="src+1"))
    return moving(made)


def no_page_table(made: Scene) -> Machine:
    made.stage.world[made.mm.table(made.addr("src"))] = made.mm.table(0).initial
    return moving(made)


def marker(made: Scene) -> Machine:
    hole(made)
    made.put("src", 0, Pte(kind="poison", write=False))
    return moving(made)


def with_folio(**fields: Any) -> Callable[[Scene], Machine]:
    def given(made: Scene) -> Machine:
        made.stage.world[made.stage.folio("src+0").rec] = Folio(
            **{"anon_vma": "src", "index": made.addr("src") // PAGE_SIZE, **fields}
        )
        return moving(made)

    return given


def with_src(**fields: Any) -> Callable[[Scene], Machine]:
    def given(made: Scene) -> Machine:
        made.add("other", present=(0,), **fields)
        to, at = made.addr("dst"), made.addr("other")
        return made.machine(app=lambda k: k.userfaultfd_move(made.ctx, to, at, PAGE_SIZE))

    return given


def to_unregistered(made: Scene) -> Machine:
    made.add("plain")
    to, at = made.addr("plain"), made.addr("src")
    return made.machine(app=lambda k: k.userfaultfd_move(made.ctx, to, at, PAGE_SIZE))


def too_long(made: Scene) -> Machine:
    return moving(made, 5)


def unaligned(made: Scene) -> Machine:
    return made.machine(app=lambda k: k.userfaultfd_move(made.ctx, 1, 0, PAGE_SIZE))


def address_space_gone(made: Scene) -> Machine:
    made.stage.world[made.mm.users] = 0
    return moving(made)


def event_to_read(made: Scene) -> Machine:
    made.stage.world[made.ctx.mmap_changing] = 1
    return moving(made)


ERRORS: list[tuple[Callable[[Scene], Machine], int]] = [
    (occupied, EEXIST),
    (hole, ENOENT),
    (no_page_table, ENOENT),
    (marker, EFAULT),
    (with_folio(exclusive=False), EBUSY),
    (with_folio(pins=1), EBUSY),
    (with_src(prot="r"), EINVAL),
    (with_src(prot="rx"), EINVAL),
    (with_src(shared=True), EINVAL),
    (with_src(backing="shmem", file="f"), EINVAL),
    (to_unregistered, EINVAL),
    (too_long, EINVAL),
    (unaligned, EINVAL),
    (address_space_gone, ESRCH),
    (event_to_read, EAGAIN),
]


@every_era
@pytest.mark.parametrize(("given", "errno"), ERRORS)
def test_an_error_leaves_nothing_behind(
    era: type[Kernel], given: Callable[[Scene], Machine], errno: int
) -> None:
    made = scene(era)
    machine = given(made)
    before = machine.state(made.mm.table(made.addr("dst")))
    run(machine)
    assert made.results == {"app": errno}
    assert nothing_held(machine, made)
    assert machine.state(made.mm.table(made.addr("dst"))) == before


@every_era
@pytest.mark.parametrize("page", [0, 1])
def test_a_hole_may_be_skipped(era: type[Kernel], page: int) -> None:
    made = scene(era)
    machine = hole(made)
    machine = moving(made, 2, holes=True)
    run(machine)
    assert made.results == {"app": 2 * PAGE_SIZE}
    expected = [None, Pte(folio="src+1")][page]
    assert pte(machine, made, "dst", page) == expected


@every_era
def test_what_was_done_before_an_error_counts(era: type[Kernel]) -> None:
    made = scene(era)
    made.put("dst", 2, Pte(folio="dst+2"))
    machine = moving(made, 4)
    run(machine)
    assert made.results == {"app": 2 * PAGE_SIZE}
    assert pte(machine, made, "src", 2) == Pte(folio="src+2")
    assert nothing_held(machine, made)


@every_era
@pytest.mark.parametrize(
    ("work", "errno"), [("copy_from_user", EFAULT), ("put_user", EFAULT), ("pte_alloc", ENOMEM)]
)
def test_what_can_fail_fails_cleanly(era: type[Kernel], work: str, errno: int) -> None:
    made = scene(era)
    made.add("wide", pages=1024, ctx="gc", modes=("missing",))
    to, at = made.addr("wide", 600), made.addr("src")
    machine = made.machine(app=lambda k: k.userfaultfd_move(made.ctx, to, at, PAGE_SIZE))
    run_failing(machine, work)
    assert made.results == {"app": errno}
    assert nothing_held(machine, made)
    moved = work == "put_user"
    assert (pte(machine, made, "src") is None) == moved


@every_era
def test_the_binding_look_at_the_counter_is_the_one_under_the_locks(era: type[Kernel]) -> None:
    made = scene(era)
    made.stage.world[made.ctx.mmap_changing] = 1
    ends = (made.addr("dst"), made.addr("src"))
    machine = made.machine(
        app=lambda k: k.move_pages(made.ctx, *ends, PAGE_SIZE, allow_src_holes=False)
    )
    run(machine)
    assert made.results == {"app": EINVAL if era is V6_8 else EAGAIN}
    assert nothing_held(machine, made)


@every_era
def test_a_missing_mapping_has_its_own_errno_since_v6_9(era: type[Kernel]) -> None:
    made = scene(era)
    ends = (made.addr("dst"), made.addr("src") + 8 * PAGE_SIZE)
    machine = made.machine(app=lambda k: k.userfaultfd_move(made.ctx, *ends, PAGE_SIZE))
    run(machine)
    assert made.results == {"app": EINVAL if era is V6_8 else ENOENT}
    assert nothing_held(machine, made)


@every_era
def test_an_anon_vma_that_cannot_be_had_is_no_memory(era: type[Kernel]) -> None:
    made = scene(era, anon_vma="")
    machine = moving(made)
    run_failing(machine, "anon_vma_alloc")
    assert made.results == {"app": ENOMEM}
    assert nothing_held(machine, made)


@every_era
def test_another_address_space_may_not_ask(era: type[Kernel]) -> None:
    made = scene(era)
    stranger = made.stage.uffd("theirs", made.stage.mm("other"))
    ends = (made.addr("dst"), made.addr("src"))
    machine = made.machine(app=lambda k: k.userfaultfd_move(stranger, *ends, PAGE_SIZE))
    run(machine)
    assert made.results == {"app": EINVAL}


@every_era
def test_a_fatal_signal_stops_it_between_pages(era: type[Kernel]) -> None:
    made = scene(era)
    machine = moving(made, 1)
    run_until(machine, "app", step="m6")
    machine.step("kill app")
    run(machine)
    assert made.results == {"app": EINTR}
    assert nothing_held(machine, made)


@every_era
def test_the_zero_page_moves_since_v6_9(era: type[Kernel]) -> None:
    made = scene(era)
    hole(made)
    made.put("src", 0, Pte(kind="zero", write=False))
    machine = moving(made)
    run(machine)
    assert made.results == {"app": EBUSY if era is V6_8 else PAGE_SIZE}
    assert (pte(machine, made, "src") is None) == (era is not V6_8)
    assert nothing_held(machine, made)


@every_era
def test_a_page_that_was_busy_once_is_moved_and_v6_18_says_it_exists(era: type[Kernel]) -> None:
    made = scene(era)
    machine = moving(made)
    run_failing(machine, "pte_offset_map")
    assert made.results == {"app": EEXIST if era is V6_18 else PAGE_SIZE}
    assert pte(machine, made, "dst") == Pte(folio="src+0")
    assert nothing_held(machine, made)
