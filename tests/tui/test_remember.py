"""How somebody has arranged the screen is remembered: each choice is there the next time."""

import pytest
from textual.widgets import Input

from tests.tui.screen import LARGE, MEDIUM, SMALL, Shown, screen_after, show
from tests.tui.settings import lesson, session
from uffdviz.tui.remember import path, remember, remembered, trouble
from uffdviz.tui.screens.help import HelpText


def lines_of(text: str) -> list[str]:
    """The file of what is remembered, written and read again."""
    path().parent.mkdir(parents=True, exist_ok=True)
    _ = path().write_text(text)
    return path().read_text().splitlines()


def test_a_choice_is_kept_beside_the_others() -> None:
    remember("theme", value="light")
    remember("small", "front", value="totals")
    assert remembered() == {"theme": "light", "small": {"front": "totals"}}


def test_comments_and_what_others_wrote_stay() -> None:
    before = lines_of('# mine\ntheme = "dark" # at night\ncolour = 7\n\n[small]\nown = 1\n')
    remember("small", "hidden", value=["totals"])
    remember("motion", value="off")
    after = path().read_text().splitlines()
    assert [line for line in before if line in after] == before
    assert remembered()["small"] == {"hidden": ["totals"]}
    assert remembered()["motion"] == "off"


def test_the_panel_in_front_is_there_again_in_that_layout() -> None:
    assert "[Memory]" in screen_after(["t"], session(), SMALL)
    assert "[Memory]" in screen_after([], session(), SMALL)
    assert "[Memory]" not in screen_after([], session(), MEDIUM)


def test_a_hidden_panel_is_hidden_the_next_time_and_in_that_layout_only() -> None:
    assert "─ Locks" not in screen_after(["tab", "H"], session(), SMALL)
    text = screen_after([], session(), SMALL)
    assert "─ Locks" not in text
    assert "U show all" in text
    assert "─ Locks" in screen_after([], session(), LARGE)
    assert "─ Locks" in screen_after(["U"], session(), SMALL)
    assert "─ Locks" in screen_after([], session(), SMALL)


def test_an_enlarged_panel_is_so_the_next_time() -> None:
    large = screen_after(["f"], session(), SMALL)
    assert "Locks" not in large
    assert screen_after([], session(), SMALL) == large
    assert "Locks" in screen_after(["f"], session(), SMALL)
    assert "Locks" in screen_after([], session(), SMALL)


def test_a_lecture_and_the_speed_go_on() -> None:
    assert "Timeline" not in screen_after(["l"], session())
    assert "Timeline" not in screen_after([], session())
    assert "Timeline" in screen_after(["l"], session())
    assert "a step every 0.1 s" in screen_after(["plus", "plus"], session())
    assert "a step every 0.05 s" in screen_after(["plus"], session())


def test_the_page_of_a_lesson_is_never_hidden_when_it_begins() -> None:
    remember("small", "hidden", value=["narration"])
    assert "Narration" not in screen_after([], session(), SMALL)
    assert "[Narration]" in screen_after([], lesson(), SMALL)


def test_a_theme_is_worn_again() -> None:
    async def act(shown: Shown) -> None:
        shown.app.action_dress("light")

    show(act, session())
    assert show(act, session()).theme == "light"


def test_motion_stays_off() -> None:
    async def act(shown: Shown) -> None:
        await shown.press("m")

    app = show(act, session())
    assert app.animation_level == "none"

    async def look(shown: Shown) -> None:
        assert shown.app.animation_level == "none"
        await shown.press("slash")
        assert not shown.app.screen.query_one(Input).cursor_blink
        await shown.press("escape", "m", "slash")
        assert shown.app.screen.query_one(Input).cursor_blink

    show(look, session())


def test_without_motion_a_key_scrolls_at_once() -> None:
    async def act(shown: Shown) -> None:
        await shown.press("m", "question_mark")
        text = shown.app.screen.query_one(HelpText)
        await shown.pilot.press("pagedown")
        assert text.scroll_y > 5
        assert text.scroll_y == text.scroll_target_y

    show(act, session(), SMALL)


WRONG = {
    "theme = [": "nothing is remembered until that is mended",
    'theme = "lihgt"': "did you mean 'light'?",
    "small = 1": "small is to be a table",
    '[small]\nfront = "tasks"': "small.front = 'tasks' is none of narration",
    '[large]\nhidden = ["now"]': "large.hidden = ['now'] is none of",
    "speed = 3": "speed = 3 is none of 2.0, 1.0",
}


@pytest.mark.parametrize("text", WRONG, ids=list(WRONG.values()))
def test_a_file_that_is_wrong_is_told_in_one_line_and_nothing_is_lost(text: str) -> None:
    before = lines_of(f"# mine\n{text}\n")
    assert WRONG[text] in trouble()
    assert "\n" not in trouble()

    async def act(shown: Shown) -> None:
        assert "Tasks" in await shown.press("t", "tab", "H")

    said = [one.message for one in show(act, session())._notifications]
    assert len([words for words in said if WRONG[text] in words]) == 1
    after = path().read_text().splitlines()
    assert after[: len(before)] == before or 'hidden = ["locks"]' in after


def test_a_file_that_cannot_be_read_is_left_alone() -> None:
    before = lines_of("theme = [")
    remember("theme", value="light")
    assert path().read_text().splitlines() == before
    assert remembered() == {}
