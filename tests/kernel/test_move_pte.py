"""Moving one page: what it waits for, and what may change in the meantime."""

from typing import Any

import pytest

from tests.kernel.harness import Scene, every_ending, leftovers, run, run_until, scene, unfinished
from tests.kernel.test_move import every_era, folio, moving, nothing_held, pte
from uffdviz.kernel.eras.v6_8 import V6_8
from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.eras.v6_18 import V6_18
from uffdviz.kernel.errno import EBUSY, EEXIST, EINTR, ENOENT
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Folio, Pte
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.kernel.ops import gup
from uffdviz.kernel.steps import Step
from uffdviz.run.machine import Machine

PATIENCE = 200


def beside(made: Scene, job: Any, pages: int = 1) -> Machine:
    """A machine with a mover `app` and another task `other`."""
    ends = (made.addr("dst"), made.addr("src"), pages * PAGE_SIZE)
    return made.machine(app=lambda k: k.userfaultfd_move(made.ctx, *ends), other=job)


async def hold_folio(k: Kernel) -> None:
    """Have the page locked for a while."""
    await k.folio_lock(k.stage.folio("src+0").lock)
    await k.folio_unlock(k.stage.folio("src+0").lock)


async def hold_anon_vma(k: Kernel) -> None:
    """Walk rmap for a while."""
    await k.down_read(k.stage.anon_vma("src").lock)
    await k.up_read(k.stage.anon_vma("src").lock)


@every_era
@pytest.mark.parametrize(
    ("job", "lock"), [(hold_folio, "folio src+0"), (hold_anon_vma, "anon_vma src")]
)
def test_it_sleeps_with_nothing_mapped_and_begins_anew(
    era: type[Kernel], job: Any, lock: str
) -> None:
    made = scene(era)
    machine = beside(made, job)
    machine.step("other")
    run_until(machine, "app", object=lock, fact="LockContended")
    calls = [call for e in machine.events if e.task == "app" for call in e.calls]
    mapped = [c[1] for c in calls if c[0] == "enter" and c[1] in {"pte_offset_map", "pte_unmap"}]
    assert mapped[-1] == "pte_unmap"
    assert not [n for n in leftovers(machine) if n.startswith("ptl")]
    run(machine)
    steps = [e.step for e in machine.events if e.task == "app"]
    assert steps.index("q17") > len(steps) - 1 - steps[::-1].index("q3")
    assert steps.count("q3") == 2 * 3
    assert made.results["app"] == PAGE_SIZE
    assert nothing_held(machine, made)


@every_era
def test_an_entry_that_changed_while_it_slept_is_looked_at_again(era: type[Kernel]) -> None:
    made = scene(era)

    async def take_away(k: Kernel) -> None:
        await k.folio_lock(k.stage.folio("src+0").lock)
        await k.zap_range(made.stage.vma("src"), made.addr("src"), made.addr("src", 1))
        await k.folio_unlock(k.stage.folio("src+0").lock)

    machine = beside(made, take_away)
    machine.step("other")
    run_until(machine, "app", object="folio src+0", fact="LockContended")
    run(machine)
    assert made.results["app"] == ENOENT
    assert nothing_held(machine, made)


@every_era
def test_another_page_at_the_place_is_not_taken_for_the_one_that_is_locked(
    era: type[Kernel],
) -> None:
    made = scene(era)
    new = Pte(folio="new")
    made.stage.world[made.stage.folio("new").rec] = Folio(anon_vma="src")

    async def replace(k: Kernel) -> None:
        await k.folio_lock(k.stage.folio("src+0").lock)
        await k.set_pte_at(made.stage.vma("src"), made.addr("src"), new)
        await k.folio_unlock(k.stage.folio("src+0").lock)

    machine = beside(made, replace)
    machine.step("other")
    run_until(machine, "app", object="folio src+0", fact="LockContended")
    run(machine)
    assert pte(machine, made, "dst") == new
    assert folio(machine, made, "new").anon_vma == "dst"
    assert folio(machine, made, "src+0").anon_vma == "src"
    assert nothing_held(machine, made)


