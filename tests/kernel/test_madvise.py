"""madvise(): the lock it takes, the event before the zap, and the second look."""

import pytest

from tests.kernel.eras import WRITER_ERAS
from tests.kernel.harness import Scene, leftovers, lock_steps, run, scene, steps_in
from tests.kernel.writers import EINVAL, ENOMEM, first, names, record, run_app
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.run.machine import Machine

every_era = pytest.mark.parametrize("era", WRITER_ERAS, ids=lambda era: era.era)
MADVISE = ("madvise_pages", "madvise_walk_vmas", "madvise_dontneed_free", "userfaultfd_remove")


def advising(made: Scene, name: str, advice: str, pages: int = 4, page: int = 0) -> Machine:
    """A machine whose only task gives advice."""
    start = made.addr(name, page)
    return made.machine(app=lambda k: k.sys_madvise(made.mm, start, pages * PAGE_SIZE, advice))


@every_era
def test_a_registered_mapping_is_zapped_under_mmap_lock(era: type[Kernel]) -> None:
    made = scene(era)
    events = run(advising(made, "dst", "dontneed"))
    rwsems = [w for w in lock_steps(events, "app") if "mmap_lock" in w]
    assert rwsems == ["+R mmap_lock", "-R mmap_lock"]
    assert made.results == {"app": 0}


@every_era
def test_the_event_is_sent_without_locks_and_before_the_zap(era: type[Kernel]) -> None:
    made = scene(era, ("remove",))
    machine = advising(made, "dst", "dontneed")
    run_app(machine)
    raised = first(machine, "raises mmap_changing")
    dropped = first(machine, "releases mmap_lock for read")
    assert raised < dropped < first(machine, "joins event_wqh")
    assert not [e for e in machine.events if " ptl" in f" {e.object}"]
    assert leftovers(machine) == []


@every_era
def test_the_mapping_is_looked_up_again_after_the_event(era: type[Kernel]) -> None:
    made = scene(era, ("remove",))

    async def monitor(k: Kernel) -> int:
        await k.sys_munmap(made.mm, made.addr("dst"), 4 * PAGE_SIZE)
        await k.userfaultfd_read(made.ctx)
        return 0

    start = made.addr("dst")
    machine = made.machine(
        app=lambda k: k.sys_madvise(made.mm, start, 4 * PAGE_SIZE, "dontneed"), monitor=monitor
    )
    run_app(machine)
    run(machine)
    assert made.results["app"] == ENOMEM
    assert machine.state(made.ctx.mmap_changing) == 0
    assert leftovers(machine) == []


@every_era
def test_the_numbered_steps_come_in_order(era: type[Kernel]) -> None:
    made = scene(era, ("remove",))

    async def monitor(k: Kernel) -> int:
        await k.userfaultfd_read(made.ctx)
        return 0

    start = made.addr("dst")
    machine = made.machine(
        app=lambda k: k.sys_madvise(made.mm, start, 4 * PAGE_SIZE, "dontneed"), monitor=monitor
    )
    run_app(machine)
    events = run(machine)
    functions = ("madvise_pages_vma_lock", "madvise_drop", *MADVISE)
    found = steps_in(events, "app", *functions)
    assert [s for i, s in enumerate(found) if s not in found[:i]] == list("123") + list("45678")


@every_era
def test_free_is_for_anonymous_memory(era: type[Kernel]) -> None:
    made = scene(era)
    made.add("shm", backing="shmem", anon_vma="")
    run(advising(made, "shm", "free"))
    assert made.results == {"app": EINVAL}


@every_era
def test_holes_are_stepped_over_and_reported(era: type[Kernel]) -> None:
    made = scene(era)
    machine = advising(made, "dst", "dontneed", pages=12)
    run(machine)
    assert made.results == {"app": ENOMEM}
    assert leftovers(machine) == []


@every_era
def test_dontfork_splits_and_dofork_joins_again(era: type[Kernel]) -> None:
    made = scene(era)
    start = made.addr("src", 1)

    async def both(k: Kernel) -> int:
        await k.sys_madvise(made.mm, start, PAGE_SIZE, "dontfork")
        return await k.sys_madvise(made.mm, start, PAGE_SIZE, "dofork")

    machine = made.machine(app=both)
    run(machine)
    assert names(machine, made) == ["dst", "src"]
    assert record(machine, made, "src+1").freed
    assert not record(machine, made, "src").dontfork


@every_era
def test_remove_needs_a_writable_shared_file(era: type[Kernel]) -> None:
    made = scene(era)
    run(advising(made, "src", "remove"))
    assert made.results == {"app": EINVAL}


@every_era
def test_remove_drops_mmap_lock_while_the_file_shrinks(era: type[Kernel]) -> None:
    made = scene(era)
    made.add("shm", backing="shmem", shared=True, anon_vma="", file="f")
    machine = advising(made, "shm", "remove")
    events = run(machine)
    rwsems = [w for w in lock_steps(events, "app") if "mmap_lock" in w]
    assert made.results == {"app": 0}
    assert rwsems == ["+R mmap_lock", "-R mmap_lock"] * 2
    assert leftovers(machine) == []
