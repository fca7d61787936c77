"""Keys are pressed and the screen is read."""

import pytest

from tests.tui.screen import LARGE, MEDIUM, SMALL, Shown, screen_after, show
from tests.tui.settings import SmallShelf, lesson, session
from uffdviz.tui.screens.run import RunScreen
from uffdviz.tui.widgets.panels import Narration

STANDSTILL = ["1", "1", "2", "2", "1", "2"]


def test_a_digit_steps_that_task() -> None:
    assert "app calls mprotect" in screen_after(["2"], session())


def test_right_steps_whoever_is_due_first() -> None:
    assert "gc calls UFFDIO_COPY" in screen_after(["right"], session())


def test_left_takes_the_last_step_back() -> None:
    before = screen_after(["1"], session())
    after = screen_after(["1", "2", "left"], session())
    assert "step 1/2" in after
    assert "in the past" in after
    assert before.splitlines()[1] == after.splitlines()[1]


def test_going_right_again_is_where_one_was() -> None:
    there = screen_after(["1", "1", "2", "2"], session())
    again = screen_after(["1", "1", "2", "2", "left", "left", "left", "n", "n", "n"], session())
    assert there == again


def test_another_choice_in_the_past_keeps_both_runs() -> None:
    text = screen_after(["1", "1", "left", "2"], session())
    assert "step 2/2" in text
    assert "2 runs" in text


def test_home_and_end_go_to_the_beginning_and_the_end() -> None:
    assert "step 0/3" in screen_after(["1", "1", "2", "home"], session())
    assert "step 3/3" in screen_after(["1", "1", "2", "home", "end"], session())


def test_brackets_go_from_lock_event_to_lock_event() -> None:
    text = screen_after(["1", "1", "1", "2", "left_square_bracket"], session())
    assert "gc holds vma dst for read" in text


def test_a_blocked_task_says_why_behind_whom_and_where_in_the_queue() -> None:
    text = screen_after(STANDSTILL, session())
    assert "BLOCKED waits for vma dst to read; behind app" in text
    assert "first in the queue" in text


def test_a_standstill_is_told_as_a_circle() -> None:
    text = screen_after(STANDSTILL, session())
    assert "A circle, nobody in it can move again: gc waits for vma dst, behind app" in text
    assert "Nobody can move" in text


def test_a_blocked_task_cannot_be_stepped_and_the_screen_says_why() -> None:
    text = screen_after([*STANDSTILL[:5], "1"], session())
    assert "gc cannot take a step" in text


def test_a_task_that_is_not_there_is_said_so() -> None:
    assert "there is no task 7" in screen_after(["7"], session())


def test_b_plays_the_next_block_of_the_lesson() -> None:
    assert "gc holds mmap_lock for read" in screen_after(["b"], lesson())


def test_a_question_is_asked_before_its_block_is_played() -> None:
    text = screen_after(["b", "b"], lesson())
    assert "What happens when gc goes on?" in text
    assert "step 2/2" in text


def test_an_answer_is_judged_and_the_reason_given() -> None:
    text = screen_after(["b", "b", "1"], lesson())
    assert "✗ 1 It copies." in text
    assert "✓ 2 It waits for app." in text
    assert "a reader has to wait" in text


def test_a_lesson_that_is_left_says_where() -> None:
    assert "you left the lesson at step 2" in screen_after(["b", "1", "b", "escape", "b"], lesson())


def test_a_lesson_read_to_its_end_is_remembered() -> None:
    shelf = SmallShelf()

    async def act(shown: Shown) -> None:
        await shown.press("b", "b", "2", "b", "b")

    show(act, lesson(), shelf=shelf)
    assert shelf.finished == ["two-orders"]


def test_g_goes_to_a_step_by_its_number() -> None:
    assert "step 2/4" in screen_after(["1", "1", "2", "2", "g", "2", "enter"], session())


def test_r_begins_again_and_keeps_the_run() -> None:
    text = screen_after(["1", "1", "r"], session())
    assert "step 0/0" in text
    assert "2 runs" in text


