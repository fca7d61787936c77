"""Source marks the line of each task, in the function that Tasks names last."""

import pytest

from tests.tui.real import real_screen
from uffdviz.run.branch import Branch
from uffdviz.run.lines import Lines
from uffdviz.run.read_scenario import shipped
from uffdviz.run.setting import load_setting
from uffdviz.tui.render.line import plain
from uffdviz.tui.render.source import source_lines

MOST = 1500
"""Steps of a long run that are looked at."""


@pytest.mark.parametrize("name", shipped())
def test_at_every_step_each_task_has_one_line_in_the_function_it_entered_last(name: str) -> None:
    branch = Branch(load_setting(name), ())
    run = branch.run
    lines = Lines(run.machine)
    tasks = tuple(run.machine.tasks)
    while choice := branch.expected():
        for task, view in run.now.tasks.items():
            listing = lines.listing(task, branch.length)
            function, rows, mine = source_lines(tasks, task, listing, 80)
            assert list(listing.path) == list(view.stack[len(view.stack) - len(listing.path) :])
            assert bool(listing.path) == bool(view.stack)
            if function:
                marked = [row for row in rows if any(span.role == "current" for span in row)]
                assert marked == [rows[mine]]
                number = str(tasks.index(task) + 1)
                assert plain(marked).startswith("▸")
                assert number in plain(marked)[1:6] or "+" in plain(marked)[1:6]
                assert mine > 0
        if branch.length == MOST:
            break
        branch.step(choice)
    assert branch.length


def test_it_is_so_in_the_past_too() -> None:
    setting = load_setting("move-meets-mprotect")
    branch = Branch(setting, ())
    lines = Lines(branch.run.machine)
    seen = []
    while (choice := branch.expected()) and branch.length < 60:
        seen.append([lines.listing(task, branch.length) for task in branch.run.machine.tasks])
        branch.step(choice)
    for n, listings in enumerate(seen):
        assert [lines.listing(task, n) for task in branch.run.machine.tasks] == listings


def test_the_screen_marks_a_function_that_the_reference_does_not_number() -> None:
    text = real_screen(["2", "2"])
    assert "do_mprotect_pkey (app)" in text
    assert any("▸2" in row for row in text.splitlines())
    text = real_screen(["2", "2", "2"])
    assert "mprotect_fixup (app)" in text


def test_a_function_of_one_line_is_shown_where_it_is_called() -> None:
    text = real_screen([*["2"] * 22, *["1"] * 18])
    assert "lock_vma ▸ mmap_read_lock (gc)" in text
    assert "▸1    V4       mmap_read_lock(mm)" in text
