"""What can be asked beside a run: keys are pressed, the screen is read."""

import asyncio
import re

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.tui.real import hold_beside, real_screen, wait_for
from tests.tui.screen import LARGE, SMALL, Shown, Size, screen_after
from tests.tui.settings import session
from uffdviz.course.shelf import CourseShelf
from uffdviz.errors import RecordingError
from uffdviz.tui.app import UffdvizApp

SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=lambda s: f"{s[0]}x{s[1]}")
LOST = [*["2"] * 22, *["1"] * 18]
ASKED = ["o", "…oracle ●"]
EXPLORED = ["x", "…That is all"]


@SIZES
def test_the_oracle_before_a_standstill(size: Size, snapshot: SnapshotAssertion) -> None:
    text = real_screen([*LOST, *ASKED], size=size)
    assert "✗ doomed" in text
    assert "lost at step" in text
    assert text == snapshot


def test_o_again_takes_the_oracle_away() -> None:
    assert real_screen([*LOST, *ASKED, "o"]) == real_screen(LOST)


def test_each_move_has_a_chance_while_all_is_open() -> None:
    text = real_screen(ASKED)
    assert "gc  △ 95%" in text
    assert "Can go wrong: a standstill is 38 steps away, 95% of runs by chance" in text


def test_a_merged_series_is_safe_from_the_start() -> None:
    assert "Nothing can go wrong any more" in real_screen(ASKED, era="v6.9")


@SIZES
def test_x_lists_what_can_go_wrong_with_the_way_there(
    size: Size, snapshot: SnapshotAssertion
) -> None:
    text = real_screen(EXPLORED, size=size)
    assert "L1: nobody can move" in text
    assert text == snapshot


def test_enter_steps_into_a_finding() -> None:
    text = real_screen([*EXPLORED, "enter", "…step 41/41"])
    assert "A circle, nobody in it can move again" in text


def test_a_finding_is_stepped_back_through() -> None:
    assert "step 40/41" in real_screen([*EXPLORED, "enter", "…step 41/41", "left"])


def test_show_me_one_where() -> None:
    text = real_screen([*EXPLORED, "w", "=gc waits for mmap_lock", "enter", "…where gc waits"])
    assert "easiest way there" in text


def test_a_search_for_a_landmark_is_beside_the_screen_and_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hold_beside(monkeypatch)
    words = "=zero waits for mmap_lock to write"
    keys = [*EXPLORED[:1], "w", words, "enter", "…Searching for a way", "s", "…found so far"]
    text = real_screen(keys, "three-operations-beside-mprotect", "v6.9")
    assert f"states. Stopped: no way to “{words[1:]}” found so far." in " ".join(text.split())


