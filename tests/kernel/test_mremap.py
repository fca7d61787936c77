"""mremap(): moves, sizes, what it tells and what it does when a move fails half-way."""

import pytest

from tests.kernel.eras import VMA_LOCK_ERAS, WRITER_ERAS
from tests.kernel.harness import BASE, Scene, leftovers, lock_steps, run, scene
from tests.kernel.writers import EFAULT, EINVAL, ENOMEM, first, names, record, run_app, run_failing
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.objects import PAGE_SIZE, Vma
from uffdviz.run.machine import Machine

every_era = pytest.mark.parametrize("era", WRITER_ERAS, ids=lambda era: era.era)
every_vma_lock_era = pytest.mark.parametrize("era", VMA_LOCK_ERAS, ids=lambda era: era.era)
FREE = BASE + 0x100 * PAGE_SIZE


def moving(  # noqa: PLR0913  each an argument of the call
    made: Scene,
    name: str = "src",
    old: int = 4,
    new: int = 4,
    *,
    to: int = 0,
    dontunmap: bool = False,
    page: int = 0,
) -> Machine:
    """A machine whose only task moves or resizes a mapping."""
    start = made.addr(name, page)
    lengths = (old * PAGE_SIZE, new * PAGE_SIZE)
    made.stage.free_ranges.append((FREE, FREE + 64 * PAGE_SIZE, "free"))
    return made.machine(
        app=lambda k: k.sys_mremap(made.mm, start, *lengths, to, bool(to), dontunmap)
    )


@every_era
def test_a_move_takes_the_locks_that_the_recordings_show(era: type[Kernel]) -> None:
    made = scene(era)
    machine = moving(made, to=FREE)
    events = run(machine)
    rwsems = [w for w in lock_steps(events, "app") if " vma " not in w and " ptl" not in w]
    pair = ["+W anon_vma src", "-W anon_vma src"]
    assert rwsems == ["+W mmap_lock", *pair, *pair, "-W mmap_lock"]
    assert made.results == {"app": FREE}
    assert names(machine, made) == ["dst", "free"]
    assert record(machine, made, "src").freed


@every_vma_lock_era
def test_the_old_mapping_is_locked_before_the_new_one_is_made(era: type[Kernel]) -> None:
    made = scene(era)
    machine = moving(made, to=FREE)
    run(machine)
    old, new = "sets lock_seq of vma src", "sets lock_seq of vma free"
    assert first(machine, old) < first(machine, "fills in free") < first(machine, new)
    assert first(machine, new) < first(machine, "puts free at")


@every_era
def test_the_counter_goes_up_before_the_old_range_is_unmapped(era: type[Kernel]) -> None:
    made = scene(era, ("remap", "unmap"))
    machine = moving(made, "dst", to=FREE)
    run_app(machine)
    raised = first(machine, "raises mmap_changing")
    assert raised < first(machine, "releases mmap_lock for write")
    assert machine.state(made.ctx.event_wqh).entries[0].kind == "remap"
    assert record(machine, made, "free").ctx == "gc"


@every_era
def test_without_the_feature_the_moved_mapping_leaves_its_userfaultfd(era: type[Kernel]) -> None:
    made = scene(era, ("unmap",))
    machine = moving(made, "dst", to=FREE)
    run_app(machine)
    rec = record(machine, made, "free")
    assert (rec.ctx, rec.modes) == ("", ())


@every_era
def test_dontunmap_leaves_the_old_mapping_registered_and_without_anon_vma(
    era: type[Kernel],
) -> None:
    made = scene(era)
    machine = moving(made, "dst", to=FREE, dontunmap=True)
    run(machine)
    assert names(machine, made) == ["dst", "src", "free"]
    rec = record(machine, made, "dst")
    assert (rec.ctx, rec.anon_vma) == ("gc", "")
    assert leftovers(machine) == []


@every_era
def test_part_of_a_mapping_moves_and_the_rest_stays(era: type[Kernel]) -> None:
    made = scene(era)
    machine = moving(made, old=2, new=2, to=FREE, page=1)
    run(machine)
    assert names(machine, made) == ["dst", "src", "src+3", "free"]


@every_era
def test_it_grows_in_place_when_there_is_room(era: type[Kernel]) -> None:
    made = scene(era)
    machine = moving(made, old=4, new=6)
    run(machine)
    assert made.results == {"app": made.addr("src")}
    assert record(machine, made, "src").end == made.addr("src", 6)
    assert names(machine, made) == ["dst", "src"]


