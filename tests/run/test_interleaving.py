import pytest

from tests.run.stages import three_tasks
from uffdviz.errors import LandmarkError, ScheduleError
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.machine import Machine
from uffdviz.run.report import schedule_lines
from uffdviz.run.setting import load_setting


class Three:
    """The setting of three tasks on two mappings."""

    def machine(self) -> Machine:
        return three_tasks(times=1)


def test_a_task_runs_until_it_holds_a_lock() -> None:
    run = Interleaving(Three())
    event = run.run("app", until="holds mmap_lock for write")
    assert event is not None
    assert event.text == "holds mmap_lock for write"


def test_a_task_that_waits_is_behind_the_holder() -> None:
    run = Interleaving(Three())
    run.run("app", until="holds mmap_lock")
    run.run("gc", until="waits for mmap_lock to read")
    assert run.now.tasks["gc"].behind == ("app",)


def test_after_a_schedule_the_rest_goes_in_timed_order() -> None:
    run = Interleaving(Three())
    run.play("app until enters vma_start_write; gc x2")
    run.finish()
    assert run.returns == {"gc": ["0"], "app": ["0"], "ui": ["0"]}
    assert run.machine.unfinished == []


def test_a_state_that_is_there_already_needs_no_step() -> None:
    run = Interleaving(Three())
    run.play("app until holds mmap_lock; app until holds mmap_lock for write")
    assert run.choices == ["app", "app"]


def test_the_choices_of_a_run_give_the_same_run() -> None:
    run = Interleaving(Three())
    run.play("app until holds mmap_lock; gc until waits for mmap_lock; everyone until done")
    again = Interleaving(Three())
    again.follow(run.choices)
    assert again.events == run.events


def test_everyone_can_go_until_one_is_there() -> None:
    run = Interleaving(Three())
    run.play("everyone until ui returns 0")
    assert run.returns["ui"] == ["0"]


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("app until holds mmap_lock\ngc x9", "line 2: gc took 2 of 9 steps: it waits for mmap_lock to read behind app"),
        ("gc until sleeps", "line 1: gc did not reach 'sleeps': it is done, it returned 0, after it 'is done'"),
        ("gc until holds vma", "line 1: 'vma' may be vma dst, vma src: say which"),
        ("gc until holds mmap_lok", "(did you mean 'mmap_lock'?)"),
        ("gc until waits for vma dts", "(did you mean 'vma dst'?)"),
        ("gc until holds vma dst for write", "gc did not reach 'holds vma dst for write': it is done"),
    ],
)  # fmt: skip
def test_what_was_not_reached_is_said(schedule: str, message: str) -> None:
    run = Interleaving(Three())
    with pytest.raises(ScheduleError) as error:
        run.play(schedule)
    assert message in str(error.value)


def test_a_choice_that_cannot_be_taken_is_refused() -> None:
    run = Interleaving(Three())
    run.run("app", until="holds mmap_lock")
    run.run("gc", until="waits for mmap_lock")
    with pytest.raises(LandmarkError, match="step 1: gc cannot move"):
        run.follow(["gc"])


@pytest.mark.parametrize(
    "name", ["event-killed", "writer-killed-in-the-queue", "copy-after-fork-failed"]
)
def test_the_schedule_that_a_run_gives_makes_the_same_run(name: str) -> None:
    run = Interleaving(load_setting(name))
    run.finish()
    again = Interleaving(load_setting(name))
    again.play("\n".join(schedule_lines(run.choices)))
    assert again.choices == run.choices


def test_a_place_that_a_kill_takes_away_at_once_was_reached() -> None:
    run = Interleaving(load_setting("event-killed"))
    run.play("app until sleeps; kill app")
    assert run.choices[-1] == "kill app"
    assert run.choices.count("kill app") == 1


def test_a_second_signal_in_a_schedule_is_one_of_its_own() -> None:
    run = Interleaving(load_setting("event-killed"))
    run.play("app until sleeps; kill app; kill app")
    assert run.choices.count("kill app") == 2
