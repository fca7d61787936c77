"""A fault that user space answers: the order of its steps, and that nobody sleeps for ever."""

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
from uffdviz.kernel.eras.v6_1 import V6_1
from uffdviz.kernel.eras.v6_8 import V6_8
from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.eras.v6_12 import V6_12
from uffdviz.kernel.eras.v6_18 import V6_18
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Pte, find
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.kernel.ops.vm_fault import NOPAGE, RETRY, SIGBUS, Fault
from uffdviz.kernel.queues import Entry
from uffdviz.run.machine import Machine

ERAS = [V6_1, V6_8, V6_9, V6_12, V6_18]
SLEEPER = ["h1", "h2", "h4", "h5", "h6", "h7", "h8", "h9", "h10"]


def toucher(made: Scene, page: int = 0, *, write: bool = False) -> Any:
    async def job(k: Kernel) -> Any:
        return await k.page_fault(made.addr("dst", page), write)

    return job


def filler(made: Scene, page: int = 0) -> Any:
    """Fill a page and wake, as UFFDIO_ZEROPAGE does at its core."""

    async def job(k: Kernel) -> Any:
        addr = made.addr("dst", page)
        await k.spin_lock(made.mm.ptl(addr))
        await k.set_pte_at(k.stage.vma("dst"), addr, Pte(kind="zero", write=False))
        await k.spin_unlock(made.mm.ptl(addr))
        await k.wake_userfault(made.ctx, addr, PAGE_SIZE)

    return job


def reader(made: Scene) -> Any:
    async def job(k: Kernel) -> Any:
        return await k.userfaultfd_read(made.ctx, nonblocking=True)

    return job


def closer(made: Scene) -> Any:
    async def job(k: Kernel) -> Any:
        return await k.userfaultfd_release(made.ctx)

    return job


@pytest.mark.parametrize("era", ERAS)
def test_a_missing_page_takes_the_locks_of_the_recorded_kernels(era: type[Kernel]) -> None:
    made = scene(era)
    held = "mmap_lock" if era is V6_1 else "vma dst"
    machine = made.machine(op=toucher(made))
    run(machine)
    assert lock_steps(machine.events, "op") == [
        f"+R {held}", "+W ptl dst", "-W ptl dst",
        "+W fault_pending_wqh.lock gc", "-W fault_pending_wqh.lock gc", f"-R {held}",
        "+W fd_wqh.lock gc", "-W fd_wqh.lock gc",
    ]  # fmt: skip
    assert not leftovers(machine)
    assert unfinished(machine) == ["op"]


@pytest.mark.parametrize("era", ERAS)
def test_the_steps_of_a_sleeper_are_those_of_the_reference(era: type[Kernel]) -> None:
    made = scene(era)
    machine = made.machine(op=toucher(made), filler=filler(made))
    run(machine)
    assert labels_of(machine.events, "op", "h") == SLEEPER
    assert not unfinished(machine)


@pytest.mark.parametrize("era", ERAS)
def test_after_the_wake_up_the_fault_is_tried_under_mmap_lock(era: type[Kernel]) -> None:
    made = scene(era)
    machine = made.machine(op=toucher(made), filler=filler(made))
    run(machine)
    assert lock_steps(machine.events, "op")[-4:] == [
        "+R mmap_lock", "+W ptl dst", "-W ptl dst", "-R mmap_lock",
    ]  # fmt: skip


def test_a_sleeper_that_is_faster_than_its_waker_takes_the_queue_lock_once_more() -> None:
    made = scene()
    machine = made.machine(op=toucher(made), filler=filler(made))
    run_until(machine, "op", fact="Slept")
    run_until(machine, "filler", fact="Woke", object="task op")
    event = run_until(machine, "op", fact="LockContended")
    assert event.object == "fault_pending_wqh.lock gc"
    assert event.step == "h9"
    run(machine)
    assert not unfinished(machine)


def test_a_sleeper_that_was_taken_off_by_its_waker_takes_no_queue_lock() -> None:
    made = scene()
    machine = made.machine(op=toucher(made), filler=filler(made))
    run_until(machine, "op", fact="Slept")
    while not machine.tasks["filler"].done:
        machine.step("filler")
    before = len(machine.events)
    run(machine)
    assert "+W fault_pending_wqh.lock gc" not in lock_steps(machine.events[before:], "op")


def test_a_page_filled_before_the_look_at_the_table_is_not_waited_for() -> None:
    made = scene()
    machine = made.machine(op=toucher(made), filler=filler(made))
    run_until(machine, "op", step="h4")
    while not machine.tasks["filler"].done:
        machine.step("filler")
    run(machine)
    assert not unfinished(machine)
    assert not any(e.fact == "Slept" for e in machine.events)


