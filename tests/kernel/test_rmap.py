"""anon_vma: who prepares it, who adopts whose, and under which locks it comes and goes."""

from typing import Any

import pytest

from tests.kernel.eras import VMA_LOCK_ERAS
from tests.kernel.harness import (
    Scene,
    every_ending,
    leftovers,
    lock_steps,
    run,
    run_until,
    scene,
    unfinished,
)
from tests.kernel.writers import record, run_failing
from uffdviz.kernel.errno import ENOMEM
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Tree, VmaRecord
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.run.machine import Machine

every_era = pytest.mark.parametrize("era", VMA_LOCK_ERAS, ids=lambda era: era.era)


def prepare(made: Scene) -> Any:
    """A job that prepares `dst` under mmap_lock."""

    async def job(k: Kernel) -> int:
        await k.mmap_read_lock(made.mm)
        err = await k.anon_vma_prepare(made.stage.vma("dst"))
        await k.mmap_read_unlock(made.mm)
        return err

    return job


def users(machine: Machine, made: Scene, name: str) -> int:
    """How many mappings use an anon_vma."""
    return int(machine.state(made.stage.anon_vma(name).rec))


def neighbours(made: Scene, **fields: Any) -> None:
    """Put `near` right behind `dst`, so that they could be one mapping."""
    vma = made.add("near", **fields)
    start = made.addr("dst", 4)
    world = made.stage.world
    old: VmaRecord = world[vma.rec]
    world[vma.rec] = VmaRecord(
        **{f: getattr(old, f) for f in old.__struct_fields__}
        | {"start": start, "end": start + 4 * PAGE_SIZE}
    )
    entries = [e for e in world[made.mm.tree].entries if e[2] != "near"]
    entries.append((start, start + 4 * PAGE_SIZE, "near"))
    world[made.mm.tree] = Tree(tuple(sorted(entries)))


@every_era
def test_it_is_published_under_the_locks_that_the_recordings_show(era: type[Kernel]) -> None:
    made = scene(era, anon_vma="")
    machine = made.machine(app=prepare(made))
    run(machine)
    assert lock_steps(machine.events, "app") == [
        *("+R mmap_lock", "+W anon_vma dst", "+W page_table_lock"),
        *("-W page_table_lock", "-W anon_vma dst", "-R mmap_lock"),
    ]
    assert record(machine, made, "dst").anon_vma == "dst"
    assert users(machine, made, "dst") == 1


@every_era
def test_the_record_says_when_it_was_set(era: type[Kernel]) -> None:
    made = scene(era, anon_vma="")
    machine = made.machine(app=prepare(made))
    run(machine)
    event = next(e for e in machine.events if "sets anon_vma of dst" in e.detail)
    held = [
        e.object for e in machine.events[: event.n] if e.fact == "LockAcquired" and e.task == "app"
    ]
    assert held == ["mmap_lock", "anon_vma dst", "page_table_lock"]
    assert event.value.anon_vma == "dst"


@every_era
def test_a_mapping_that_has_one_needs_no_lock(era: type[Kernel]) -> None:
    made = scene(era)
    machine = made.machine(app=lambda k: k.anon_vma_prepare(made.stage.vma("dst")))
    run(machine)
    assert lock_steps(machine.events, "app") == []


@every_era
def test_a_neighbours_is_adopted(era: type[Kernel]) -> None:
    made = scene(era, anon_vma="")
    neighbours(made, ctx="gc", modes=("missing",), prot="r")
    machine = made.machine(app=prepare(made))
    run(machine)
    assert record(machine, made, "dst").anon_vma == "near"
    assert users(machine, made, "near") == 2


@every_era
@pytest.mark.parametrize(
    "fields", [{"modes": ()}, {"shared": True}, {"anon_vma": ""}, {"pgoff": 7}]
)
def test_a_neighbour_of_another_kind_is_not_adopted_from(
    era: type[Kernel], fields: dict[str, Any]
) -> None:
    made = scene(era, anon_vma="")
    neighbours(made, **{"ctx": "gc", "modes": ("missing",), **fields})
    machine = made.machine(app=prepare(made))
    run(machine)
    assert record(machine, made, "dst").anon_vma == "dst"


@every_era
@pytest.mark.parametrize("work", ["anon_vma_chain_alloc", "anon_vma_alloc"])
def test_want_of_memory_leaves_nothing_behind(era: type[Kernel], work: str) -> None:
    made = scene(era, anon_vma="")
    machine = made.machine(app=prepare(made))
    run_failing(machine, work)
    assert made.results == {"app": ENOMEM}
    assert record(machine, made, "dst").anon_vma == ""
    assert users(machine, made, "dst") == 0
    assert leftovers(machine) == []


@every_era
def test_of_two_that_prepare_at_once_the_loser_frees_its_own(era: type[Kernel]) -> None:
    made = scene(era, anon_vma="")
    machine = made.machine(app=prepare(made), other=prepare(made))
    run_until(machine, "app", object="anon_vma users dst")
    run_until(machine, "other", fact="Changed", object="anon_vma users dst~2")
    run(machine)
    assert made.results == {"app": 0, "other": 0}
    used = [users(machine, made, name) for name in ("dst", "dst~2")]
    assert used == [1, 0]
    assert record(machine, made, "dst").anon_vma == "dst"


def test_in_every_order_one_anon_vma_is_left() -> None:
    scenes: list[Scene] = []

    def make() -> Machine:
        made = scene(VMA_LOCK_ERAS[0], anon_vma="")
        scenes.append(made)
        return made.machine(app=prepare(made), other=prepare(made))

    for machine, _ in every_ending(make, switches=2):
        made = scenes[-1]
        assert unfinished(machine) == []
        used = [users(machine, made, name) for name in ("dst", "dst~2")]
        assert sorted(used) == [0, 1]
        assert users(machine, made, record(machine, made, "dst").anon_vma) == 1


@every_era
def test_unlinking_takes_the_lock_once_and_says_so_in_the_record(era: type[Kernel]) -> None:
    made = scene(era)
    machine = made.machine(app=lambda k: k.unlink_anon_vmas(made.stage.vma("dst")))
    run(machine)
    assert lock_steps(machine.events, "app") == ["+W anon_vma dst", "-W anon_vma dst"]
    assert record(machine, made, "dst").anon_vma == ""
    assert users(machine, made, "dst") == 0


@every_era
def test_a_child_takes_the_lock_twice(era: type[Kernel]) -> None:
    made = scene(era)
    src = made.stage.vma("src")
    machine = made.machine(app=lambda k: k.anon_vma_fork(src, src))
    run(machine)
    assert lock_steps(machine.events, "app") == ["+W anon_vma src", "-W anon_vma src"] * 2
    assert users(machine, made, "src") == 2


@every_era
@pytest.mark.parametrize("work", ["anon_vma_clone", "anon_vma_fork"])
def test_a_fork_that_fails_leaves_no_user_behind(era: type[Kernel], work: str) -> None:
    made = scene(era)
    tmp = made.add("tmp", anon_vma="src")
    made.stage.world[made.stage.anon_vma("src").rec] = 1
    machine = made.machine(app=lambda k: k.anon_vma_fork(tmp, made.stage.vma("src")))
    run_failing(machine, work)
    assert made.results == {"app": ENOMEM}
    assert users(machine, made, "src") == 1
    assert leftovers(machine) == []
