"""Page faults: which lock, which page, which signal."""

from typing import Any

import pytest

from tests.kernel.harness import (
    Scene,
    every_ending,
    labels_of,
    leftovers,
    lock_steps,
    run,
    run_randomly,
    run_until,
    scene,
    unfinished,
)
from tests.kernel.test_handle_userfault import ERAS, closer, reader, toucher
from uffdviz.kernel.eras.v6_1 import V6_1
from uffdviz.kernel.eras.v6_8 import V6_8
from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.eras.v6_12 import V6_12
from uffdviz.kernel.eras.v6_18 import V6_18
from uffdviz.kernel.errno import EFAULT
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Pte, find
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.kernel.page_cache import PageCache
from uffdviz.kernel.queues import Entry
from uffdviz.run.machine import Machine

ORDINARY: dict[str, Any] = {"ctx": "", "modes": ()}


def kernel_toucher(made: Scene, *, write: bool = False) -> Any:
    async def job(k: Kernel) -> Any:
        return await k.kernel_fault(made.addr("dst"), write)

    return job


def pinner(made: Scene) -> Any:
    async def job(k: Kernel) -> Any:
        return await k.pin_user_page(made.mm, made.addr("dst"), True)  # noqa: FBT003

    return job


def entry(made: Scene, machine: Machine, page: int = 0) -> Pte | None:
    addr = made.addr("dst", page)
    return find(machine.state(made.mm.table(addr)).entries, addr // PAGE_SIZE)


def touched(made: Scene, *, write: bool = False) -> Machine:
    machine = made.machine(op=toucher(made, write=write))
    run(machine)
    return machine


def test_a_present_page_makes_no_fault() -> None:
    made = scene(present=(0,))
    machine = touched(made, write=True)
    assert [e.fact for e in machine.events] == ["Saw", "Finished"]
    assert made.results["op"] == 0


def test_a_read_of_an_ordinary_page_maps_the_zero_page_under_the_mappings_lock() -> None:
    made = scene(**ORDINARY)
    machine = touched(made)
    assert entry(made, machine) == Pte(kind="zero", write=False)
    assert lock_steps(machine.events, "op") == [
        "+R vma dst", "+W ptl dst", "-W ptl dst", "-R vma dst",
    ]  # fmt: skip
    assert labels_of(machine.events, "op", "f") == ["f2", "f3", "f4"]


def test_a_write_maps_a_page_of_ones_own_that_rmap_knows() -> None:
    made = scene(**ORDINARY)
    machine = touched(made, write=True)
    assert entry(made, machine) == Pte(folio="dst@op.1")
    folio = machine.state(made.stage.folio("dst@op.1").rec)
    assert (folio.anon_vma, folio.index) == ("dst", made.addr("dst") // PAGE_SIZE)


def test_a_write_after_a_read_copies_the_zero_page() -> None:
    made = scene(**ORDINARY)
    made.put("dst", 0, Pte(kind="zero", write=False))
    machine = touched(made, write=True)
    assert entry(made, machine) == Pte(folio="dst@op.1")


def test_a_write_to_a_page_of_ones_own_uses_it_again() -> None:
    made = scene(**ORDINARY)
    made.put("dst", 0, Pte(folio="dst+0", write=False))
    machine = touched(made, write=True)
    assert entry(made, machine) == Pte(folio="dst+0")


def test_before_6_4_every_fault_tries_mmap_lock() -> None:
    made = scene(V6_1, **ORDINARY)
    machine = touched(made)
    assert lock_steps(machine.events, "op") == [
        "+R mmap_lock", "+W ptl dst", "-W ptl dst", "-R mmap_lock",
    ]  # fmt: skip


def test_a_fault_of_the_kernel_goes_straight_to_mmap_lock() -> None:
    made = scene(**ORDINARY)
    machine = made.machine(op=kernel_toucher(made))
    run(machine)
    assert lock_steps(machine.events, "op")[0] == "+R mmap_lock"
    assert "+R vma dst" not in lock_steps(machine.events, "op")


def test_a_fault_that_cannot_try_mmap_lock_sleeps_for_it_and_can_be_killed() -> None:
    made = scene(V6_1, **ORDINARY)

    async def writer(k: Kernel) -> None:
        await k.down_write(made.mm.lock)
        await k.schedule()

    machine = made.machine(writer=writer, op=toucher(made))
    run_until(machine, "writer", fact="LockAcquired")
    run_until(machine, "op", fact="LockRefused")
    run_until(machine, "op", fact="LockContended")
    machine.step("kill op")
    while machine.can_step("op"):
        machine.step("op")
    assert made.results["op"] == -4


@pytest.mark.parametrize("era", ERAS)
def test_in_every_era_two_faults_at_one_page_leave_one_page(era: type[Kernel]) -> None:
    made = scene(era, **ORDINARY)
    for machine, schedule in every_ending(
        lambda: made.machine(a=toucher(made, write=True), b=toucher(made, write=True)), switches=2
    ):
        assert not unfinished(machine), schedule
        assert not leftovers(machine), schedule
        assert entry(made, machine) is not None


@pytest.mark.parametrize("era", ERAS)
def test_nothing_mapped_is_a_segfault(era: type[Kernel]) -> None:
    made = scene(era)
    machine = made.machine(op=toucher(made, 5))
    run(machine)
    assert made.results["op"] == "SIGSEGV"
    assert not leftovers(machine)


@pytest.mark.parametrize(
    ("era", "locks"), [(V6_1, 1), (V6_8, 1), (V6_9, 1), (V6_12, 0), (V6_18, 0)]
)
def test_a_forbidden_write_is_a_segfault_and_before_6_10_looked_at_twice(
    era: type[Kernel], locks: int
) -> None:
    made = scene(era, prot="r")
    machine = touched(made, write=True)
    assert made.results["op"] == "SIGSEGV"
    assert lock_steps(machine.events, "op").count("+R mmap_lock") == locks
    assert not leftovers(machine)


def test_a_poisoned_page_is_a_bus_error() -> None:
    made = scene()
    made.put("dst", 0, Pte(kind="poison"))
    machine = touched(made)
    assert made.results["op"] == "SIGBUS"
    assert not leftovers(machine)


@pytest.mark.parametrize("era", [V6_8, V6_9])
def test_before_6_10_a_first_write_goes_to_mmap_lock(era: type[Kernel]) -> None:
    made = scene(era, **ORDINARY, anon_vma="")
    machine = touched(made, write=True)
    locks = lock_steps(machine.events, "op")
    assert locks[:3] == ["+R vma dst", "-R vma dst", "+R mmap_lock"]
    assert made.results["op"] == 0
    assert not leftovers(machine)


def test_since_6_10_a_first_write_prepares_anon_vma_beside_the_mappings_lock() -> None:
    made = scene(V6_12, **ORDINARY, anon_vma="")
    machine = touched(made, write=True)
    locks = lock_steps(machine.events, "op")
    assert locks[:2] == ["+R vma dst", "+R mmap_lock"]
    assert made.results["op"] == 0
    assert not leftovers(machine)


def test_a_swapped_page_comes_back() -> None:
    made = scene(**ORDINARY)
    made.put("dst", 0, Pte(kind="swap", folio="dst+0"))
    machine = touched(made)
    assert entry(made, machine) == Pte(folio="dst+0")
    assert not leftovers(machine)


def shmem(made: Scene, *pages: int) -> None:
    cached = tuple((page, f"tmp+{page}") for page in pages)
    made.stage.world[made.stage.file("tmp").cache] = PageCache(pages=cached)


def test_a_shmem_page_that_is_cached_is_mapped() -> None:
    made = scene(ctx="", modes=(), backing="shmem", file="tmp", shared=True)
    shmem(made, 0)
    machine = touched(made, write=True)
    assert entry(made, machine) == Pte(folio="tmp+0")
    assert not leftovers(machine)


def test_a_shmem_page_that_is_missing_is_made() -> None:
    made = scene(ctx="", modes=(), backing="shmem", file="tmp", shared=True)
    machine = touched(made)
    assert machine.state(made.stage.file("tmp").cache).pages == ((0, "dst@op.1"),)
    assert entry(made, machine) == Pte(folio="dst@op.1")


def test_a_private_shmem_write_maps_a_copy() -> None:
    made = scene(ctx="", modes=(), backing="shmem", file="tmp")
    shmem(made, 0)
    machine = touched(made, write=True)
    assert entry(made, machine) == Pte(folio="dst@op.1")
    assert not leftovers(machine)


@pytest.mark.parametrize(
    ("modes", "cached", "reason"),
    [
        (("missing",), False, "missing"),
        (("minor",), True, "minor"),
        (("missing", "minor"), True, "minor"),
    ],
)
def test_a_registered_shmem_page_asks_the_monitor(
    modes: tuple[str, ...],
    cached: bool,  # noqa: FBT001
    reason: str,
) -> None:
    made = scene(backing="shmem", file="tmp", shared=True, modes=modes)
    shmem(made, *([0] if cached else []))
    machine = made.machine(op=toucher(made), reader=reader(made))
    run(machine)
    assert made.results["reader"] == Entry(
        "op", "pagefault", made.addr("dst"), made.addr("dst") + 1, flags=("read", reason)
    )
    assert unfinished(machine) == ["op"]
    assert not leftovers(machine)


def test_the_kernel_does_not_write_where_the_mapping_forbids_it() -> None:
    made = scene(prot="r", **ORDINARY)
    machine = made.machine(gup=pinner(made))
    run(machine)
    assert made.results["gup"] == EFAULT
    assert entry(made, machine) is None
    assert not leftovers(machine)


def test_a_closed_context_before_6_15_lets_gup_loop_with_mmap_lock_held() -> None:
    made = scene()
    machine = made.machine(gup=pinner(made), closer=closer(made))
    run_until(machine, "closer", object="released gc")
    for _ in range(300):
        machine.step("gup")
    for _ in range(20):
        if machine.can_step("closer"):
            machine.step("closer")
    assert run_randomly(machine, 1, limit=2000) == ["gup", "closer"]
    assert machine.state(made.mm.lock).holders == ("gup",)


def test_a_closed_context_since_6_15_lets_both_go_on() -> None:
    made = scene(V6_18)
    for seed in range(20):
        machine = made.machine(gup=pinner(made), closer=closer(made))
        assert not run_randomly(machine, seed)
        assert made.results["gup"] == 0
