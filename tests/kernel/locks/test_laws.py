"""Laws that every lock keeps, whatever the order of its users."""

from collections.abc import Callable, Coroutine
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.harness import every_ending, leftovers, run, scene, unfinished
from uffdviz.kernel.errno import EINTR
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.locks.exclusive import Exclusive
from uffdviz.kernel.locks.rwsem import RwSem
from uffdviz.kernel.steps import Obj
from uffdviz.run.machine import Machine

Job = Callable[[Kernel], Coroutine[Any, Any, Any]]
LOCKS = ("rwsem", "spinlock", "folio")


def writes(lock: str, obj: Obj) -> Job:
    async def job(k: Kernel) -> str:
        if lock == "rwsem":
            await k.down_write(obj)
            await k.up_write(obj)
        elif lock == "spinlock":
            await k.spin_lock(obj)
            await k.spin_unlock(obj)
        else:
            await k.folio_lock(obj)
            await k.folio_unlock(obj)
        return "in and out"

    return job


def reads(obj: Obj) -> Job:
    async def job(k: Kernel) -> str:
        await k.down_read(obj)
        await k.up_read(obj)
        return "in and out"

    return job


def fresh(lock: str) -> Obj:
    return Obj(lock, "lock", RwSem() if lock == "rwsem" else Exclusive())


def excluded(state: Any) -> bool:
    return not (getattr(state, "writer", "") and state.readers)


@pytest.mark.parametrize("lock", LOCKS)
def test_nobody_is_lost_and_nobody_is_inside_together(lock: str) -> None:
    obj = fresh(lock)

    def make() -> Machine:
        return scene().machine(**{name: writes(lock, obj) for name in ("a", "b", "c")})

    for machine, schedule in every_ending(make):
        assert not unfinished(machine), schedule
        assert not leftovers(machine)
        inside: set[str] = set()
        for event in machine.events:
            inside |= {event.task} if event.fact == "LockAcquired" else set()
            assert len(inside) <= 1
            inside -= {event.task} if event.fact == "LockReleased" else set()


@pytest.mark.parametrize("readers", [1, 2])
def test_readers_and_writers_of_a_rwsem_exclude_each_other(readers: int) -> None:
    obj = fresh("rwsem")
    jobs = {f"r{n}": reads(obj) for n in range(readers)} | {"w": writes("rwsem", obj)}
    for machine, schedule in every_ending(lambda: scene().machine(**jobs)):
        assert not unfinished(machine), schedule
        inside: dict[str, str] = {}
        for event in machine.events:
            if event.fact == "LockAcquired":
                inside[event.task] = event.mode
            assert "write" not in inside.values() or len(inside) == 1
            if event.fact == "LockReleased":
                del inside[event.task]


@pytest.mark.parametrize("lock", LOCKS)
def test_writers_enter_in_the_order_of_their_arrival(lock: str) -> None:
    obj = fresh(lock)
    names = ("a", "b", "c")
    machine = scene().machine(**{name: writes(lock, obj) for name in names})
    for name in names:
        machine.step(name)
    run(machine)
    entered = [e.task for e in machine.events if e.fact == "LockAcquired"]
    assert entered == list(names)


def queue_up(*jobs: tuple[str, Job]) -> Machine:
    machine = scene().machine(**dict(jobs))
    for name, _ in jobs:
        machine.step(name)
    return machine


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_trylock_fails_while_somebody_queues(mode: str) -> None:
    obj = fresh("rwsem")

    async def tries(k: Kernel) -> bool:
        return await (k.down_read_trylock(obj) if mode == "read" else k.down_write_trylock(obj))

    made = scene()
    machine = made.machine(r=reads(obj), w=writes("rwsem", obj), t=tries)
    machine.step("r")
    machine.step("w")
    machine.step("t")
    assert made.results["t"] is False


@pytest.mark.parametrize("lock", ["spinlock", "folio"])
def test_a_trylock_of_an_exclusive_lock_never_waits(lock: str) -> None:
    obj = fresh(lock)
    made = scene()

    async def tries(k: Kernel) -> bool:
        return await k.folio_trylock(obj)

    machine = made.machine(a=writes(lock, obj), t=tries)
    machine.step("a")
    machine.step("t")
    assert made.results["t"] is False
    run(machine)
    assert not unfinished(machine)


@pytest.mark.parametrize("handoff", [False, True])
def test_a_reader_steals_a_free_lock_unless_it_is_promised(handoff: bool) -> None:  # noqa: FBT001
    obj = fresh("rwsem")
    machine = scene().machine(a=writes("rwsem", obj), b=writes("rwsem", obj), r=reads(obj))
    machine.step("a")
    machine.step("b")
    if handoff:
        machine.world[obj] = RwSem(writer="a", queue=machine.state(obj).queue, handoff=True)
    machine.step("a")
    machine.step("r")
    assert machine.state(obj).readers == (() if handoff else ("r",))
    run(machine)
    assert not unfinished(machine)
    assert not leftovers(machine)


def test_a_downgrade_lets_queued_readers_in_and_keeps_writers_out() -> None:
    obj = fresh("rwsem")

    async def job(k: Kernel) -> None:
        await k.down_write(obj)
        await k.downgrade_write(obj)
        await k.up_read(obj)

    machine = queue_up(("d", job), ("r", reads(obj)), ("w", writes("rwsem", obj)))
    machine.step("d")
    machine.step("d")
    assert machine.state(obj).readers == ("d", "r")
    assert not machine.can_step("w")
    run(machine)
    assert not unfinished(machine)


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_killed_waiter_leaves_the_queue_and_the_next_goes_on(mode: str) -> None:
    obj = fresh("rwsem")

    async def killed(k: Kernel) -> int:
        down = k.down_read_killable if mode == "read" else k.down_write_killable
        return int(await down(obj))

    made = scene()
    holder = writes("rwsem", obj) if mode == "read" else reads(obj)
    machine = made.machine(h=holder, x=killed, n=reads(obj))
    for name in ("h", "x", "n"):
        machine.step(name)
    machine.step("kill x")
    machine.step("x")
    machine.step("x")
    assert made.results["x"] == EINTR
    if mode == "write":
        assert machine.state(obj).readers == ("h", "n")
    run(machine)
    assert not unfinished(machine)
    assert not leftovers(machine)


@given(
    st.lists(st.sampled_from("abcd"), max_size=60), st.sampled_from(list(product("rw", repeat=4)))
)
def test_a_rwsem_keeps_its_laws_under_any_schedule(
    order: list[str], kinds: tuple[str, ...]
) -> None:
    obj = fresh("rwsem")
    jobs = {
        name: reads(obj) if kind == "r" else writes("rwsem", obj)
        for name, kind in zip("abcd", kinds, strict=True)
    }
    machine = scene().machine(**jobs)
    for name in order:
        if machine.can_step(name):
            machine.step(name)
            assert excluded(machine.state(obj))
    run(machine)
    assert not unfinished(machine)
    assert not leftovers(machine)
