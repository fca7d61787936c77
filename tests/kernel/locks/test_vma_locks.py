"""The per-VMA lock in its forms: readers and the writer exclude each other, nobody is lost."""

from typing import Any

import pytest

from tests.kernel.harness import Scene, every_ending, leftovers, run, scene, unfinished
from uffdviz.kernel.eras.registry import era
from uffdviz.kernel.errno import EAGAIN, EINVAL, ENOENT
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.locks.vma_refcnt import VMA_LOCK_OFFSET, VmaRefcnt
from uffdviz.kernel.memory import Tree, VmaRecord
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.run.machine import Machine
from uffdviz.trace.events import Event

LOCKING = ("v6.8", "v6.9", "v6.12", "v6.18")


def reader(made: Scene, name: str = "dst") -> Any:
    async def job(k: Kernel) -> bool:
        vma = await k.lock_vma_under_rcu(made.mm, made.addr(name))
        if vma is not None:
            await k.vma_end_read(vma)
        return vma is not None

    return job


def writer(made: Scene) -> Any:
    async def job(k: Kernel) -> None:
        await k.mmap_write_lock(made.mm)
        await k.vma_start_write(made.stage.vma("dst"))
        await k.mmap_write_unlock(made.mm)

    return job


def inside_together(events: list[Event]) -> bool:
    reading = writing = False
    for event in events:
        if event.task == "r" and event.calls and ("enter", "vma_end_read") in event.calls:
            reading = True
        if event.task == "r" and event.fact == "LockReleased":
            reading = False
        if event.task == "w" and ("leave", "vma_start_write", "NULL") in event.calls:
            writing = True
        if event.object == "mm_lock_seq" and event.fact == "Changed":
            writing = False
        if reading and writing:
            return True
    return False


@pytest.mark.parametrize("name", LOCKING)
def test_a_reader_and_a_writer_are_never_inside_together(name: str) -> None:
    def make() -> Machine:
        made = scene(era(name))
        return made.machine(r=reader(made), w=writer(made))

    endings = 0
    for machine, schedule in every_ending(make):
        endings += 1
        assert not unfinished(machine), schedule
        assert not leftovers(machine), schedule
        assert not inside_together(machine.events), schedule
    assert endings > 3


@pytest.mark.parametrize("name", LOCKING)
def test_a_writer_waits_for_a_reader_and_is_woken(name: str) -> None:
    made = scene(era(name))
    machine = made.machine(r=reader(made), w=writer(made))
    while ("enter", "vma_end_read") not in machine.events[-1].calls if machine.events else True:
        machine.step("r")
    while machine.can_step("w"):
        machine.step("w")
    lock = machine.state(made.stage.vma("dst").lock)
    assert lock.holders == ("r",)
    assert [w.task for w in lock.queue] == ["w"]
    run(machine)
    assert not unfinished(machine)


@pytest.mark.parametrize("name", LOCKING)
def test_a_write_locked_mapping_is_not_found(name: str) -> None:
    made = scene(era(name))
    machine = made.machine(r=reader(made), w=writer(made))
    while machine.state(made.stage.vma("dst").rec).lock_seq < 0:
        machine.step("w")
    while machine.can_step("r"):
        machine.step("r")
    assert made.results["r"] is False


@pytest.mark.parametrize(("name", "by"), [("v6.1", 0), ("v6.9", 1), ("v6.12", 2), ("v6.18", 2)])
def test_the_sequence_number_moves_as_in_that_era(name: str, by: int) -> None:
    made = scene(era(name))
    machine = made.machine(w=writer(made))
    run(machine)
    assert machine.state(made.mm.lock_seq) == by


@pytest.mark.parametrize("name", ["v6.9", "v6.12", "v6.18"])
def test_mappings_are_unlocked_before_mmap_lock_is_released(name: str) -> None:
    made = scene(era(name))
    machine = made.machine(w=writer(made))
    run(machine)
    changed = {"mm_lock_seq": "Changed", "mmap_lock": "LockReleased"}
    ends = [e.object for e in machine.events if changed.get(e.object) == e.fact]
    assert ends[-2:] == ["mm_lock_seq", "mmap_lock"]


def test_v6_1_takes_no_step_for_a_mapping() -> None:
    made = scene(era("v6.1"))
    machine = made.machine(r=reader(made), w=writer(made))
    run(machine)
    assert {e.object for e in machine.events} - {""} == {"mmap_lock"}


def test_the_count_means_what_the_kernel_says() -> None:
    assert VmaRefcnt(attached=False).count == 0
    assert VmaRefcnt().count == 1
    assert VmaRefcnt(readers=("a", "b")).count == 3
    assert VmaRefcnt(flag="w").count == VMA_LOCK_OFFSET + 1
    assert VmaRefcnt(attached=False, flag="w").count == VMA_LOCK_OFFSET


