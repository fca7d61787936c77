from uffdviz.trace.snapshot import TaskView
from uffdviz.tui.render.line import plain
from uffdviz.tui.render.tasks import task_lines


def board(*tasks: TaskView, choices: tuple[str, ...] = (), width: int = 100) -> str:
    return plain(task_lines({task.name: task for task in tasks}, choices, width))


def test_a_blocked_task_says_for_what_behind_whom_and_where_in_the_queue() -> None:
    task = TaskView(
        "gc",
        call="UFFDIO_COPY",
        stack=("mfill_atomic", "lock_vma"),
        state="blocked",
        lock="mmap_lock",
        mode="read",
        behind=("app", "ui"),
        place=2,
        holds=(("vma src", "read"),),
    )
    assert board(task).splitlines() == [
        " 1 gc ■ BLOCKED waits for mmap_lock to read; behind app, ui; 2nd in the queue",
        "      UFFDIO_COPY ▸ mfill_atomic ▸ lock_vma",
        "      holds vma src (read)",
    ]


def test_a_task_that_can_be_killed_while_it_waits_says_so() -> None:
    task = TaskView("app", state="blocked", lock="mmap_lock", mode="write", manner="killable")
    assert "waits for mmap_lock to write (killable)" in board(task)


def test_a_deep_stack_shows_its_innermost_functions() -> None:
    task = TaskView("gc", call="COPY", stack=("a", "b", "c", "d"))
    assert "COPY ▸ … ▸ b ▸ c ▸ d" in board(task, choices=("gc",))
    assert "COPY ▸ … ▸ d" in board(task, choices=("gc",), width=40)


def test_a_task_that_is_done_says_what_it_returned() -> None:
    task = TaskView("gc", state="done", results=("4096", "-EAGAIN"))
    assert "✓ done    returned 4096, -EAGAIN" in board(task)


def test_the_tenth_task_has_no_key() -> None:
    rows = board(*(TaskView(f"t{n}") for n in range(1, 11))).splitlines()
    assert rows[8].startswith(" 9 t9")
    assert rows[9].startswith("   t10")