@every_era
@pytest.mark.parametrize(("where", "errno"), [("dst", EEXIST), ("src", ENOENT)])
def test_entries_that_change_before_both_are_locked_are_noticed(
    era: type[Kernel], where: str, errno: int
) -> None:
    made = scene(era)
    vma, at = made.stage.vma(where), made.addr(where)

    async def change(k: Kernel) -> None:
        await k.spin_lock(made.mm.ptl(at))
        if where == "dst":
            await k.set_pte_at(vma, at, Pte(folio="new"))
        else:
            await k.ptep_clear_flush(vma, at)
        await k.spin_unlock(made.mm.ptl(at))

    machine = beside(made, change)
    run_until(machine, "app", object="anon_vma src", fact="LockAcquired")
    while machine.can_step("other"):
        machine.step("other")
    run(machine)
    assert made.results["app"] == errno
    assert pte(machine, made, "dst") == (Pte(folio="new") if where == "dst" else None)
    assert (pte(machine, made, "src") is None) == (where == "src")
    assert nothing_held(machine, made)


@every_era
def test_a_pin_at_the_last_moment_puts_the_page_back(era: type[Kernel]) -> None:
    made = scene(era)

    async def pin(k: Kernel) -> None:
        await Step(made.stage.folio("src+0").rec, gup.pin, "src+0")

    machine = beside(made, pin)
    run_until(machine, "app", detail="sets the pte of src to none")
    machine.step("other")
    run(machine)
    assert made.results["app"] == EBUSY
    assert pte(machine, made, "src") == Pte(folio="src+0")
    assert pte(machine, made, "dst") is None
    rec = folio(machine, made, "src+0")
    assert (rec.anon_vma, rec.index) == ("src", made.addr("src") // PAGE_SIZE)
    assert nothing_held(machine, made)


@every_era
def test_a_large_page_is_split_first(era: type[Kernel]) -> None:
    made = scene(era)
    made.stage.world[made.stage.folio("src+0").rec] = Folio(anon_vma="src", large=True)
    machine = moving(made)
    run(machine)
    assert made.results == {"app": PAGE_SIZE}
    assert not folio(machine, made, "src+0").large
    assert nothing_held(machine, made)


@every_era
def test_since_v6_14_nobody_waits_for_a_busy_large_page(era: type[Kernel]) -> None:
    made = scene(era)
    made.stage.world[made.stage.folio("src+0").rec] = Folio(anon_vma="src", large=True)
    machine = beside(made, hold_folio)
    machine.step("other")
    run_until(machine, "app", object="folio src+0", fact="LockRefused")
    while machine.can_step("app") and folio(machine, made, "src+0").refs == 1:
        if [e for e in machine.events if e.object == "folio src+0" and e.fact == "LockRefused"][1:]:
            break
        machine.step("app")
    assert folio(machine, made, "src+0").refs == (1 if era is V6_18 else 2)


@pytest.mark.parametrize("era", [V6_8, V6_9, V6_18], ids=lambda era: era.era)
def test_of_two_moves_of_one_page_one_wins(era: type[Kernel]) -> None:
    def make() -> Machine:
        made = scene(era)
        scenes.append(made)
        src = made.addr("src")
        return made.machine(
            a=lambda k: k.userfaultfd_move(made.ctx, made.addr("dst"), src, PAGE_SIZE),
            b=lambda k: k.userfaultfd_move(made.ctx, made.addr("dst", 1), src, PAGE_SIZE),
        )

    scenes: list[Scene] = []
    allowed = {PAGE_SIZE, ENOENT, *([EEXIST] if era is V6_18 else [])}
    for machine, _ in every_ending(make, switches=1):
        made = scenes[-1]
        assert unfinished(machine) == []
        assert set(made.results.values()) <= allowed
        places = [pte(machine, made, "dst", n) for n in (0, 1)]
        assert sorted(p is not None for p in places) == [False, True]
        assert nothing_held(machine, made)


@every_era
def test_a_move_that_tries_a_large_page_again_and_again_can_be_killed(era: type[Kernel]) -> None:
    made = scene(era)
    rec = Folio(anon_vma="src", index=made.addr("src") // PAGE_SIZE, large=True, refs=2)
    made.stage.world[made.stage.folio("src+0").rec] = rec
    machine = moving(made)
    for _ in range(PATIENCE):
        machine.step("app")
    assert made.results == {}
    machine.step("kill app")
    for _ in range(PATIENCE):
        if machine.can_step("app"):
            machine.step("app")
    assert made.results == {"app": EINTR}
    assert leftovers(machine) == []
    assert folio(machine, made, "src+0").refs == rec.refs
