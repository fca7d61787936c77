"""RAISE: when the counter goes up, and who has to wait for whom."""

import pytest

from tests.kernel.eras import RAISES_UNDER_A_LOCK, WRITER_ERAS
from tests.kernel.harness import lock_steps, run_until, scene
from tests.kernel.writers import first, run_app
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.objects import PAGE_SIZE


@pytest.mark.parametrize("era", WRITER_ERAS, ids=lambda era: era.era)
def test_the_context_is_kept_before_its_counter_goes_up(era: type[Kernel]) -> None:
    made = scene(era, ("unmap",))
    start = made.addr("dst")
    machine = made.machine(app=lambda k: k.sys_munmap(made.mm, start, PAGE_SIZE))
    run_app(machine)
    assert first(machine, "raises ctx refcount") < first(machine, "raises mmap_changing")
    wanted = ["+W map_changing_lock gc", "-W map_changing_lock gc"]
    found = [w for w in lock_steps(machine.events, "app") if "map_changing_lock" in w]
    assert found == (wanted if era in RAISES_UNDER_A_LOCK else [])


@pytest.mark.parametrize("era", RAISES_UNDER_A_LOCK, ids=lambda era: era.era)
def test_an_operation_that_runs_holds_the_raise_up(era: type[Kernel]) -> None:
    made = scene(era, ("remove",))

    async def operation(k: Kernel) -> int:
        await k.down_read(made.ctx.map_changing_lock)
        await k.up_read(made.ctx.map_changing_lock)
        return 0

    start = made.addr("dst")
    machine = made.machine(
        op=operation, app=lambda k: k.sys_madvise(made.mm, start, PAGE_SIZE, "dontneed")
    )
    run_until(machine, "op", fact="LockAcquired")
    run_app(machine)
    assert machine.state(made.ctx.mmap_changing) == 0
    assert machine.state(made.mm.lock).readers == ("app",)
    while machine.can_step("op"):
        machine.step("op")
    run_app(machine)
    assert machine.state(made.ctx.mmap_changing) == 1


@pytest.mark.parametrize("era", RAISES_UNDER_A_LOCK, ids=lambda era: era.era)
def test_the_lock_is_not_held_while_the_monitor_is_awaited(era: type[Kernel]) -> None:
    made = scene(era, ("fork", "unmap", "remap", "remove"))
    start = made.addr("dst")
    machine = made.machine(app=lambda k: k.sys_munmap(made.mm, start, PAGE_SIZE))
    run_app(machine)
    assert machine.unfinished == ["app"]
    assert machine.state(made.ctx.map_changing_lock).holders == ()
    assert machine.state(made.mm.lock).holders == ()
