"""munmap(): the numbered list of the reference, what fails and what then stays."""

import pytest

from tests.kernel.eras import VMA_LOCK_ERAS, WRITER_ERAS
from tests.kernel.harness import Scene, leftovers, lock_steps, run, run_until, scene, steps_in
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import VmaRecord
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.run.machine import Machine

ENOMEM, EINTR, EINVAL = -12, -4, -22
MUNMAP = ("sys_munmap", "vms_gather_munmap_vmas", "split_end", "do_vmi_align_munmap")
every_era = pytest.mark.parametrize("era", WRITER_ERAS, ids=lambda era: era.era)
every_vma_lock_era = pytest.mark.parametrize("era", VMA_LOCK_ERAS, ids=lambda era: era.era)


def unmapping(made: Scene, page: int = 0, pages: int = 4, name: str = "dst") -> Machine:
    """A machine whose only task unmaps pages of a mapping."""
    start = made.addr(name, page)
    return made.machine(app=lambda k: k.sys_munmap(made.mm, start, pages * PAGE_SIZE))


def fail_at(machine: Machine, work: str) -> None:
    """Run the task `app`; the work of that name fails."""
    while machine.choices():
        fails = getattr(machine.tasks["app"].ask, "name", "") == work
        machine.step("fail app" if fails else "app")


def names(machine: Machine, made: Scene) -> list[str]:
    """What is in the tree."""
    return [name for _, _, name in machine.state(made.mm.tree).entries]


@every_era
def test_it_downgrades_before_it_zaps_and_frees(era: type[Kernel]) -> None:
    made = scene(era)
    machine = unmapping(made, name="src")
    events = run(machine)
    assert steps_in(events, "app", *MUNMAP) == ["1", "3", "4", "5", "6", "7"]
    locks = [w for w in lock_steps(events, "app") if " vma " not in w]
    assert locks[0] == "+W mmap_lock"
    assert locks[1] == "dgR mmap_lock"
    assert locks[-3:] == ["+W anon_vma src", "-W anon_vma src", "-R mmap_lock"]
    assert made.results == {"app": 0}


@every_vma_lock_era
def test_the_mapping_is_locked_and_detached_while_the_tree_still_shows_it(
    era: type[Kernel],
) -> None:
    made = scene(era)
    machine = unmapping(made)
    run_until(machine, "app", step="3", function="vms_gather_munmap_vmas", object="mapping dst")
    while machine.tasks["app"].place != ("do_vmi_align_munmap", "4"):
        machine.step("app")
    assert "dst" in names(machine, made)
    kinds = [e.fact for e in machine.events if e.object == "mm_lock_seq" and e.fact == "Changed"]
    run(machine)
    bumps = [e.fact for e in machine.events if e.object == "mm_lock_seq" and e.fact == "Changed"]
    assert len(bumps) > len(kinds)


@every_era
def test_a_hole_in_the_middle_leaves_two_mappings(era: type[Kernel]) -> None:
    made = scene(era)
    machine = unmapping(made, 1, 2)
    run(machine)
    assert names(machine, made) == ["dst", "dst+3", "src"]
    assert leftovers(machine) == []


@every_era
def test_nothing_mapped_is_no_error(era: type[Kernel]) -> None:
    made = scene(era)
    machine = unmapping(made, -4)
    run(machine)
    assert made.results == {"app": 0}
    assert leftovers(machine) == []


@every_era
def test_a_length_that_is_no_whole_page_is_refused(era: type[Kernel]) -> None:
    made = scene(era)
    machine = made.machine(app=lambda k: k.sys_munmap(made.mm, made.addr("dst"), 100))
    run(machine)
    assert made.results == {"app": EINVAL}
    assert leftovers(machine) == []


@every_era
def test_without_memory_for_a_split_nothing_is_unmapped(era: type[Kernel]) -> None:
    made = scene(era)
    machine = unmapping(made, 1, 2)
    fail_at(machine, "vm_area_dup")
    assert made.results == {"app": ENOMEM}
    assert names(machine, made) == ["dst", "src"]


