"""Keys that come faster than the screen: each is dealt with in its turn, and once."""

import asyncio
from typing import Any

import pytest
from textual.events import Key
from textual.screen import Screen
from textual.widgets import Input

from tests.tui.screen import Shown, hurried, show
from tests.tui.settings import session


async def hurry(shown: Shown, *keys: str) -> None:
    with hurried():
        await shown.pilot.press(*keys)
    await shown.settle()


def name(screen: Screen[Any]) -> str:
    return type(screen).__name__


def stack_after(*keys: str) -> list[str]:
    found: list[str] = []

    async def act(shown: Shown) -> None:
        await hurry(shown, *keys)
        found.extend(map(name, shown.app.screen_stack))

    _ = show(act, session(3, 2))
    return found


def test_a_palette_is_opened_while_the_one_before_is_on_its_way_out() -> None:
    async def act(shown: Shown) -> None:
        _ = await shown.press("ctrl+p")
        for _ in range(3):
            palette = shown.app.screen
            _ = palette.dismiss()
            shown.app.action_command_palette()
            assert shown.app.screen is not palette
        await shown.settle()
        assert name(shown.app.screen) == "Palette"

    _ = show(act, session(3, 2))


def test_a_page_of_a_palette_that_was_just_opened_ends_nothing() -> None:
    assert stack_after("ctrl+p", "pagedown", "pagedown")[-1] == "Palette"


@pytest.mark.parametrize("opens", ["ctrl+p", "slash", "question_mark", "g"])
@pytest.mark.parametrize("times", [2, 5])
def test_each_escape_of_a_burst_closes_what_was_opened_before_it(opens: str, times: int) -> None:
    run = ["HomeScreen", "AskingScreen"]
    assert stack_after(*[opens, "escape"] * times) == run
    assert stack_after(*[opens, "escape"] * times, "escape") == run[:1]
    assert len(stack_after(*[opens, "escape"] * times, opens)) == 3


def test_what_is_typed_at_once_after_a_question_is_its_answer() -> None:
    async def act(shown: Shown) -> None:
        await hurry(shown, "slash", *"motion")
        assert shown.app.screen.query_one(Input).value == "motion"
        await hurry(shown, "escape", "ctrl+p", *"help")
        assert shown.app.screen.query_one(Input).value == "help"

    _ = show(act, session(3, 2))


def test_a_key_whose_widget_has_gone_holds_nobody_up() -> None:
    async def act(shown: Shown) -> None:
        app = shown.app
        _ = await shown.press("slash")
        gone = app.screen.query_one(Input)
        _ = await shown.press("escape")
        app.under_way, app.setting_out = Key("a", "a"), gone
        assert "step 1/1" in await shown.press("1")
        assert app.under_way is None

    _ = show(act, session(3, 2))


def test_the_key_that_always_quits_overtakes_one_that_is_held_up() -> None:
    async def act(shown: Shown) -> None:
        app = shown.app
        app.under_way, app.setting_out = Key("a", "a"), app.focused
        _ = await shown.press("1")
        assert "step 0/0" in shown.text
        await shown.pilot.press("ctrl+q")
        assert not app.is_running

    _ = show(act, session(3, 2))


def test_the_second_of_two_dismissals_is_not_for_the_screen_below() -> None:
    async def act(shown: Shown) -> None:
        _ = await shown.press("slash")
        dialog = shown.app.screen
        for _ in range(2):
            _ = dialog.dismiss()
        await asyncio.sleep(0)
        await shown.settle()
        assert name(shown.app.screen) == "AskingScreen"

    _ = show(act, session(3, 2))
