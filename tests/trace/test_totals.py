from hypothesis import given
from hypothesis import strategies as st

from tests.run.stages import three_tasks
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.machine import Machine
from uffdviz.run.simulate import make_scheduler, simulate
from uffdviz.trace.totals import totals


class Three:
    def machine(self) -> Machine:
        return three_tasks(times=1)


@given(
    st.sampled_from(["time", "round-robin", "random", "pct"]),
    st.integers(0, 1000),
    st.integers(0, 3),
    st.integers(1, 200),
)
def test_no_time_is_lost_and_none_is_counted_twice(
    name: str, seed: int, cpus: int, most: int
) -> None:
    machine = three_tasks(cpus=cpus)
    simulate(machine, make_scheduler(name, seed), most)
    sums = totals(machine.tasks, machine.events)

    for task in (*sums["tasks"].values(), sums["all"]):
        blocked = sum(task["uninterruptible_ns"].values()) + sum(task["killable_ns"].values())
        spent = task["running_ns"] + task["runnable_ns"] + blocked + task["userfaultfd_ns"]
        spent += task["idle_ns"]
        assert spent == task["wall_ns"]
    assert sums["wall_ns"] == max(event.end for event in machine.events)


@given(st.integers(0, 1000), st.integers(1, 3))
def test_no_more_tasks_run_at_once_than_there_are_processors(seed: int, cpus: int) -> None:
    machine = three_tasks(cpus=cpus)
    simulate(machine, make_scheduler("random", seed))
    edges = sorted(
        edge for e in machine.events for edge in ((e.start, 1), (e.end, -1)) if e.start < e.end
    )
    running = 0
    for _, change in sorted(edges, key=lambda edge: edge):
        running += change
        assert running <= cpus


def test_mmap_lock_is_a_row_in_both_modes_even_at_zero() -> None:
    rows = totals(["gc"], [])["locks"]
    assert [(row["lock"], row["mode"], row["acquisitions"]) for row in rows] == [
        ("mmap_lock", "read", 0),
        ("mmap_lock", "write", 0),
    ]


def test_a_reader_behind_a_writer_waits_uninterruptibly() -> None:
    run = Interleaving(Three())
    run.play(
        "app until holds mmap_lock for write; gc until waits for mmap_lock; everyone until done"
    )
    rows = {(row["lock"], row["mode"]): row for row in run.totals["locks"]}

    assert rows["mmap_lock", "read"]["contentions"] == 1
    assert rows["mmap_lock", "read"]["wait_ns"]["total"] > 0
    assert run.totals["tasks"]["gc"]["uninterruptible_ns"]["mmap_lock"] > 0


def test_a_writer_s_wait_is_killable() -> None:
    run = Interleaving(Three())
    run.play("gc until holds mmap_lock; app until waits for mmap_lock; everyone until done")
    assert run.totals["tasks"]["app"]["killable_ns"]["mmap_lock"] > 0


def test_a_task_that_is_late_for_want_of_a_processor_is_runnable() -> None:
    alone = three_tasks(times=1, cpus=1)
    simulate(alone)
    assert totals(alone.tasks, alone.events)["all"]["runnable_ns"] > 0
