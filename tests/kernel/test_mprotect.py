"""mprotect(): splits, merges, and the order in which a mapping is locked and changed."""

import pytest

from tests.kernel.eras import VMA_LOCK_ERAS, WRITER_ERAS
from tests.kernel.harness import Scene, leftovers, lock_steps, run, scene, steps_in
from tests.kernel.writers import EINVAL, ENOMEM, first, names, record, run_failing
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.run.machine import Machine

every_era = pytest.mark.parametrize("era", WRITER_ERAS, ids=lambda era: era.era)
every_vma_lock_era = pytest.mark.parametrize("era", VMA_LOCK_ERAS, ids=lambda era: era.era)


def protecting(made: Scene, name: str, page: int, pages: int, prot: str = "r") -> Machine:
    """A machine whose only task changes a protection."""
    start = made.addr(name, page)
    return made.machine(app=lambda k: k.sys_mprotect(made.mm, start, pages * PAGE_SIZE, prot))


@every_era
def test_it_takes_mmap_lock_and_the_page_table_lock(era: type[Kernel]) -> None:
    made = scene(era)
    events = run(protecting(made, "src", 0, 4))
    locks = [w for w in lock_steps(events, "app") if " vma " not in w]
    ptl = made.mm.ptl(made.addr("src")).name
    assert locks == ["+W mmap_lock", f"+W {ptl}", f"-W {ptl}", "-W mmap_lock"]
    assert steps_in(events, "app", "do_mprotect_pkey", "mprotect_fixup") == ["1", "2", "3", "4"]


@every_vma_lock_era
def test_the_mapping_is_locked_before_its_fields_change(era: type[Kernel]) -> None:
    made = scene(era)
    machine = protecting(made, "src", 0, 4)
    run(machine)
    assert first(machine, "sets lock_seq of vma src") < first(machine, "sets prot of src")


@every_era
def test_the_middle_becomes_a_mapping_of_its_own(era: type[Kernel]) -> None:
    made = scene(era)
    machine = protecting(made, "src", 1, 2)
    run(machine)
    assert names(machine, made) == ["dst", "src", "src+1", "src+3"]
    prots = [record(machine, made, n).prot for n in ("src", "src+1", "src+3")]
    assert prots == ["rw", "r", "rw"]
    assert leftovers(machine) == []


@every_vma_lock_era
def test_a_split_locks_both_halves(era: type[Kernel]) -> None:
    made = scene(era)
    machine = protecting(made, "dst", 2, 2)
    run(machine)
    cut = first(machine, "makes dst ")
    assert first(machine, "sets lock_seq of vma dst to") < cut
    assert first(machine, "sets lock_seq of vma dst+2") < cut


@every_era
def test_protection_given_back_makes_one_mapping_again(era: type[Kernel]) -> None:
    made = scene(era)
    start = made.addr("src", 1)

    async def there_and_back(k: Kernel) -> int:
        await k.sys_mprotect(made.mm, start, 2 * PAGE_SIZE, "r")
        return await k.sys_mprotect(made.mm, start, 2 * PAGE_SIZE, "rw")

    machine = made.machine(app=there_and_back)
    run(machine)
    assert names(machine, made) == ["dst", "src"]
    rec = record(machine, made, "src")
    assert (rec.start, rec.end) == (made.addr("src"), made.addr("src", 4))
    assert record(machine, made, "src+1").freed
    assert leftovers(machine) == []


@every_era
def test_a_part_joins_the_neighbour_that_has_the_protection_already(era: type[Kernel]) -> None:
    made = scene(era)

    async def in_two_steps(k: Kernel) -> int:
        await k.sys_mprotect(made.mm, made.addr("src"), PAGE_SIZE, "r")
        return await k.sys_mprotect(made.mm, made.addr("src", 1), PAGE_SIZE, "r")

    machine = made.machine(app=in_two_steps)
    run(machine)
    assert names(machine, made) == ["dst", "src", "src+1"]
    assert record(machine, made, "src").end == made.addr("src", 2)
    assert record(machine, made, "src+1").start == made.addr("src", 2)


@every_era
def test_a_hole_ends_it_and_what_was_done_stays(era: type[Kernel]) -> None:
    made = scene(era)
    machine = protecting(made, "dst", 0, 12)
    run(machine)
    assert made.results == {"app": ENOMEM}
    assert record(machine, made, "dst").prot == "r"
    assert record(machine, made, "src").prot == "rw"
    assert leftovers(machine) == []


@every_era
def test_without_memory_for_a_split_nothing_changes(era: type[Kernel]) -> None:
    made = scene(era)
    machine = protecting(made, "dst", 2, 2)
    run_failing(machine, "vm_area_dup")
    assert made.results == {"app": ENOMEM}
    assert names(machine, made) == ["dst", "src"]
    assert record(machine, made, "dst").prot == "rw"
    assert leftovers(machine) == []


@every_era
def test_the_first_split_stays_when_the_second_fails(era: type[Kernel]) -> None:
    made = scene(era)
    machine = protecting(made, "dst", 1, 2)
    run_failing(machine, "vm_area_dup", 2)
    assert made.results == {"app": ENOMEM}
    assert names(machine, made) == ["dst", "dst+1", "src"]


@every_era
def test_an_address_inside_a_page_is_refused_without_a_lock(era: type[Kernel]) -> None:
    made = scene(era)
    machine = made.machine(app=lambda k: k.sys_mprotect(made.mm, made.addr("dst") + 1, 1, "r"))
    run(machine)
    assert made.results == {"app": EINVAL}
    assert lock_steps(machine.events, "app") == []
