import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.run.stages import three_tasks
from uffdviz.run.simulate import SCHEDULERS, make_scheduler, simulate


def run(name: str, seed: int = 0) -> list[str]:
    machine = three_tasks()
    simulate(machine, make_scheduler(name, seed))
    assert machine.unfinished == []
    return [event.choice for event in machine.events]


@pytest.mark.parametrize("name", SCHEDULERS)
def test_the_same_seed_gives_the_same_choices(name: str) -> None:
    assert run(name, 3) == run(name, 3)


@pytest.mark.parametrize("name", ["random", "pct"])
def test_another_seed_gives_other_choices(name: str) -> None:
    assert len({tuple(run(name, seed)) for seed in range(8)}) > 4


def test_in_virtual_time_no_step_starts_before_one_that_was_chosen_earlier() -> None:
    machine = three_tasks()
    simulate(machine)
    starts = [event.start for event in machine.events]
    assert starts == sorted(starts)


def test_round_robin_gives_each_its_turn() -> None:
    assert run("round-robin")[:6] == ["gc", "app", "ui", "gc", "app", "ui"]


@given(st.integers(0, 500))
def test_pct_changes_tasks_only_where_it_must(seed: int) -> None:
    machine = three_tasks()
    scheduler = make_scheduler("pct", seed)
    switches = forced = 0
    last = ""
    while (choice := scheduler.pick(machine)) is not None:
        if last not in {"", choice}:
            switches += 1
            forced += not machine.can_step(last)
        machine.step(choice)
        last = choice
    # two lowered priorities, and tasks of a higher one that can move again
    assert switches <= 2 * forced + 2 * 3


def test_the_random_walk_is_the_same_on_every_python() -> None:
    assert "".join(choice[0] for choice in run("random", 1)[:24]) == "guugaauuuuuuuuguguuggaag"


@given(st.integers(1, 5), st.integers(0, 3))
def test_asking_only_whom_a_step_touched_gives_the_choices_of_asking_everybody(
    times: int, cpus: int
) -> None:
    machine = three_tasks(times, cpus)
    scheduler = make_scheduler("time", 0)
    while (choice := scheduler.pick(machine)) is not None:
        assert cpus or choice == min(machine.choices(), key=machine.due_at)
        assert choice == make_scheduler("time", 0).pick(machine)
        machine.step(choice)
    assert machine.choices() == []