def test_a_search_is_stopped_by_a_click_too(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_beside(monkeypatch)
    shelf = CourseShelf()
    app = UffdvizApp(shelf, shelf.open_scenario("copy"))

    async def main() -> None:
        async with app.run_test(size=SMALL) as pilot:
            shown = Shown(app, pilot)
            await shown.settle()
            rows = (await shown.press("x")).splitlines()
            y = next(i for i, row in enumerate(rows) if "s: stop" in row)
            await pilot.click(offset=(rows[y].index("s: stop") + 1, y))
            _ = await wait_for(shown, "Stopped: nothing found so far.")

    asyncio.run(main())


def test_what_the_first_search_has_found_stays_when_a_second_one_begins() -> None:
    text = real_screen([*EXPLORED, "w", "=gc done", "enter", "…easiest way there"])
    assert "where gc done" in text
    assert "L1: nobody can move" in text


def test_a_landmark_that_cannot_be_read_is_said() -> None:
    text = real_screen([*EXPLORED, "w", *"gx", "enter", "…gx"])
    assert "no task 'gx'" in text


@SIZES
def test_two_eras_side_by_side(size: Size, snapshot: SnapshotAssertion) -> None:
    keys = ["c", "enter", "…They part", "d"]
    text = real_screen(keys, "copy-meets-mprotect", "v6.9", size)
    assert "They part at step" in text
    assert "≠" in text
    assert text == snapshot


def test_one_keyboard_moves_both_eras() -> None:
    keys = ["c", "enter", "…They part", "end"]
    text = real_screen(keys, "copy-meets-mprotect", "v6.9")
    assert len(re.findall(r"over (\d+)/\1\b", text)) == 2
    text = real_screen([*keys, "home"], "copy-meets-mprotect", "v6.9")
    assert text.count("step 0/") == 2


BESIDE = ["c", "enter", "…They part"]
"""v6.9 on the left, v6.1 on the right."""


def test_a_digit_steps_that_task_on_both_sides() -> None:
    keys = [*BESIDE, "1", "…schedule 1/1", "2", "…schedule 2/2", "1", "…schedule 3/3"]
    text = real_screen(keys, "copy-meets-mprotect", "v6.9")
    assert text.count("step 3/") == 2
    back = real_screen([*keys, "left", "left"], "copy-meets-mprotect", "v6.9")
    assert "schedule 1/3" in back
    assert back.count("step 1/") == 2
    assert back.count("gc calls UFFDIO_COPY") == 2
    assert back.count("= so far") == 2


def test_the_run_goes_on_where_it_stood() -> None:
    text = real_screen(["1", "1", *BESIDE, "1", "…schedule 3/3"], "copy-meets-mprotect", "v6.9")
    assert text.count("step 3/") == 2


def test_a_digit_in_the_past_begins_another_schedule_there() -> None:
    keys = [*BESIDE, "1", "…schedule 1/1", "1", "…schedule 2/2", "left", "2", "…schedule 2/2"]
    text = real_screen(keys, "copy-meets-mprotect", "v6.9")
    assert text.count("app calls mprotect") == 2


def test_a_task_that_is_blocked_on_one_side_is_the_divergence() -> None:
    keys = ["k", "=gc x6; app x2", "enter", "…step 8/8", *BESIDE, "2", "…schedule 9/9"]
    text = real_screen(keys, "copy-meets-mprotect", "v6.9")
    assert "app cannot go on in v6.1: it waits for mmap_lock to write" in text
    assert "≠ left the schedule at choice 9: app cannot" in text
    again = real_screen([*keys, "left", "right"], "copy-meets-mprotect", "v6.9")
    assert "v6.1 cannot follow the schedule's choice 9" in again
    assert "timed order from there" in again


def test_a_side_that_has_left_the_schedule_is_not_asked_any_more() -> None:
    keys = ["k", "=gc x6; app x2", "enter", "…step 8/8", *BESIDE, "2", "…schedule 9/9"]
    text = real_screen([*keys, "2", "…schedule 10/10", "2"], "copy-meets-mprotect", "v6.9")
    assert "cannot go on" not in text
    assert "v6.1 cannot follow the schedule's choice 9" in text


def test_a_task_that_is_blocked_on_both_sides_takes_no_step() -> None:
    keys = ["k", "=gc x6; app x2", "enter", "…step 8/8", "c", "enter", "…They part"]
    text = real_screen([*keys, "2"], "copy-meets-mprotect", "v6.8")
    assert "app cannot take a step: v6.8: it waits for mmap_lock to write; v6.1: it waits" in text
    assert "schedule 8/8" in text


def test_w_shows_who_waits_for_whom_and_the_order_of_locks() -> None:
    text = real_screen([*LOST, "2", "w"])
    assert "● a circle: gc ▶ app ▶ gc" in text
    assert "and the other way round" in text


@SIZES
def test_i_explains_where_one_is(size: Size, snapshot: SnapshotAssertion) -> None:
    text = real_screen([*LOST, "i"], size=size)
    assert "mmap_lock" in text
    assert text == snapshot


def test_another_word_can_be_asked_for() -> None:
    assert "no explanation for 'zz'" in real_screen(["i", "slash", "z", "z", "enter"])


def test_a_word_that_is_clicked_with_the_right_button_is_explained() -> None:
    shelf = CourseShelf()

    async def act(shown: Shown) -> None:
        _ = await wait_for(shown, "map_changing_lock")
        at = next(i for i, row in enumerate(shown.text.splitlines()) if "map_changing_lock" in row)
        await shown.pilot.click("#locks", offset=(4, at - 1), button=3)
        _ = await wait_for(shown, "What this is")
        assert "│map_changing_lock" in shown.text

    app = UffdvizApp(shelf, shelf.open_scenario("copy-meets-mprotect"))

    async def main() -> None:
        async with app.run_test(size=LARGE) as pilot:
            await act(Shown(app, pilot))

    asyncio.run(main())


def test_slash_searches_in_what_happened_and_goes_round() -> None:
    keys = ["1", "1", "2", "home", "slash", *"app", "enter"]
    assert "step 3/3" in screen_after(keys, session())
    assert "step 3/3" in screen_after([*keys, "N"], session())


def test_a_search_for_nothing_says_so() -> None:
    assert "nothing that happened has 'zz'" in screen_after(
        ["1", "slash", "z", "z", "enter"], session()
    )


def test_a_lecture_shows_only_tasks_locks_and_now(snapshot: SnapshotAssertion) -> None:
    text = screen_after(["1", "1", "2", "2", "l"], session())
    assert "Timeline" not in text
    assert text == snapshot


def test_the_lecture_ends_with_the_same_key() -> None:
    assert screen_after(["1", "l", "l"], session()) == screen_after(["1"], session())


@pytest.mark.parametrize("key", ["o", "x", "c", "i"])
def test_where_nothing_can_be_asked_the_screen_says_so(key: str) -> None:
    assert "there is nothing to ask about this run" in screen_after([key], session())


LEFT = ["1", "1", "left", "2"]


def test_v_shows_the_tree_of_runs_and_where_one_is() -> None:
    text = screen_after([*LEFT, "v"], session())
    assert "○ the first run, 2 steps" in text
    assert "└ ● after step 1: app calls mprotect dst 4 pages r, 2 steps" in text


def test_both_branches_stay_and_one_can_go_to_and_fro() -> None:
    there = screen_after(["1", "1"], session())
    again = screen_after([*LEFT, "v", "up", "enter"], session())
    assert there.splitlines()[1:] == again.splitlines()[1:]
    assert "app calls mprotect" in screen_after(
        [*LEFT, "v", "up", "enter", "v", "down", "enter"], session()
    )


def test_a_run_can_be_named() -> None:
    assert "● odd  after step 1" in screen_after([*LEFT, "v", "n", *"odd", "enter"], session())


def test_a_token_opens_the_same_run_again() -> None:
    shelf = CourseShelf()
    run = shelf.open_scenario("copy")
    for choice in ("gc", "gc", "gc"):
        asyncio.run(run.step(choice))
    again = shelf.open_recording(run.token())
    assert [e.sentence for e in again.events] == [e.sentence for e in run.events]


def test_a_token_that_was_cut_off_is_refused() -> None:
    with pytest.raises(RecordingError, match="cut off or mistyped"):
        _ = CourseShelf().open_recording("uv1.abc")


def test_t_on_the_start_screen_opens_a_token() -> None:
    assert "step 0/0" in screen_after(["t", *"uv1", "enter"])