@every_era
def test_without_memory_for_the_list_the_mappings_come_back_and_the_splits_stay(
    era: type[Kernel],
) -> None:
    made = scene(era)
    machine = unmapping(made, 1, 2)
    fail_at(machine, "munmap_sidetree")
    assert made.results == {"app": ENOMEM}
    assert names(machine, made) == ["dst", "dst+1", "dst+3", "src"]
    rec: VmaRecord = machine.state(made.stage.vma("dst+1").rec)
    assert not rec.detached
    assert not rec.freed


@every_era
def test_the_event_is_announced_under_the_lock_and_sent_without_it(era: type[Kernel]) -> None:
    made = scene(era, ("unmap",))
    machine = unmapping(made)
    while machine.choices():
        machine.step("app")
    raised = next(e.n for e in machine.events if "raises mmap_changing" in e.detail)
    cleared = next(e.n for e in machine.events if e.object == "mm tree" and e.fact == "Changed")
    sent = next(e.n for e in machine.events if e.object == "event_wqh gc" and e.fact == "Changed")
    dropped = next(
        e.n for e in machine.events if e.object == "mmap_lock" and e.fact == "LockReleased"
    )
    assert raised < cleared < dropped < sent
    assert machine.state(made.ctx.mmap_changing) == 1


@every_era
def test_one_record_serves_all_mappings_of_a_context(era: type[Kernel]) -> None:
    made = scene(era, ("unmap",))
    made.add("more", ctx="gc", modes=("missing",))
    first, last = made.addr("dst"), made.addr("more", 4)
    machine = made.machine(app=lambda k: k.sys_munmap(made.mm, first, last - first))
    while machine.choices():
        machine.step("app")
    assert machine.state(made.ctx.mmap_changing) == 1


@every_era
def test_a_context_without_the_feature_is_not_told(era: type[Kernel]) -> None:
    made = scene(era, ("remap", "remove", "fork"))
    machine = unmapping(made)
    run(machine)
    assert made.results == {"app": 0}
    assert not [e for e in machine.events if "mmap_changing" in e.object]


@every_era
def test_a_record_that_was_made_is_sent_though_the_call_fails(era: type[Kernel]) -> None:
    made = scene(era, ("unmap",))
    made.stage.uffd("other", made.mm, ("unmap",))
    made.add("more", ctx="other", modes=("missing",))
    first, last = made.addr("dst"), made.addr("more", 4)
    machine = made.machine(app=lambda k: k.sys_munmap(made.mm, first, last - first))
    records = 0
    while machine.choices():
        here = getattr(machine.tasks["app"].ask, "name", "") == "userfaultfd_unmap_prep"
        records += here
        machine.step("fail app" if here and records == 2 else "app")
    assert names(machine, made) == ["dst", "src", "more"]
    assert machine.state(made.ctx.mmap_changing) == 1
    assert machine.state(made.ctx.event_wqh).entries[0].kind == "unmap"


@every_era
def test_a_fatal_signal_ends_the_wait_for_the_lock_with_nothing_changed(era: type[Kernel]) -> None:
    made = scene(era)

    async def reader(k: Kernel) -> int:
        await k.mmap_read_lock(made.mm)
        await k.mmap_read_unlock(made.mm)
        return 0

    start = made.addr("dst")
    machine = made.machine(r=reader, app=lambda k: k.sys_munmap(made.mm, start, PAGE_SIZE))
    run_until(machine, "r", fact="LockAcquired", object="mmap_lock")
    run_until(machine, "app", fact="LockContended", object="mmap_lock")
    machine.step("kill app")
    while machine.can_step("app"):
        machine.step("app")
    run(machine)
    assert made.results == {"r": 0, "app": EINTR}
    assert names(machine, made) == ["dst", "src"]
    assert leftovers(machine) == []
