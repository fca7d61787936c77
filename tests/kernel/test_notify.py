"""Messages between kernel and monitor: their order, their locks, and senders that give up."""

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
from tests.kernel.test_handle_userfault import closer, filler, reader, toucher
from uffdviz.kernel.errno import EAGAIN, EMFILE, ERESTARTSYS
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.kernel.queues import Entry
from uffdviz.run.machine import Machine


def sender(made: Scene, kind: str = "unmap", ctx: str = "") -> Any:
    """Raise the counter and send an event, as the layout changes do."""

    async def job(k: Kernel) -> None:
        await k.userfaultfd_ctx_get(made.ctx)
        await k.atomic_add(made.ctx.mmap_changing, 1)
        entry = Entry(k.current.name, kind, made.addr("dst"), made.addr("dst", 4), ctx=ctx)
        await k.userfaultfd_event_wait_completion(made.ctx, entry)

    return job


def monitor(made: Scene, messages: int = 1) -> Any:
    async def job(k: Kernel) -> Any:
        found: tuple[Any, ...] = ()
        for _ in range(messages):
            await k.userfaultfd_poll(made.ctx)
            found = (*found, await k.userfaultfd_read(made.ctx, nonblocking=True))
        return found

    return job


def assert_settled(made: Scene, machine: Machine) -> None:
    assert not unfinished(machine)
    assert not leftovers(machine)
    assert machine.state(made.ctx.mmap_changing) == 0
    assert not machine.state(made.ctx.event_wqh).entries
    assert not machine.state(made.ctx.fd_wqh).entries


def test_a_read_fault_moves_to_the_other_queue_as_the_recorded_kernel_does_it() -> None:
    made = scene()
    machine = made.machine(op=toucher(made), monitor=monitor(made))
    run(machine)
    taken = lock_steps(machine.events, "monitor")[-6:]
    assert taken == [
        "+W fd_wqh.lock gc", "+W fault_pending_wqh.lock gc", "+W fault_wqh.lock gc",
        "-W fault_wqh.lock gc", "-W fault_pending_wqh.lock gc", "-W fd_wqh.lock gc",
    ]  # fmt: skip


def test_poll_joins_and_leaves_the_queue_of_readers() -> None:
    made = scene()
    machine = made.machine(monitor=monitor(made), op=toucher(made))
    run_until(machine, "monitor", fact="Slept")
    assert lock_steps(machine.events, "monitor") == ["+W fd_wqh.lock gc", "-W fd_wqh.lock gc"]
    run(machine)
    assert not machine.state(made.ctx.fd_wqh).entries


def test_a_read_event_takes_the_locks_of_the_recorded_kernel() -> None:
    made = scene()
    machine = made.machine(op=sender(made), monitor=monitor(made))
    run(machine)
    assert lock_steps(machine.events, "monitor")[-6:] == [
        "+W fd_wqh.lock gc", "+W fault_pending_wqh.lock gc", "-W fault_pending_wqh.lock gc",
        "+W event_wqh.lock gc", "-W event_wqh.lock gc", "-W fd_wqh.lock gc",
    ]  # fmt: skip
    assert lock_steps(machine.events, "op") == [
        "+W event_wqh.lock gc", "-W event_wqh.lock gc", "+W fd_wqh.lock gc", "-W fd_wqh.lock gc",
        "+W event_wqh.lock gc", "-W event_wqh.lock gc",
    ]  # fmt: skip


def test_the_steps_of_a_sender_are_those_of_the_reference() -> None:
    made = scene()
    machine = made.machine(op=sender(made), monitor=monitor(made))
    run(machine)
    assert labels_of(machine.events, "op") == ["e1", "e2", "e3", "e2", "e4", "e6", "e7"]


def test_the_steps_of_a_reader_are_those_of_the_reference() -> None:
    made = scene()
    machine = made.machine(op=sender(made), monitor=monitor(made))
    run(machine)
    steps = labels_of(machine.events, "monitor")
    assert steps[-4:] == ["d1", "d2", "d3", "d5"]


def test_faults_are_read_before_events() -> None:
    made = scene()
    machine = made.machine(s=sender(made), op=toucher(made), monitor=monitor(made, 2))
    run_until(machine, "s", fact="Slept")
    run_until(machine, "op", fact="Slept")
    run(machine)
    assert [m.kind for m in made.results["monitor"]] == ["pagefault", "unmap"]


def test_faults_are_read_oldest_first_and_woken_newest_first() -> None:
    made = scene()

    async def waker(k: Kernel) -> None:
        await k.wake_userfault(made.ctx, made.addr("dst"), 4 * PAGE_SIZE)

    machine = made.machine(a=toucher(made), b=toucher(made, 1), reader=reader(made), waker=waker)
    for task in ("a", "b"):
        run_until(machine, task, fact="Slept")
    run_until(machine, "reader", step="d5")
    assert machine.state(made.ctx.fault_wqh).entries[0].task == "a"
    machine = made.machine(a=toucher(made), b=toucher(made, 1), waker=waker)
    for task in ("a", "b"):
        run_until(machine, task, fact="Slept")
    assert run_until(machine, "waker", fact="Woke").tasks == ("b",)