def test_a_detached_mapping_is_looked_up_again_until_it_is_gone() -> None:
    made = scene(era("v6.18"))
    made.stage.world[made.stage.vma("dst").lock] = VmaRefcnt(attached=False)
    machine = made.machine(r=reader(made))
    while len([e for e in machine.events if e.object == "mm tree"]) < 3:
        machine.step("r")
    machine.world[made.mm.tree] = Tree()
    run(machine)
    assert made.results["r"] is False


def test_detaching_waits_for_a_reader_that_will_back_out() -> None:
    made = scene(era("v6.18"))
    vma = made.stage.vma("dst")
    machine = made.machine(r=reader(made), w=lambda k: k.vma_mark_detached(vma))
    while not machine.state(vma.lock).readers:
        machine.step("r")
    while machine.can_step("w"):
        machine.step("w")
    assert machine.state(vma.lock).count == VMA_LOCK_OFFSET + 1
    run(machine)
    assert not unfinished(machine)
    assert machine.state(vma.lock) == VmaRefcnt(attached=False)


def test_a_mapping_of_another_address_space_is_put_back_with_that_one_pinned() -> None:
    made = scene(era("v6.18"))
    other = made.stage.mm("other")
    machine = made.machine(r=reader(made))
    machine.step("r")
    vma = made.stage.vma("dst")
    machine.world[vma.rec] = VmaRecord(mm="other", start=0, end=PAGE_SIZE)
    run(machine)
    assert made.results["r"] is False
    counts = [e.value for e in machine.events if e.object == other.count.name]
    assert counts == [2, 1]
    assert not leftovers(machine)


@pytest.mark.parametrize("refused", [1, 2])
def test_a_refused_count_undoes_what_was_locked(refused: int) -> None:
    made = scene(era("v6.18"), anon_vma="")

    async def job(k: Kernel) -> int:
        vmas = await k.uffd_move_lock(made.mm, made.addr("dst"), made.addr("src"))
        return EINVAL if not isinstance(vmas, int) else vmas

    machine = made.machine(gc=job)
    machine.world[made.stage.vma("src").rec] = VmaRecord(
        mm="mm", start=made.addr("src"), end=made.addr("src", 4), lock_seq=0, anon_vma="src"
    )
    seen = 0
    while machine.choices():
        ask: Any = machine.tasks["gc"].ask
        seen += getattr(ask, "name", "") == "vma_start_read_locked"
        fails = getattr(ask, "name", "") == "vma_start_read_locked" and seen == refused
        machine.step("fail gc" if fails else "gc")
    assert made.results["gc"] == EAGAIN
    assert not leftovers(machine)


def move(made: Scene, dst: int, src: int) -> Any:
    async def job(k: Kernel) -> Any:
        vmas = await k.uffd_move_lock(made.mm, dst, src)
        if isinstance(vmas, int):
            return vmas
        await k.uffd_move_unlock(*vmas)
        return tuple(vma.name for vma in vmas)

    return job


ALL = ("v6.9", "v6.12", "v6.18", "series-v2", "series-v3", "series-v4", "series-v5", "series-v6")


@pytest.mark.parametrize("name", ALL)
def test_a_move_locks_both_mappings_and_releases_both(name: str) -> None:
    made = scene(era(name))
    machine = made.machine(gc=move(made, made.addr("dst"), made.addr("src")))
    run(machine)
    assert made.results["gc"] == ("dst", "src")
    assert not leftovers(machine)


@pytest.mark.parametrize("name", ALL)
def test_a_move_without_a_source_mapping_is_enoent(name: str) -> None:
    made = scene(era(name))
    machine = made.machine(gc=move(made, made.addr("dst"), made.addr("src", 4)))
    run(machine)
    assert made.results["gc"] == ENOENT
    assert not leftovers(machine)


@pytest.mark.parametrize("name", ["v6.9", "v6.12", "v6.18"])
def test_a_move_inside_one_mapping_takes_one_hold(name: str) -> None:
    made = scene(era(name))
    machine = made.machine(gc=move(made, made.addr("dst"), made.addr("dst", 2)))
    run(machine)
    taken = [e for e in machine.events if e.fact == "LockAcquired" and e.object == "vma dst"]
    assert len(taken) == 1


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("one", [False, True])
def test_only_revisions_3_and_4_deadlock_with_a_writer_of_both(name: str, one: bool) -> None:  # noqa: FBT001
    def make() -> Machine:
        made = scene(era(name))
        src = made.addr("dst", 2) if one else made.addr("src")

        async def changes(k: Kernel) -> None:
            await k.mmap_write_lock(made.mm)
            for vma in ("dst",) if one else ("dst", "src"):
                await k.vma_start_write(made.stage.vma(vma))
            await k.mmap_write_unlock(made.mm)

        return made.machine(gc=move(made, made.addr("dst"), src), w=changes)

    stuck = any(unfinished(machine) for machine, _ in every_ending(make, switches=2))
    assert stuck == (name in {"series-v3", "series-v4"})
