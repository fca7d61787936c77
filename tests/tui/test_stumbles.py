"""What somebody stumbled over who did not know the program: see docs/walkthrough.md."""

import asyncio

import pytest

from tests.tui.screen import LARGE, SMALL, Shown, show
from tests.tui.settings import lesson, session
from uffdviz.course.shelf import CourseShelf
from uffdviz.tui.app import UffdvizApp
from uffdviz.tui.screens.home import HomeScreen


@pytest.mark.parametrize(
    ("word", "shows"),
    [
        ("open", "step 0/0"),
        ("kernel", "a lesson or a recording has its own kernel"),
        ("race", "only a scenario can be raced"),
        ("search", "Search in titles"),
        ("help", "the runs that you saved"),
        ("menu", "Search for commands"),
        ("token", "Paste the token"),
    ],
)
def test_a_key_of_the_start_screen_is_pressed_by_a_click(word: str, shows: str) -> None:
    async def act(shown: Shown) -> None:
        row = shown.text.splitlines()[-1]
        assert await shown.pilot.click(offset=(row.index(word) + 1, 39))
        await shown.settle()
        assert shows in f"{shown.text} {[one.message for one in shown.app._notifications]}"

    show(act)


def test_quit_on_the_start_screen_is_pressed_by_a_click() -> None:
    async def act(shown: Shown) -> None:
        row = shown.text.splitlines()[-1]
        assert await shown.pilot.click(offset=(row.index("q quit"), 39))
        assert not shown.app.is_running

    show(act)


def test_home_and_end_are_for_the_run_where_a_panel_could_scroll_too() -> None:
    async def act(shown: Shown) -> None:
        text = await shown.press("b", "b", "escape", "b", "tab", "shift+tab")
        assert shown.app.focused is not None
        assert shown.app.focused.id == "narration"
        assert "↓ more" in text or "▇" in text
        assert "step 0/5" in await shown.press("home")
        assert "step 5/5" in await shown.press("end")

    show(act, lesson(), (80, 22))


def test_a_page_says_that_it_goes_on_and_by_which_key() -> None:
    async def act(shown: Shown) -> None:
        assert "↓ more" in await shown.press("b")
        assert "more below" in await shown.press("shift+tab")
        text = await shown.press("tab", *["down"] * 20)
        assert "more" not in text
        assert "b plays this" in text

    show(act, lesson(), SMALL)


@pytest.mark.parametrize("key", ["j", "f5", "G", "at"])
def test_a_key_that_does_nothing_says_so(key: str) -> None:
    async def act(shown: Shown) -> None:
        assert "does nothing here: ? says which keys do something" in await shown.press(key)
        assert "does nothing" not in await shown.press("1")
        assert "does nothing" not in await shown.press("up", "tab", "escape")

    show(act, session(2, 2))


def test_letters_in_a_field_and_keys_of_a_question_are_not_said_to_do_nothing() -> None:
    async def act(shown: Shown) -> None:
        _ = await shown.press("slash", "j", "escape", "v", "question_mark", "j", "escape")
        assert "does nothing" not in shown.text

    show(act, session(2, 2))


def test_a_key_that_does_nothing_on_the_start_screen_says_so_once() -> None:
    async def act(shown: Shown) -> None:
        _ = await shown.press("x", "j")
        (said,) = [one.message for one in shown.app._notifications]
        assert said.startswith("j does nothing here")

    show(act)


def test_a_search_in_titles_goes_on_and_finds_a_name_itself_first() -> None:
    async def act(shown: Shown) -> None:
        home = shown.app.screen
        assert isinstance(home, HomeScreen)
        lit = []
        for words in ("move-meets-mprotect", "move-meets-m", "move-meets-m", "move-meets-m"):
            _ = await shown.press("slash", *words, "enter")
            lit.append(home.lit()[1])
        before = "move-meets-mprotect-and-munmap-of-source"
        assert lit == ["move-meets-mprotect", "move-meets-munmap", before, lit[0]]

    app = UffdvizApp(CourseShelf())

    async def main() -> None:
        async with app.run_test(size=LARGE) as pilot:
            shown = Shown(app, pilot)
            await shown.settle()
            await act(shown)

    asyncio.run(main())