def test_a_wake_of_another_range_leaves_the_sleeper_alone() -> None:
    made = scene()

    async def waker(k: Kernel) -> int:
        return await k.userfaultfd_wake(made.ctx, made.addr("dst", 1), PAGE_SIZE)

    machine = made.machine(op=toucher(made), waker=waker)
    run(machine)
    assert unfinished(machine) == ["op"]
    assert made.results["waker"] == 0


def test_a_reader_without_messages_says_eagain_or_sleeps() -> None:
    made = scene()

    async def patient(k: Kernel) -> Any:
        return await k.userfaultfd_read(made.ctx)

    machine = made.machine(hasty=reader(made), patient=patient)
    run(machine)
    assert made.results["hasty"] == EAGAIN
    assert unfinished(machine) == ["patient"]
    machine.step("kill patient")
    run(machine)
    assert made.results["patient"] == ERESTARTSYS
    assert_settled(made, machine)


def test_however_sender_and_monitor_interleave_the_event_is_answered() -> None:
    made = scene()
    count = 0
    for machine, schedule in every_ending(
        lambda: made.machine(op=sender(made), monitor=monitor(made)), switches=4
    ):
        count += 1
        assert_settled(made, machine)
        assert made.results["monitor"][0].kind == "unmap", schedule
    assert count > 10


def test_close_frees_a_sender_whenever_it_comes() -> None:
    made = scene()
    for machine, _ in every_ending(
        lambda: made.machine(op=sender(made), closer=closer(made)), switches=3
    ):
        assert_settled(made, machine)
        assert machine.state(made.ctx.refcount) == 0


@pytest.mark.parametrize("seed", range(30))
def test_a_killed_sender_lowers_the_counter(seed: int) -> None:
    made = scene()
    machine = made.machine(op=sender(made), filler=filler(made), reader=reader(made))
    for _ in range(seed):
        if choices := machine.choices():
            machine.step(choices[seed % len(choices)])
    machine.step("kill op")
    assert not run_randomly(machine, seed)
    assert_settled(made, machine)


def forked(made: Scene) -> Any:
    """A sender of a FORK event whose child has one mapping registered with the new context."""
    child = made.stage.mm("child")
    new = made.stage.uffd("child/gc", child)
    vma = made.stage.vma("child/dst", child)
    rec = made.stage.world[made.stage.vma("dst").rec]
    made.stage.world[vma.rec] = type(rec)(mm="child", start=rec.start, end=rec.end, ctx="child/gc")
    tree = made.stage.world[made.mm.tree]
    made.stage.world[child.tree] = type(tree)(((rec.start, rec.end, "child/dst"),))
    return new, sender(made, "fork", "child/gc")


def run_until_file_is_made(machine: Machine) -> None:
    """Let the monitor run up to, not including, the work that makes the child's file."""
    while getattr(machine.tasks["monitor"].ask, "name", "") != "anon_inode_create_getfd":
        machine.step("monitor")


def test_a_fork_hands_over_the_childs_context() -> None:
    made = scene()
    new, fork = forked(made)
    machine = made.machine(op=fork, monitor=monitor(made))
    run(machine)
    assert made.results["monitor"][0].ctx == "child/gc"
    assert machine.state(new.refcount) == 1
    assert labels_of(machine.events, "monitor")[-1] == "d6"
    assert_settled(made, machine)


def test_a_fork_event_that_finds_no_file_stays_unread() -> None:
    made = scene()
    new, fork = forked(made)
    machine = made.machine(op=fork, monitor=monitor(made))
    run_until(machine, "op", fact="Slept")
    run_until_file_is_made(machine)
    machine.step("fail monitor")
    run(machine)
    assert made.results["monitor"] == (EMFILE,)
    assert unfinished(machine) == ["op"]
    assert machine.state(new.refcount) == 1


def test_a_killed_fork_takes_the_new_context_out_of_the_child() -> None:
    made = scene()
    new, fork = forked(made)
    machine = made.machine(op=fork)
    run(machine)
    machine.step("kill op")
    run(machine)
    assert machine.state(made.stage.vma("child/dst").rec).ctx == ""
    assert machine.state(new.refcount) == 0
    assert labels_of(machine.events, "op", "e")[-4:] == ["e4", "e5", "e6", "e7"]
    assert_settled(made, machine)


def test_a_fork_killed_while_its_file_is_made_leaves_the_reader_its_context() -> None:
    made = scene()
    new, fork = forked(made)
    machine = made.machine(op=fork, monitor=monitor(made))
    run_until(machine, "op", fact="Slept")
    run_until_file_is_made(machine)
    machine.step("kill op")
    run(machine)
    assert made.results["monitor"][0].ctx == "child/gc"
    assert machine.state(new.refcount) == 1
    assert_settled(made, machine)
