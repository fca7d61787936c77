"""Starts the application without a terminal, presses keys and reads what is shown."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from textual.pilot import Pilot

from tests.tui.settings import SmallShelf
from uffdviz.tui.app import UffdvizApp
from uffdviz.tui.session import Session

Size = tuple[int, int]
SMALL, MEDIUM, LARGE = (80, 24), (100, 30), (120, 40)


class Shown:
    """A running application: its pilot, and what can be read on its screen."""

    def __init__(self, app: UffdvizApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def text(self) -> str:
        """The whole screen as text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    async def press(self, *keys: str) -> str:
        """Press keys, one after the other. Returns: the screen then."""
        await self.pilot.press(*keys)
        await self.settle()
        return self.text

    async def settle(self) -> None:
        """Wait until everything that was asked for has been drawn."""
        for _ in range(3):
            await self.pilot.pause()


@contextmanager
def hurried() -> Iterator[None]:
    """Act like people, who do not wait until a program is idle; a pilot does after each key."""

    async def at_once(*_: float) -> None:
        await asyncio.sleep(0)

    with (
        patch("textual.app.wait_for_idle", at_once),
        patch("textual.pilot.wait_for_idle", at_once),
    ):
        yield


def show(
    act: Callable[[Shown], Awaitable[None]],
    session: Session | None = None,
    size: Size = LARGE,
    shelf: SmallShelf | None = None,
) -> UffdvizApp:
    """Run the application, act on it, end it."""
    app = UffdvizApp(shelf or SmallShelf(), session)

    async def main() -> None:
        async with app.run_test(size=size) as pilot:
            shown = Shown(app, pilot)
            await shown.settle()
            await act(shown)

    asyncio.run(main())
    return app


def screen_after(keys: Sequence[str], session: Session | None = None, size: Size = LARGE) -> str:
    """What is on the screen after some keys."""
    found: list[str] = []

    async def act(shown: Shown) -> None:
        found.append(await shown.press(*keys))

    show(act, session, size)
    return found[0]
