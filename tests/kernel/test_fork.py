"""fork(): what the child gets, what the monitor hears, and a fork that fails."""

import pytest

from tests.kernel.eras import ERAS_THAT_TELL_OF_FAILED_FORKS, VMA_LOCK_ERAS, WRITER_ERAS
from tests.kernel.harness import Scene, leftovers, lock_steps, run, scene, steps_in
from tests.kernel.writers import ENOMEM, first, record, run_app, run_failing
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.memory import Tree, VmaRecord
from uffdviz.run.machine import Machine

every_era = pytest.mark.parametrize("era", WRITER_ERAS, ids=lambda era: era.era)
every_vma_lock_era = pytest.mark.parametrize("era", VMA_LOCK_ERAS, ids=lambda era: era.era)


def forking(made: Scene) -> Machine:
    """A machine whose only task forks."""
    return made.machine(app=lambda k: k.sys_fork("child"))


def child_names(machine: Machine, made: Scene) -> list[str]:
    """What is in the child's tree."""
    tree: Tree = machine.state(made.stage.mm("child").tree)
    return [name for _, _, name in tree.entries]


@every_era
def test_the_child_gets_a_copy_of_every_mapping(era: type[Kernel]) -> None:
    made = scene(era)
    machine = forking(made)
    run(machine)
    assert made.results == {"app": 0}
    assert child_names(machine, made) == ["child/dst", "child/src"]
    rec: VmaRecord = record(machine, made, "child/src")
    assert (rec.mm, rec.start, rec.end) == ("child", made.addr("src"), made.addr("src", 4))
    assert leftovers(machine) == []


@every_era
def test_both_address_spaces_are_locked_until_the_copy_is_done(era: type[Kernel]) -> None:
    made = scene(era)
    events = run(forking(made))
    locks = [w for w in lock_steps(events, "app") if "mmap_lock" in w]
    assert locks == [
        "+W mmap_lock",
        "+W mmap_lock child",
        "-W mmap_lock child",
        "-W mmap_lock",
    ]
    assert steps_in(events, "app", "dup_mmap", "dup_vma") == ["1", "2", "3", "4"]


@every_vma_lock_era
def test_the_parents_mapping_is_locked_before_it_is_copied(era: type[Kernel]) -> None:
    made = scene(era)
    machine = forking(made)
    run(machine)
    assert first(machine, "sets lock_seq of vma dst") < first(machine, "fills in child/dst")
    assert first(machine, "lock_seq of vma child/dst") < first(machine, "puts child/dst at")


@every_era
def test_a_mapping_marked_dontfork_is_left_out(era: type[Kernel]) -> None:
    made = scene(era)
    made.add("mine", dontfork=True)
    machine = forking(made)
    run(machine)
    assert child_names(machine, made) == ["child/dst", "child/src"]


@every_era
def test_without_the_feature_the_child_is_not_registered(era: type[Kernel]) -> None:
    made = scene(era)
    machine = forking(made)
    run(machine)
    rec = record(machine, made, "child/dst")
    assert (rec.ctx, rec.modes) == ("", ())
    assert record(machine, made, "dst").ctx == "gc"


@every_era
def test_with_the_feature_one_event_hands_over_one_new_context(era: type[Kernel]) -> None:
    made = scene(era, ("fork",))
    made.add("more", ctx="gc", modes=("missing",))
    machine = forking(made)
    run_app(machine)
    assert record(machine, made, "child/dst").ctx == "child/gc"
    assert record(machine, made, "child/more").ctx == "child/gc"
    entries = machine.state(made.ctx.event_wqh).entries
    assert [(e.kind, e.ctx) for e in entries] == [("fork", "child/gc")]
    assert machine.state(made.ctx.mmap_changing) == 1
    assert first(machine, "releases mmap_lock for write") < first(machine, "joins event_wqh")


@every_era
@pytest.mark.parametrize("work", ["vm_area_dup", "dup_userfaultfd"])
def test_a_fork_that_fails_before_the_context_is_doubled_raises_nothing(
    era: type[Kernel], work: str
) -> None:
    made = scene(era, ("fork",))
    machine = forking(made)
    run_failing(machine, work)
    assert made.results == {"app": ENOMEM}
    assert child_names(machine, made) == []
    assert machine.state(made.ctx.mmap_changing) == 0
    assert leftovers(machine) == []


@every_era
def test_a_fork_that_fails_later_is_still_told_of_until_6_12(era: type[Kernel]) -> None:
    made = scene(era, ("fork",))
    machine = forking(made)
    run_failing(machine, "vm_area_dup", 2)
    told = era in ERAS_THAT_TELL_OF_FAILED_FORKS
    assert bool(machine.state(made.ctx.event_wqh).entries) is told
    assert machine.state(made.ctx.mmap_changing) == int(told)
    if not told:
        assert made.results == {"app": ENOMEM}
        assert machine.state(made.ctx.refcount) == 1


@every_era
def test_the_last_thread_takes_the_address_space_with_it(era: type[Kernel]) -> None:
    made = scene(era)
    machine = made.machine(app=lambda k: k.sys_exit(), other=lambda k: k.sys_exit())
    run_app(machine)
    assert len(machine.state(made.mm.tree).entries) == 2
    run(machine)
    assert machine.state(made.mm.tree).entries == ()
    assert leftovers(machine) == []
