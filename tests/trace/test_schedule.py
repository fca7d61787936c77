import pytest
from hypothesis import given
from hypothesis import strategies as st

from uffdviz.errors import ScheduleError
from uffdviz.trace.schedule import MAX_SIZE, parse_schedule

TASKS = ("gc", "app", "app.1")


def test_lines_and_semicolons_part_instructions() -> None:
    schedule = parse_schedule("gc x3; app until done\n\n# a remark\nkill app  # now\n", TASKS)
    assert [(one.line, one.text) for one in schedule] == [
        (1, "gc x3"),
        (1, "app until done"),
        (4, "kill app"),
    ]


def test_a_task_alone_takes_one_step() -> None:
    (one,) = parse_schedule("app.1", TASKS)
    assert (one.kind, one.who, one.count) == ("steps", "app.1", 1)


def test_a_deadline_names_a_lock_with_its_object() -> None:
    (one,) = parse_schedule("deadline  map_changing_lock   gc", TASKS)
    assert (one.kind, one.text) == ("move", "deadline map_changing_lock gc")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no instruction; write one a line, such as 'everyone until done'"),
        ("gc\ngcc x3", "line 2: no task 'gcc'; tasks are gc, app, app.1 (did you mean 'gc'?)"),
        ("gc x", "line 1: 'x' after 'gc' is not 'x3' and not 'until LANDMARK'"),
        ("gc untli done", "'untli done' after 'gc' is not 'x3' and not 'until LANDMARK' (did you mean 'until'?)"),
        ("gc x0", "line 1: 'gc x0' takes no step; write x1 or more"),
        ("gc until", "line 1: no landmark ''; landmarks begin with holds, waits, enters"),
        ("gc until hold mmap_lock", "(did you mean 'holds'?)"),
        ("gc until holds", "line 1: 'holds' is not a landmark; write 'holds LOCK [for read|write]'"),
        ("gc until enters mfill_atomik", "line 1: no function 'mfill_atomik' (did you mean 'mfill_atomic'?)"),
        ("everyone until gcc done", "line 1: no task 'gcc'"),
        ("kill", "line 1: 'kill' needs a task: 'kill TASK'"),
        ("deadline", "line 1: 'deadline' needs a lock: 'deadline LOCK'"),
        ("fail nobody", "line 1: no task 'nobody'"),
        ("gc x1;" * MAX_SIZE, "a schedule of"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ScheduleError) as error:
        parse_schedule(text, TASKS, {"mfill_atomic"})
    assert message in str(error.value)
    assert len(str(error.value)) < 300


@given(st.text())
def test_any_text_is_a_schedule_or_an_error_of_one_line(text: str) -> None:
    try:
        schedule = parse_schedule(text, TASKS)
    except ScheduleError as error:
        assert str(error)  # noqa: PT017  either is right
    else:
        assert schedule
