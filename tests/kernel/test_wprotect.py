"""UFFDIO_WRITEPROTECT: locks and steps era by era, its errors, and what it does to entries."""

from typing import Any

import pytest

from tests.kernel.harness import Scene, labels_of, leftovers, lock_steps, run, run_until, scene
from tests.kernel.test_move import pte
from tests.kernel.writers import run_failing
from uffdviz.kernel.eras.v6_1 import V6_1
from uffdviz.kernel.eras.v6_8 import V6_8
from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.eras.v6_12 import V6_12
from uffdviz.kernel.eras.v6_18 import V6_18
from uffdviz.kernel.errno import EAGAIN, EFAULT, EINVAL, ENOENT, ENOMEM, ESRCH
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Folio, Pte
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.run.machine import Machine

ERAS: tuple[type[Kernel], ...] = (V6_1, V6_8, V6_9, V6_12, V6_18)
every_era = pytest.mark.parametrize("era", ERAS, ids=lambda era: era.era)
ERA_A = (V6_1, V6_8)


def protected_scene(era: type[Kernel], *, wp: bool = False) -> Scene:
    """A mapping `dst` that is registered for write protection, with three of its four pages."""
    made = scene(era, modes=("wp",))
    for page in (0, 1, 2):
        made.put("dst", page, Pte(folio=f"dst+{page}", write=not wp, wp=wp))
    return made


def protecting(made: Scene, pages: int = 4, *, protect: bool = True, page: int = 0) -> Machine:
    """A machine whose task `app` changes the protection."""
    at, length = made.addr("dst", page), pages * PAGE_SIZE
    return made.machine(
        app=lambda k: k.userfaultfd_writeprotect(made.ctx, at, length, protect),
    )


@every_era
def test_it_takes_the_locks_that_the_recordings_show(era: type[Kernel]) -> None:
    made = protected_scene(era)
    machine = protecting(made)
    run(machine)
    changing = [] if era in ERA_A else ["R map_changing_lock gc"]
    up, down = [f"+{w}" for w in changing], [f"-{w}" for w in changing]
    assert lock_steps(machine.events, "app") == [
        *("+R mmap_lock", *up, "+W ptl dst", "-W ptl dst", *down, "-R mmap_lock")
    ]
    assert made.results == {"app": 0}


@every_era
def test_it_goes_through_the_steps_of_the_reference(era: type[Kernel]) -> None:
    made = protected_scene(era)
    machine = protecting(made)
    run(machine)
    counter = ["w1", "w3"] if era in ERA_A else ["w1", "w2", "w3"]
    passed = [s for s in labels_of(machine.events, "app") if s in {*counter, "w4", "w5", "wU"}]
    assert passed == [*counter, "w4", "w5", "wU"]


@every_era
def test_present_pages_are_protected_and_holes_of_anonymous_memory_are_not(
    era: type[Kernel],
) -> None:
    made = protected_scene(era)
    machine = protecting(made)
    run(machine)
    assert [pte(machine, made, "dst", n) for n in range(4)] == [
        *(Pte(folio=f"dst+{n}", write=False, wp=True) for n in range(3)),
        None,
    ]


@every_era
def test_holes_of_a_file_get_markers_and_lose_them_again(era: type[Kernel]) -> None:
    made = scene(era, modes=("wp",), backing="shmem", file="f", shared=True, anon_vma="")
    machine = protecting(made, 1)
    run(machine)
    marker = Pte(kind="wp_marker", write=False, wp=True)
    assert pte(machine, made, "dst") == marker
    made.stage.world[made.mm.table(made.addr("dst"))] = machine.state(
        made.mm.table(made.addr("dst"))
    )
    machine = protecting(made, 1, protect=False)
    run(machine)
    assert pte(machine, made, "dst") is None


@every_era
def test_lifting_it_makes_own_pages_writable_at_once_since_v6_2(era: type[Kernel]) -> None:
    made = protected_scene(era, wp=True)
    made.stage.world[made.stage.folio("dst+1").rec] = Folio(anon_vma="dst", exclusive=False)
    machine = protecting(made, protect=False)
    run(machine)
    own, shared = (pte(machine, made, "dst", n) for n in (0, 1))
    assert own == Pte(folio="dst+0", write=era is not V6_1)
    assert shared == Pte(folio="dst+1", write=False)


@every_era
@pytest.mark.parametrize("ask", ["protect", "lift", "quietly"])
def test_only_lifting_it_wakes_and_not_if_told_so(era: type[Kernel], ask: str) -> None:
    made = protected_scene(era)
    at, flags = made.addr("dst"), (ask == "protect", ask == "quietly")
    machine = made.machine(
        app=lambda k: k.userfaultfd_writeprotect(made.ctx, at, PAGE_SIZE, *flags)
    )
    run(machine)
    assert queue_looked_at(machine) == (ask == "lift")


