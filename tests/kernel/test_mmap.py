"""mmap(): where it maps, whom it joins, what it replaces."""

import pytest

from tests.kernel.eras import VMA_LOCK_ERAS, WRITER_ERAS
from tests.kernel.harness import Scene, leftovers, lock_steps, run, scene, steps_in
from tests.kernel.writers import EINVAL, ENOMEM, first, names, record, run_app, run_failing
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.kernel.vma_tree import MmapSpec
from uffdviz.run.machine import Machine

every_era = pytest.mark.parametrize("era", WRITER_ERAS, ids=lambda era: era.era)
every_vma_lock_era = pytest.mark.parametrize("era", VMA_LOCK_ERAS, ids=lambda era: era.era)


def mapping(made: Scene, start: int, pages: int, spec: MmapSpec) -> Machine:
    """A machine whose only task maps memory."""
    return made.machine(app=lambda k: k.sys_mmap(made.mm, start, pages * PAGE_SIZE, spec))


@every_era
def test_the_kernel_chooses_the_highest_gap(era: type[Kernel]) -> None:
    made = scene(era)
    machine = mapping(made, 0, 2, MmapSpec(name="new", prot="r"))
    run(machine)
    assert made.results == {"app": made.addr("src") - 2 * PAGE_SIZE}
    assert names(machine, made) == ["dst", "new", "src"]


@every_era
def test_memory_beside_memory_of_its_kind_joins_it(era: type[Kernel]) -> None:
    made = scene(era)
    machine = mapping(made, made.addr("src", 4), 2, MmapSpec(name="new"))
    run(machine)
    assert names(machine, made) == ["dst", "src"]
    assert record(machine, made, "src").end == made.addr("src", 6)


@every_era
def test_registered_memory_does_not_grow_by_mmap(era: type[Kernel]) -> None:
    made = scene(era)
    machine = mapping(made, made.addr("dst", 4), 2, MmapSpec(name="new", fixed=True))
    run(machine)
    assert names(machine, made) == ["dst", "new", "src"]


@every_era
def test_memory_of_another_protection_stays_apart(era: type[Kernel]) -> None:
    made = scene(era)
    machine = mapping(made, made.addr("src", 4), 2, MmapSpec(name="new", prot="r"))
    run(machine)
    assert names(machine, made) == ["dst", "src", "new"]


@every_vma_lock_era
def test_a_new_mapping_is_locked_before_anybody_can_find_it(era: type[Kernel]) -> None:
    made = scene(era)
    machine = mapping(made, made.addr("src", 4), 2, MmapSpec(name="new", prot="r"))
    run(machine)
    assert first(machine, "sets lock_seq of vma new") < first(machine, "puts new at")


@every_era
def test_without_neighbours_it_takes_and_releases_only_mmap_lock(era: type[Kernel]) -> None:
    made = scene(era)
    machine = mapping(made, made.addr("src", 4), 2, MmapSpec(name="new", prot="r"))
    events = run(machine)
    assert steps_in(events, "app", "sys_mmap", "mmap_region") == ["1", "2", "3"]
    rwsems = [w for w in lock_steps(events, "app") if " vma " not in w]
    assert rwsems == ["+W mmap_lock", "-W mmap_lock"]


@every_era
def test_fixed_replaces_what_was_there_and_tells_its_monitor_last(era: type[Kernel]) -> None:
    made = scene(era, ("unmap",))
    spec = MmapSpec(name="dst", fixed=True)
    machine = mapping(made, made.addr("dst"), 4, spec)
    run_app(machine)
    assert names(machine, made) == ["dst~2", "src"]
    assert record(machine, made, "dst~2").ctx == ""
    assert first(machine, "releases mmap_lock for write") < first(machine, "joins event_wqh")
    assert not [e for e in machine.events if e.fact == "LockDowngraded"]


@every_era
def test_without_memory_for_the_mapping_the_old_one_is_gone_all_the_same(
    era: type[Kernel],
) -> None:
    made = scene(era)
    machine = mapping(made, made.addr("dst"), 4, MmapSpec(name="new", fixed=True))
    run_failing(machine, "vm_area_alloc")
    assert made.results == {"app": ENOMEM}
    assert names(machine, made) == ["src"]
    assert leftovers(machine) == []


@every_era
def test_a_length_of_no_page_is_refused(era: type[Kernel]) -> None:
    made = scene(era)
    machine = mapping(made, 0, 0, MmapSpec())
    run(machine)
    assert made.results == {"app": EINVAL}
    assert leftovers(machine) == []
