"""Any keys, clicks and resizes on what was shipped: nothing breaks, and nothing is left behind."""

import asyncio
import random
import threading
from functools import partial
from pathlib import Path

import pytest

from benchmarks.recording import record
from tests.tui.screen import Shown, hurried
from tests.tui.test_random import KEYS, any_action, assert_alive, take
from uffdviz.course.shelf import CourseShelf
from uffdviz.run.read_scenario import shipped
from uffdviz.tui.app import UffdvizApp
from uffdviz.tui.keys import RACE
from uffdviz.tui.screens.race import RaceScreen
from uffdviz.tui.screens.sweep import SweepScreen
from uffdviz.tui.session import Session

SEED = 5
EVENTS = 100_000
OPENING = ["o", "x", "enter", "c", "w", "i", "l", "v", "slash"]
RACE_KEYS = sorted(
    {key for row in RACE for key in row.keys.split(",")} | {"up", "down", "tab", *"w=012"}
)
"""With what an answer to the question what to vary is made of."""
ALL = sorted(shipped())


async def act(shown: Shown, chance: random.Random, actions: int) -> None:
    with hurried():
        for _ in range(actions):
            await take(shown, any_action(chance, KEYS + OPENING))
    await assert_alive(shown)


def try_scenario(name: str, seed: str, actions: int) -> None:
    try_session(CourseShelf().open_scenario(name), seed, actions)


def try_recording(folder: Path, seed: str, actions: int) -> None:
    path = folder / "long.jsonl"
    assert record(path, EVENTS) > EVENTS
    try_session(CourseShelf().open_recording(str(path)), seed, actions)


def try_session(session: Session, seed: str, actions: int) -> None:
    app = UffdvizApp(CourseShelf(), session)

    async def main() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            shown = Shown(app, pilot)
            await shown.settle()
            await act(shown, random.Random(seed), actions)

    asyncio.run(main())
    assert not [t for t in threading.enumerate() if "Beside" in t.name]


async def act_in_a_race(shown: Shown, chance: random.Random, actions: int) -> None:
    with hurried():
        for _ in range(actions):
            await take(shown, any_action(chance, RACE_KEYS))
            if len(shown.app.screen_stack) == 1:
                _ = shown.app.push_screen(a_race_or_a_sweep(chance))
    await shown.pilot.resize_terminal(120, 40)
    while len(shown.app.screen_stack) > 1:
        await shown.app.pop_screen()
    await shown.settle()
    assert "Course" in shown.text


def a_race_or_a_sweep(chance: random.Random) -> RaceScreen | SweepScreen:
    shelf = CourseShelf()
    workload = shelf.workload("compaction")
    if chance.random() < 0.2:
        return SweepScreen(workload, workload.sweep("writer=0..1"))
    return RaceScreen(workload, shelf.eras(), partial(shelf.workload, "compaction"))


def try_races(seed: str, actions: int) -> None:
    app = UffdvizApp(CourseShelf())

    async def main() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            shown = Shown(app, pilot)
            await shown.settle()
            await act_in_a_race(shown, random.Random(seed), actions)

    asyncio.run(main())
    assert not [t for t in threading.enumerate() if "Beside" in t.name]


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path_factory.mktemp("own")))


@pytest.mark.parametrize("name", ALL)
def test_a_hundred_actions_on_a_scenario(name: str) -> None:
    try_scenario(name, f"{SEED} {name}", 100)


def test_a_hundred_actions_on_a_long_recording(tmp_path: Path) -> None:
    try_recording(tmp_path, f"{SEED} recording", 100)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_thousand_actions_on_a_long_recording(tmp_path: Path) -> None:
    try_recording(tmp_path, "long recording", 2000)


def test_a_hundred_actions_in_races() -> None:
    try_races(f"{SEED} race", 100)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_thousand_actions_in_races() -> None:
    try_races("long race", 2000)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ALL)
def test_two_thousand_actions_on_every_scenario(name: str) -> None:
    try_scenario(name, f"long {name}", 2000)
