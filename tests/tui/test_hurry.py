"""Keys that come faster than the screen: each is dealt with in its turn, and once."""

import asyncio
from typing import Any

from textual.screen import Screen

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
