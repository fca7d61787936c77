"""Moving a page that is swapped out, while its memory may still be in the swap cache."""

import pytest

from tests.kernel.harness import Scene, leftovers, run, run_until, scene
from tests.kernel.test_move import every_era, folio, nothing_held, pte
from tests.kernel.writers import run_failing
from uffdviz.kernel.eras.v6_18 import V6_18
from uffdviz.kernel.errno import EBUSY, EEXIST
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Folio, Pte
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.run.machine import Machine

SWAPPED = Pte(kind="swap", folio="out+0")


def swapped(era: type[Kernel], *, cached: int) -> tuple[Scene, Machine]:
    """A machine that moves the only page of `out`, and one more task that touches it at `dst`."""
    made = scene(era)
    made.add("out")
    made.put("out", 0, SWAPPED)
    made.stage.world[made.stage.folio("out+0").swap_cache] = cached
    ends = (made.addr("dst"), made.addr("out"), PAGE_SIZE)
    return made, made.machine(
        app=lambda k: k.userfaultfd_move(made.ctx, *ends),
        other=lambda k: k.page_fault(made.addr("dst"), write=False),
    )


def move(machine: Machine) -> None:
    """Let only the mover run."""
    while machine.can_step("app"):
        machine.step("app")


@every_era
@pytest.mark.parametrize("cached", [0, 1])
def test_the_entry_moves(era: type[Kernel], cached: int) -> None:
    made, machine = swapped(era, cached=cached)
    move(machine)
    assert made.results == {"app": PAGE_SIZE}
    assert pte(machine, made, "dst") == SWAPPED
    assert pte(machine, made, "out") is None
    assert nothing_held(machine, made)


@every_era
@pytest.mark.parametrize("cached", [0, 1])
def test_a_cached_page_moves_along_since_v6_14(era: type[Kernel], cached: int) -> None:
    made, machine = swapped(era, cached=cached)
    move(machine)
    run(machine)
    assert pte(machine, made, "dst") == Pte(folio="out+0")
    right = folio(machine, made, "out+0").index == made.addr("dst") // PAGE_SIZE
    assert right == (era is V6_18 or not cached)
    assert leftovers(machine) == []


@every_era
def test_a_shared_swap_entry_stays(era: type[Kernel]) -> None:
    made, machine = swapped(era, cached=0)
    made.stage.world[made.stage.folio("out+0").rec] = Folio(anon_vma="out", exclusive=False)
    machine = again(made)
    run(machine)
    assert made.results == {"app": EBUSY}
    assert nothing_held(machine, made)


def again(made: Scene) -> Machine:
    """The mover alone, on the stage as it is now."""
    ends = (made.addr("dst"), made.addr("out"), PAGE_SIZE)
    return made.machine(app=lambda k: k.userfaultfd_move(made.ctx, *ends))


@every_era
def test_a_page_under_migration_is_waited_for(era: type[Kernel]) -> None:
    made = scene(era)
    made.add("out")
    made.put("out", 0, Pte(kind="migration", folio="out+0"))

    async def migrate(k: Kernel) -> None:
        folio_ref = k.stage.folio("out+0")
        await k.folio_lock(folio_ref.lock)
        await k.set_pte_at(made.stage.vma("out"), made.addr("out"), Pte(folio="out+0"))
        await k.folio_unlock(folio_ref.lock)

    made.stage.world[made.stage.folio("out+0").rec] = Folio(anon_vma="out")
    ends = (made.addr("dst"), made.addr("out"), PAGE_SIZE)
    machine = made.machine(app=lambda k: k.userfaultfd_move(made.ctx, *ends), other=migrate)
    machine.step("other")
    run_until(machine, "app", object="folio out+0", fact="LockContended")
    run(machine)
    assert made.results["app"] == (EEXIST if era is V6_18 else PAGE_SIZE)
    assert pte(machine, made, "dst") == Pte(folio="out+0")
    assert nothing_held(machine, made)


def test_a_large_page_in_the_cache_is_busy() -> None:
    made, _ = swapped(V6_18, cached=1)
    made.stage.world[made.stage.folio("out+0").rec] = Folio(anon_vma="out", large=True)
    machine = again(made)
    run(machine)
    assert made.results == {"app": EBUSY}
    assert nothing_held(machine, made)


def test_a_swap_device_that_goes_away_is_tried_again() -> None:
    made, _ = swapped(V6_18, cached=0)
    machine = again(made)
    run_failing(machine, "get_swap_device")
    assert pte(machine, made, "dst") == SWAPPED
    assert nothing_held(machine, made)


def test_a_page_that_comes_in_meanwhile_is_locked_first() -> None:
    made, _ = swapped(V6_18, cached=0)
    ends = (made.addr("dst"), made.addr("out"), PAGE_SIZE)
    machine = made.machine(
        app=lambda k: k.userfaultfd_move(made.ctx, *ends),
        other=lambda k: k.page_fault(made.addr("out"), write=False),
    )
    run_until(machine, "app", object="swap cache out+0")
    run_until(machine, "other", detail="sets swap cache out+0 to 1")
    run_until(machine, "app", object="folio out+0", fact="LockContended")
    run(machine)
    assert pte(machine, made, "dst") == Pte(folio="out+0")
    assert folio(machine, made, "out+0").index == made.addr("dst") // PAGE_SIZE
    assert leftovers(machine) == []
