"""v6.18 moves many pages under one hold of the page-table locks."""

from tests.kernel.harness import leftovers, lock_steps, run, run_until, scene
from tests.kernel.test_move import moving, nothing_held, pte
from uffdviz.kernel.eras.v6_12 import V6_12
from uffdviz.kernel.eras.v6_18 import V6_18
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Folio, Pte
from uffdviz.kernel.objects import PAGE_SIZE


def test_four_pages_need_one_round_of_locks_where_v6_12_needs_four() -> None:
    rounds = {}
    for era in (V6_12, V6_18):
        made = scene(era)
        machine = moving(made, 4)
        run(machine)
        assert made.results == {"app": 4 * PAGE_SIZE}
        rounds[era.era] = lock_steps(machine.events, "app").count("+W anon_vma src")
        assert nothing_held(machine, made)
    assert rounds == {"v6.12": 4, "v6.18": 1}


def test_the_batch_is_flushed_once_before_the_locks_are_let_go() -> None:
    made = scene(V6_18)
    machine = moving(made, 4)
    run(machine)
    flushes = [e.n for e in machine.events if e.detail == "tlb_flush"]
    unlocks = [e.n for e in machine.events if e.step == "q16" and e.fact == "LockReleased"]
    assert len(flushes) == 1
    assert flushes[0] < unlocks[-1]


def test_a_busy_page_ends_the_batch_and_is_waited_for_afterwards() -> None:
    made = scene(V6_18)

    async def hold(k: Kernel) -> None:
        await k.folio_lock(k.stage.folio("src+2").lock)
        await k.folio_unlock(k.stage.folio("src+2").lock)

    ends = (made.addr("dst"), made.addr("src"), 4 * PAGE_SIZE)
    machine = made.machine(app=lambda k: k.userfaultfd_move(made.ctx, *ends), other=hold)
    machine.step("other")
    run_until(machine, "app", object="folio src+2", fact="LockContended")
    assert [name for name in leftovers(machine) if name.startswith("ptl")] == []
    assert pte(machine, made, "dst", 1) == Pte(folio="src+1")
    run(machine)
    assert made.results["app"] == 4 * PAGE_SIZE
    assert nothing_held(machine, made)


def test_a_pinned_page_ends_the_batch() -> None:
    made = scene(V6_18)
    made.stage.world[made.stage.folio("src+2").rec] = Folio(anon_vma="src", pins=1)
    machine = moving(made, 4)
    run(machine)
    assert made.results == {"app": 2 * PAGE_SIZE}
    assert pte(machine, made, "src", 2) == Pte(folio="src+2")
    assert nothing_held(machine, made)


def test_a_batch_ends_with_its_page_table() -> None:
    made = scene(V6_18)
    made.add("wide", pages=1024)
    edge = 512 - made.addr("wide") // PAGE_SIZE % 512
    for page in (edge - 1, edge):
        made.put("wide", page, Pte(folio=f"wide+{page}"))
    ends = (made.addr("dst"), made.addr("wide", edge - 1), 2 * PAGE_SIZE)
    machine = made.machine(app=lambda k: k.userfaultfd_move(made.ctx, *ends))
    run(machine)
    assert made.results == {"app": 2 * PAGE_SIZE}
    assert lock_steps(machine.events, "app").count("+W anon_vma wide") == 2