def queue_looked_at(machine: Machine) -> bool:
    """Whether anybody looked for sleepers."""
    return any(e.object.startswith("fault_") for e in machine.events)


@every_era
def test_protecting_without_waking_is_nonsense(era: type[Kernel]) -> None:
    made = protected_scene(era)
    ask = (made.addr("dst"), PAGE_SIZE)
    machine = made.machine(
        app=lambda k: k.userfaultfd_writeprotect(made.ctx, *ask, protect=True, dontwake=True)
    )
    run(machine)
    assert made.results == {"app": EINVAL}
    assert lock_steps(machine.events, "app") == []


@every_era
def test_earlier_mappings_stay_changed_when_a_later_one_is_not_registered(
    era: type[Kernel],
) -> None:
    made = protected_scene(era)
    machine = protecting(made, 12)
    run(machine)
    assert made.results == {"app": ENOENT}
    assert pte(machine, made, "dst") == Pte(folio="dst+0", write=False, wp=True)
    assert leftovers(machine) == []


@every_era
def test_no_mapping_at_all_is_no_entry(era: type[Kernel]) -> None:
    made = protected_scene(era)
    machine = protecting(made, 1, page=5)
    run(machine)
    assert made.results == {"app": ENOENT}
    assert leftovers(machine) == []


@every_era
@pytest.mark.parametrize("binding", ["early", "under the locks"])
def test_an_unread_event_turns_it_away(era: type[Kernel], binding: str) -> None:
    made = protected_scene(era)
    made.stage.world[made.ctx.mmap_changing] = 1
    ask = (made.addr("dst"), PAGE_SIZE, True)
    early = binding == "early"
    machine = made.machine(
        app=lambda k: (
            k.userfaultfd_writeprotect(made.ctx, *ask)
            if early
            else k.mwriteprotect_range(made.ctx, *ask)
        )
    )
    run(machine)
    assert made.results == {"app": EAGAIN}
    assert (lock_steps(machine.events, "app") == []) == early
    assert leftovers(machine) == []


@every_era
def test_an_argument_that_cannot_be_read_is_a_fault(era: type[Kernel]) -> None:
    made = protected_scene(era)
    machine = protecting(made)
    run_failing(machine, "copy_from_user")
    assert made.results == {"app": EFAULT}
    assert leftovers(machine) == []


@every_era
def test_an_address_space_that_is_gone_is_no_process(era: type[Kernel]) -> None:
    made = protected_scene(era)
    made.stage.world[made.mm.users] = 0
    machine = protecting(made)
    run(machine)
    assert made.results == {"app": ESRCH}


@every_era
def test_markers_need_a_page_table(era: type[Kernel]) -> None:
    made = scene(era)
    file: dict[str, Any] = {"backing": "shmem", "file": "f", "anon_vma": ""}
    made.add("wide", pages=1024, ctx="gc", modes=("wp",), shared=True, **file)
    ask = (made.addr("wide", 600), PAGE_SIZE, True)
    machine = made.machine(app=lambda k: k.userfaultfd_writeprotect(made.ctx, *ask))
    run_failing(machine, "pte_alloc")
    assert made.results == {"app": ENOMEM}
    assert leftovers(machine) == []


@every_era
def test_a_range_over_two_page_tables_takes_a_lock_of_each(era: type[Kernel]) -> None:
    made = scene(era)
    made.add("wide", pages=1024, ctx="gc", modes=("wp",), present=(0, 600))
    ask = (made.addr("wide"), 1024 * PAGE_SIZE, True)
    machine = made.machine(app=lambda k: k.userfaultfd_writeprotect(made.ctx, *ask))
    run(machine)
    ptls = [w for w in lock_steps(machine.events, "app") if " ptl " in w and w[0] == "+"]
    assert ptls == ["+W ptl dst", "+W ptl 0x7f0000200000"]


@every_era
def test_a_fault_beside_it_sees_the_old_protection_or_the_new(era: type[Kernel]) -> None:
    made = protected_scene(era)
    ask = (made.addr("dst"), PAGE_SIZE, True)
    machine = made.machine(
        app=lambda k: k.userfaultfd_writeprotect(made.ctx, *ask),
        other=lambda k: k.page_fault(made.addr("dst"), write=True),
    )
    run_until(machine, "app", object="ptl dst", fact="LockAcquired")
    while machine.can_step("other"):
        machine.step("other")
    assert made.results == {"other": 0}
    run(machine)
    assert made.results == {"other": 0, "app": 0}
