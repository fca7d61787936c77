"""ctrl+q ends the program from every screen; q does, or closes what lies on top."""

import asyncio

import pytest

from tests.tui.real import wait_for
from tests.tui.screen import Shown, screen_after
from uffdviz.course.shelf import CourseShelf
from uffdviz.tui.app import UffdvizApp

DIALOGS = {
    "palette": ["ctrl+p"],
    "a text field": ["g"],
    "explore": ["x"],
    "explain": ["1", "1", "i"],
    "compare": ["c"],
    "help": ["question_mark"],
    "runs": ["1", "left", "2", "v"],
    "start": ["escape"],
}
FIELDS = {"palette", "a text field"}
QUESTIONS = sorted(DIALOGS.keys() - FIELDS - {"start"})


def status_after(keys: list[str], scenario: str = "move-meets-mprotect", words: str = "") -> str:
    """What is shown after keys: `quit`, or the name of the screen on top."""
    shelf = CourseShelf()
    app = UffdvizApp(shelf, shelf.open_scenario(scenario))
    found: list[str] = []

    async def main() -> None:
        async with app.run_test(size=(100, 30)) as pilot:
            shown = Shown(app, pilot)
            await shown.settle()
            *before, last = keys
            for key in before:
                await shown.press(key)
            if words:
                await wait_for(shown, words)
            await pilot.press(last)
            for _ in range(100):
                if app._exit:
                    break
                await pilot.pause(0.01)
            found.append("quit" if app._exit else type(app.screen).__name__)

    asyncio.run(main())
    return found[0]


@pytest.mark.parametrize("where", DIALOGS)
def test_ctrl_q_ends_the_program_from_everywhere(where: str) -> None:
    assert status_after([*DIALOGS[where], "ctrl+q"]) == "quit"


def test_ctrl_q_ends_the_program_during_a_long_search() -> None:
    assert status_after(["x", "ctrl+q"], "compaction", "Searching every order") == "quit"


@pytest.mark.parametrize("where", QUESTIONS)
def test_q_closes_what_lies_on_top(where: str) -> None:
    assert status_after([*DIALOGS[where], "q"]) == "AskingScreen"


def test_q_is_a_letter_in_a_field() -> None:
    assert status_after(["g", "q"]) == "PromptScreen"


def test_q_ends_the_program_where_nothing_lies_on_top() -> None:
    assert status_after(["q"]) == "quit"
    assert status_after(["escape", "q"]) == "quit"
    assert status_after(["question_mark", "q", "escape"]) == "HomeScreen"


def test_the_help_says_so() -> None:
    text = screen_after(["question_mark", "end"])
    assert "over a question: close it" in text
    assert "ctrl+q quits anywhere" in text