@every_era
def test_it_moves_to_grow_when_there_is_no_room(era: type[Kernel]) -> None:
    made = scene(era)
    machine = moving(made, "dst", old=2, new=4)
    run(machine)
    assert made.results["app"] > 0
    assert made.results["app"] != made.addr("dst")
    assert record(machine, made, "dst").end == made.addr("dst", 4) or "dst+2" in names(
        machine, made
    )
    assert leftovers(machine) == []


@every_era
def test_shrinking_downgrades_the_lock(era: type[Kernel]) -> None:
    made = scene(era)
    machine = moving(made, old=4, new=1)
    run(machine)
    assert made.results == {"app": made.addr("src")}
    assert record(machine, made, "src").end == made.addr("src", 1)
    assert [e for e in machine.events if e.fact == "LockDowngraded"]
    assert leftovers(machine) == []


@every_era
def test_events_come_in_the_order_target_move_rest(era: type[Kernel]) -> None:
    made = scene(era, ("remap", "unmap"))
    made.stage.uffd("b", made.mm, ("unmap",))
    made.add("target", ctx="b", modes=("missing",))
    machine = moving(made, "dst", to=made.addr("target"))
    run_app(machine)
    assert machine.state(made.stage.uffd("b").event_wqh).entries[0].kind == "unmap"
    assert machine.state(made.ctx.mmap_changing) == 2


@every_era
def test_without_memory_for_the_copy_nothing_moves(era: type[Kernel]) -> None:
    made = scene(era)
    machine = moving(made, to=FREE)
    run_failing(machine, "vm_area_dup")
    assert made.results == {"app": ENOMEM}
    assert names(machine, made) == ["dst", "src"]
    assert leftovers(machine) == []


@every_era
@pytest.mark.parametrize("old", [5, 8])
def test_more_than_the_mapping_holds_is_a_fault(era: type[Kernel], old: int) -> None:
    made = scene(era)
    machine = moving(made, old=old, new=old, to=FREE)
    run(machine)
    assert made.results == {"app": EFAULT}
    assert leftovers(machine) == []


@every_era
def test_a_target_over_the_source_is_refused(era: type[Kernel]) -> None:
    made = scene(era)
    machine = moving(made, to=made.addr("src", 1))
    run(machine)
    assert made.results == {"app": EINVAL}
    assert lock_steps(machine.events, "app") == []


@every_era
def test_a_move_that_fails_half_way_goes_back_and_unmaps_the_new_range(
    era: type[Kernel],
) -> None:
    moves: list[tuple[str, str, int]] = []

    async def move_page_tables(k: Kernel, vma: Vma, old: int, new: Vma, *where: int) -> int:
        moves.append((vma.name, new.name, where[1]))
        return PAGE_SIZE

    half = type("Half", (era,), {"move_page_tables": move_page_tables})
    made = scene(half, ("remap", "unmap"))
    machine = moving(made, "dst", to=FREE)
    run_app(machine)
    assert moves == [("dst", "free", 4 * PAGE_SIZE), ("free", "dst", PAGE_SIZE)]
    assert names(machine, made) == ["dst", "src"]
    assert [e.kind for e in machine.state(made.ctx.event_wqh).entries] == ["unmap"]
    assert machine.state(made.ctx.mmap_changing) == 1


@every_era
def test_the_numbered_steps_come_in_order(era: type[Kernel]) -> None:
    made = scene(era, ("remap",))

    async def monitor(k: Kernel) -> int:
        await k.userfaultfd_read(made.ctx)
        return 0

    start = made.addr("dst")
    length = 4 * PAGE_SIZE
    made.stage.free_ranges.append((FREE, FREE + 64 * PAGE_SIZE, "free"))
    machine = made.machine(
        app=lambda k: k.sys_mremap(made.mm, start, length, length, FREE, True, False),  # noqa: FBT003
        monitor=monitor,
    )
    run_app(machine)
    run(machine)
    names_of_steps = [
        ("down", first(machine, "holds mmap_lock for write")),
        ("copy", first(machine, "fills in free")),
        ("link", first(machine, "puts free at")),
        ("raise", first(machine, "raises mmap_changing")),
        ("unmap", first(machine, f"clears {start:#x}")),
        ("unlock", first(machine, "releases mmap_lock for write")),
        ("send", first(machine, "joins event_wqh")),
        ("lower", first(machine, "lowers mmap_changing")),
    ]
    assert names_of_steps == sorted(names_of_steps, key=lambda step: step[1])
    assert len(machine.state(made.ctx.event_wqh).entries) == 0
    assert made.results["app"] == FREE