@pytest.mark.parametrize("era", ERAS)
def test_whenever_the_page_is_filled_the_faulter_goes_on(era: type[Kernel]) -> None:
    made = scene(era)
    ends = list(
        every_ending(lambda: made.machine(op=toucher(made), filler=filler(made)), switches=3)
    )
    assert len(ends) > 20
    for machine, schedule in ends:
        assert not unfinished(machine), schedule
        assert not leftovers(machine), schedule
        assert not machine.state(made.ctx.fault_pending_wqh).entries, schedule
        assert machine.state(made.ctx.refcount) == 1, schedule


def test_whenever_the_fault_is_read_and_the_page_filled_the_faulter_goes_on() -> None:
    made = scene()

    def make() -> Machine:
        return made.machine(op=toucher(made), reader=reader(made), filler=filler(made))

    for machine, schedule in every_ending(make, switches=2):
        assert not unfinished(machine), schedule
        assert not machine.state(made.ctx.fault_wqh).entries, schedule
        assert not leftovers(machine), schedule


@pytest.mark.parametrize("seed", range(50))
def test_at_random_too_the_faulters_go_on(seed: int) -> None:
    made = scene(ERAS[seed % len(ERAS)])
    machine = made.machine(
        a=toucher(made), b=toucher(made, 1, write=True), reader=reader(made), closer=closer(made)
    )
    assert not run_randomly(machine, seed)
    assert not leftovers(machine)
    assert machine.state(made.ctx.refcount) == 0


@pytest.mark.parametrize("era", ERAS)
def test_close_wakes_a_sleeping_faulter(era: type[Kernel]) -> None:
    made = scene(era)
    for machine, schedule in every_ending(
        lambda: made.machine(op=toucher(made), closer=closer(made)), switches=2
    ):
        assert not unfinished(machine), schedule
        assert made.results["op"] == 0


def test_a_killed_faulter_leaves_the_queue() -> None:
    made = scene()
    machine = made.machine(op=toucher(made))
    run(machine)
    machine.step("kill op")
    run(machine)
    assert made.results["op"] == -4
    assert not machine.state(made.ctx.fault_pending_wqh).entries


def test_a_killed_faulter_that_was_read_leaves_the_other_queue() -> None:
    made = scene()
    machine = made.machine(op=toucher(made), reader=reader(made))
    run(machine)
    assert machine.state(made.ctx.fault_wqh).entries
    machine.step("kill op")
    run(machine)
    assert not machine.state(made.ctx.fault_wqh).entries


def test_sigbus_mode_asks_nobody() -> None:
    made = scene(features=("sigbus",))
    machine = made.machine(op=toucher(made))
    run(machine)
    assert made.results["op"] == "SIGBUS"
    assert not leftovers(machine)


def direct(made: Scene, **how: bool) -> Any:
    """Call handle_userfault() with mmap_lock held, as get_user_pages() does."""

    async def job(k: Kernel) -> Any:
        await k.mmap_read_lock(made.mm)
        fault = Fault(made.addr("dst"), write=True, user=False, **how)
        return await k.handle_userfault(k.stage.vma("dst"), fault, "missing")

    return job


def test_before_6_15_a_closed_context_keeps_the_lock_and_says_nopage() -> None:
    made = scene()
    made.stage.world[made.ctx.released] = 1
    machine = made.machine(op=direct(made))
    run(machine)
    assert made.results["op"] == NOPAGE
    assert leftovers(machine) == ["mmap_lock"]


def test_since_6_15_a_closed_context_drops_the_lock_and_says_retry() -> None:
    made = scene(V6_18)
    made.stage.world[made.ctx.released] = 1
    machine = made.machine(op=direct(made))
    run(machine)
    assert made.results["op"] == RETRY
    assert not leftovers(machine)


def test_a_fault_that_may_not_retry_gets_a_bus_error() -> None:
    made = scene()
    machine = made.machine(op=direct(made, may_retry=False))
    run(machine)
    assert made.results["op"] == SIGBUS


def test_a_fault_that_may_not_sleep_is_told_to_retry_with_the_lock_held() -> None:
    made = scene()
    machine = made.machine(op=direct(made, nowait=True))
    run(machine)
    assert made.results["op"] == RETRY
    assert leftovers(machine) == ["mmap_lock"]


def test_a_write_protected_page_asks_the_monitor() -> None:
    made = scene(modes=("wp",))
    made.put("dst", 0, Pte(folio="dst+0", write=False, wp=True))
    machine = made.machine(op=toucher(made, write=True), reader=reader(made))
    run(machine)
    message = made.results["reader"]
    assert isinstance(message, Entry)
    assert message.flags == ("write", "wp")
    assert find(machine.state(made.mm.table(made.addr("dst"))).entries, made.addr("dst") // 4096)
