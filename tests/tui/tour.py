"""A walk through every screen and panel: what is shown at each place, by its name."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.events import Paste

from tests.tui.real import wait_for
from tests.tui.screen import Shown, Size
from tests.tui.settings import SmallShelf, lesson, session
from uffdviz.course.shelf import CourseShelf
from uffdviz.tui.app import UffdvizApp
from uffdviz.tui.screens.layout import DECK, PANELS

Pictures = dict[str, str]
STANDSTILL = ("1", "1", "2", "2", "1", "2")
SOLUTION = "ui until holds mmap_lock for read; app until waits for mmap_lock to write"


class Walk:
    """Goes on, and keeps what is shown under a name."""

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        self.pictures: Pictures = {}

    async def to(self, name: str, *keys: str) -> None:
        """Press keys; `…words` waits for words, `=words` pastes, `:action` is what a command does."""
        for key in keys:
            match key[0] if len(key) > 1 else "":
                case "…":
                    _ = await wait_for(self.shown, key[1:])
                case "=":
                    assert self.shown.app.screen.focused is not None
                    self.shown.app.screen.focused.post_message(Paste(key[1:]))
                case ":":
                    await self.shown.app.screen.run_action(key[1:])
                case _:
                    await self.shown.pilot.press(key)
            await self.shown.settle()
        assert name not in self.pictures
        self.pictures[name] = self.shown.text


async def start(walk: Walk) -> None:
    """The start screen, and what can be asked there."""
    await walk.to("home", "…Course and sandbox")
    await walk.to("home, help", "question_mark")
    await walk.to("home, search", "escape", "slash")
    await walk.to("home, token", "escape", "t")
    await walk.to("home, kernels", "escape", "end", "e")
    await walk.to("home, menu", "escape", "ctrl+p", "…Theme: dark")


async def run(walk: Walk) -> None:
    """A run: each panel in front, enlarged, hidden; and everything on top of it."""
    await walk.to("run", "…step 0/0")
    await walk.to("standstill", *STANDSTILL)
    for panel in DECK:
        await walk.to(f"{panel} in front", f":bring({panel!r})")
    for panel in PANELS:
        await walk.to(f"{panel} enlarged", f":bring({panel!r})", "f")
        await walk.shown.press("f")
    await walk.to("two hidden", ":hide('locks')", ":hide('memory')")
    await walk.to("lecture", "U", "l")
    await walk.to("in the past", "l", ":bring('timeline')", "left", "left")
    await walk.to("zoomed", "z")
    await walk.to("refused", "Z", "home", "7")
    await walk.to("go to", "g")
    await walk.to("search", "escape", "slash")
    await walk.to("found", "=waits", "enter")
    await walk.to("another run", "home", "2")
    await walk.to("runs", "v")
    await walk.to("runs, name", "n")
    await walk.to("help", "escape", "escape", "question_mark")
    await walk.to("help, further", "pagedown")
    await walk.to("menu", "escape", "ctrl+p", "…Another hint")


async def page(walk: Walk) -> None:
    """A lesson: its page, a question, the answer, the end."""
    await walk.to("lesson", "…Two locks")
    await walk.to("lesson, one block on", "b")
    await walk.to("lesson, question", "b")
    await walk.to("lesson, answer", "1")
    await walk.to("lesson, end", "b", "b")


async def asked(walk: Walk) -> None:
    """What is asked beside a run: oracle, search, explanation, another kernel."""
    await walk.to("oracle", *["2"] * 6, "o", "…oracle ●")
    await walk.to("explain", "i")
    await walk.to("explain, other", "slash", "=mmap_changing", "enter")
    await walk.to("schedule", "escape", "k")
    await walk.to("explore", "escape", "o", "x", "…That is all")
    await walk.to("explore, where", "w")
    await walk.to("explore, found", "=gc done", "enter", "…easiest way")
    await walk.to("kernels", "escape", "c")
    await walk.to("compare", "enter", "…They part")
    await walk.to("compare, steered", "1", "…schedule 7/7", "1", "…schedule 8/8")
    await walk.to("compare, parted", "d")
    await walk.to("compare, end", "end")
    await walk.to("compare, help", "question_mark")


async def goals(walk: Walk) -> None:
    """The goals of a lesson: a run towards one, and what the search judges."""
    await walk.to("goal on the page", "…step 0/0", "b", "b", "…Before you", "1", "b", "b")
    await walk.to("goal", "enter", "…the goal")
    await walk.to("goal, hint", "h")
    await walk.to("goal, reached", "k", f"={SOLUTION}", "enter", "…✓ reached", "…search's way")
    await walk.to("proof on the page", "enter", "…enter goal")
    await walk.to("proof", "enter", "…Does it hold")
    await walk.to("proof, judged", "enter", "…✓ Proved")
    await walk.to("lesson done", "enter", "…Done")


async def walked(app: UffdvizApp, size: Size, walk: Callable[[Walk], Awaitable[None]]) -> Pictures:
    """Start the application and go."""
    async with app.run_test(size=size) as pilot:
        one = Walk(Shown(app, pilot))
        await one.shown.settle()
        await walk(one)
        return one.pictures


def small(size: Size) -> Pictures:
    """Everything that the toy kernel can show."""
    apps = (
        (UffdvizApp(SmallShelf()), start),
        (UffdvizApp(SmallShelf(), session()), run),
        (UffdvizApp(SmallShelf(), lesson()), page),
    )
    pictures: Pictures = {}
    for app, walk in apps:
        pictures |= asyncio.run(walked(app, size, walk))
    return pictures


def real(size: Size) -> Pictures:
    """What needs a search and other kernels."""
    shelf = CourseShelf()
    scenario = shelf.open_scenario("move-meets-mprotect", "series-v4")
    pictures = asyncio.run(walked(UffdvizApp(shelf, scenario), size, asked))
    learner = UffdvizApp(shelf, shelf.open_lesson("20-a-reader-behind-a-waiting-writer"))
    return pictures | asyncio.run(walked(learner, size, goals))