def test_v_goes_back_to_a_run_that_was_left() -> None:
    assert "step 2/2" in screen_after(["1", "1", "r", "v", "up", "enter"], session())


def test_s_saves_a_recording(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    assert "Recording saved as" in screen_after(["1", "1", "s"], session())
    saved = list(folder.rglob("*.jsonl"))
    assert len(saved) == 1
    assert len(saved[0].read_text().splitlines()) == 4


def test_space_plays_until_nobody_can_move() -> None:
    one = session(tasks=1, calls=1)

    async def act(shown: Shown) -> None:
        await shown.press(*["plus"] * 5, "space")
        for _ in range(200):
            await shown.pilot.pause(0.01)
            if "Everybody is done" in shown.text:
                break
        assert "Everybody is done" in shown.text

    show(act, one)
    assert one.events[-1].fact == "Finished"


def test_quitting_while_it_plays_leaves_no_run_behind() -> None:
    async def act(shown: Shown) -> None:
        await shown.press("space", "q")

    assert show(act, session()).return_code == 0


def test_escape_goes_back_to_the_start_screen_and_ends_the_run() -> None:
    assert "Course and sandbox" in screen_after(["1", "escape"], session())


def test_enter_opens_the_lit_lesson() -> None:
    assert "Two locks, two orders  v6.9" in screen_after(["enter"])


def test_a_scenario_can_be_opened_under_another_kernel() -> None:
    assert "under which kernel" in screen_after(["end", "e"])


def test_the_palette_finds_commands_by_their_words() -> None:
    text = screen_after(["ctrl+p", *"Step gc"], session())
    assert "Step gc" in text


def test_a_click_on_a_task_steps_it() -> None:
    async def act(shown: Shown) -> None:
        await shown.pilot.click("#tasks", offset=(4, 2))
        await shown.settle()
        assert "app calls mprotect" in shown.text

    show(act, session())


def test_a_click_on_the_timeline_goes_there() -> None:
    async def act(shown: Shown) -> None:
        await shown.press("1", "1", "1", "1")
        await shown.pilot.click("#timeline", offset=(60, 2))
        await shown.settle()
        assert "step 2/4" in shown.text

    show(act, session())


def test_a_click_on_a_panel_name_brings_it_to_the_front() -> None:
    async def act(shown: Shown) -> None:
        await shown.pilot.click("#timeline", offset=(32, 0))
        await shown.settle()
        assert "[Memory]" in shown.text

    show(act, session(), SMALL)


def test_a_click_on_a_key_presses_it() -> None:
    async def act(shown: Shown) -> None:
        await shown.pilot.click("#keys", offset=(16, 0))
        await shown.settle()
        assert "step 1/1" in shown.text

    show(act, session())


def test_a_resize_loses_nothing() -> None:
    async def act(shown: Shown) -> None:
        before = await shown.press("1", "1", "2")
        for size in (SMALL, (20, 6), MEDIUM, (300, 90), LARGE):
            await shown.pilot.resize_terminal(*size)
            await shown.settle()
        assert shown.text == before

    show(act, session())


def test_every_theme_can_be_worn() -> None:
    async def act(shown: Shown) -> None:
        for theme in ("light", "high-contrast", "no-colour", "dark"):
            shown.app.theme = theme
            await shown.settle()
            assert "Tasks" in shown.text

    show(act, session())


def test_without_colour_the_words_still_say_it(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = screen_after(STANDSTILL, session())
    monkeypatch.setenv("NO_COLOR", "1")
    assert screen_after(STANDSTILL, session()) == coloured


def test_the_narration_is_in_sight_when_a_lesson_begins() -> None:
    async def act(shown: Shown) -> None:
        screen = shown.app.screen
        assert isinstance(screen, RunScreen)
        assert screen.query_one(Narration).display
        assert "copies a page" in shown.text

    show(act, lesson(), SMALL)


def test_an_enlarged_panel_gives_way_to_the_next_one() -> None:
    text = screen_after(["f", "t"], session(), SMALL)
    assert "[Memory]" in text


def test_the_newest_part_of_a_page_shows_the_reason_of_an_answer() -> None:
    assert "a reader has to wait" in screen_after(["b", "b", "2"], lesson(), SMALL)


def test_keys_can_be_remapped_in_a_file(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("config")
    (folder / "uffdviz").mkdir()
    (folder / "uffdviz" / "keys.toml").write_text('step = "l,right"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    assert "step 2/2" in screen_after(["l", "right"], session())


def test_the_signs_on_a_border_enlarge_and_hide() -> None:
    async def act(shown: Shown) -> None:
        line = shown.text.splitlines()[1]
        assert "Tasks [+][×]" in line
        await shown.pilot.click("#tasks", offset=(line.index("[×]") + 1, 0))
        await shown.settle()
        assert "Tasks is hidden: U shows every panel again" in shown.text
        line = next(one for one in shown.text.splitlines() if "[+][×]" in one)
        await shown.pilot.click("#graph", offset=(line[60:].index("[+]") + 1, 0))
        await shown.settle()
        assert "[-][×]" in shown.text
        assert "Locks ─" not in shown.text
        await shown.pilot.click("#graph", offset=(shown.text.index("[-]") + 1, 0))
        await shown.settle()
        assert "Locks ─" in shown.text

    show(act, session())


def test_what_is_hidden_comes_back_by_its_name() -> None:
    text = screen_after(["tab", "tab", "H"], session())
    assert "Source is hidden" in text

    async def act(shown: Shown) -> None:
        assert "─ Source" not in shown.text
        await shown.app.screen.run_action("bring('source')")
        await shown.settle()
        assert "─ Source" in shown.text

    show(act, session())


def test_now_and_the_last_panel_of_a_deck_stay() -> None:
    assert "Now stays" in screen_after(["shift+tab", "H"], session())
    text = screen_after(["tab", "tab", *"HHHHHHH"], session(), SMALL)
    assert "it is the only one that is left in its place" in text
    assert "─ Tasks" in text


def test_b_and_capital_b_go_from_block_to_block() -> None:
    keys = ["b", "b", "2", "b", "b"]
    assert "step 6/6" in screen_after(keys, lesson())
    assert "step 5/6" in screen_after([*keys, "B"], lesson())
    assert "step 2/6" in screen_after([*keys, "B", "B"], lesson())
    text = screen_after([*keys, "B", "B", "B", "B"], lesson())
    assert "step 0/6" in text
    assert "there is none further back" in text


def test_capital_w_goes_on_to_where_a_task_has_to_wait_and_capital_e_back() -> None:
    text = screen_after(["1", "1", "2", "2", "W"], session())
    assert "gc waits for vma dst to read" in text
    assert "step 5/5" in text
    more = screen_after(["1", "1", "2", "2", "W", "W", "E"], session())
    assert "step 5/6" in more
    assert "gc waits for vma dst to read" in more
    assert "step 6/6" in screen_after(["1", "1", "2", "2", "W", "W", "home", "W", "W"], session())


def test_where_nobody_has_to_wait_any_more_the_end_is_shown() -> None:
    text = screen_after(["W"], session(tasks=1))
    assert "nobody has to wait any more: E goes back" in text
    assert "Everybody is done" in text


async def click_on(shown: Shown, words: str) -> None:
    rows = shown.text.splitlines()
    y = next(i for i, row in enumerate(rows) if words in row)
    await shown.pilot.click(offset=(rows[y].index(words) + 1, y))
    await shown.settle()


def test_the_keys_below_a_question_can_be_clicked() -> None:
    async def act(shown: Shown) -> None:
        await shown.press("1", "left", "2", "v")
        await click_on(shown, "n: name it")
        assert "a name for this run" in shown.text
        await click_on(shown, "esc: stay")
        assert "a name for this run" not in shown.text
        await click_on(shown, "esc: stay")
        assert "Runs" not in shown.text
        await shown.press("g")
        await click_on(shown, "esc: cancel")
        assert "Go to step" not in shown.text

    show(act, session())
