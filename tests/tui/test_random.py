"""Any keys, clicks and resizes, in any order: nothing breaks."""

import random
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from textual.errors import NoWidget

from tests.tui.screen import Shown, hurried, show
from tests.tui.settings import lesson, session
from uffdviz.tui.keys import RUN

KEYS = sorted(
    {key for row in RUN for key in row.keys.split(",")} - {"q", "ctrl+q", "escape", "y"}
    | {"tab", "shift+tab", "enter", "up", "down", "pagedown", "ctrl+p"}
)
SIZES = [(80, 24), (120, 40), (100, 30), (1, 1), (10, 3), (40, 12), (200, 60), (80, 24)]
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # a run takes seconds: no shrinking
ACTION = st.one_of(
    st.sampled_from(KEYS),
    st.sampled_from(SIZES),
    st.tuples(st.just("click"), st.integers(0, 119), st.integers(0, 39)),
)


def any_action(chance: random.Random, keys: Sequence[str]) -> object:
    """A key, mostly; else a click or another size."""
    kind = chance.random()
    if kind < 0.75:
        return chance.choice(keys)
    if kind < 0.95:
        return "click", chance.randrange(120), chance.randrange(40)
    return chance.choice(SIZES)


async def act_at_random(shown: Shown, actions: list[object]) -> None:
    with hurried():
        for action in actions:
            await take(shown, action)
    await assert_alive(shown)


async def take(shown: Shown, action: object) -> None:
    match action:
        case str():
            await shown.pilot.press(action)
        case (int() as width, int() as height):
            await shown.pilot.resize_terminal(width, height)
        case (_, int() as x, int() as y):
            width, height = shown.app.size
            with suppress(NoWidget):  # the pilot seeks it before the screen is laid out
                await shown.pilot.click(offset=(min(x, width - 1), min(y, height - 1)))
        case _:
            raise AssertionError(action)


async def assert_alive(shown: Shown) -> None:
    """Leave what lies above, show what was hidden: then there is something to read."""
    if not shown.app.is_running:
        return  # there was a click on "q quit"; what fails is raised at the end of run_test()
    await shown.pilot.resize_terminal(120, 40)
    await shown.settle()
    for _ in range(3 * len(shown.app.screen_stack)):  # a field, an enlarged panel, then the screen
        if len(shown.app.screen_stack) > 2:
            _ = await shown.press("escape")
    assert len(shown.app.screen_stack) <= 2, shown.text
    shown.app.screen.minimize()
    _ = await shown.press("U")
    assert "─ Now" in shown.text or "Course" in shown.text


@pytest.fixture
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))


def try_actions(actions: list[object], *, scripted: bool) -> None:
    async def act(shown: Shown) -> None:
        await act_at_random(shown, actions)

    show(act, lesson() if scripted else session(3, 2))


@pytest.mark.usefixtures("own_folders")
@settings(
    max_examples=3,
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(ACTION, min_size=100, max_size=100), st.booleans())
def test_a_hundred_random_actions(actions: list[object], scripted: bool) -> None:  # noqa: FBT001
    try_actions(actions, scripted=scripted)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("own_folders")
@pytest.mark.parametrize("scripted", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_two_thousand_random_actions(seed: int, scripted: bool) -> None:  # noqa: FBT001
    chance = random.Random(f"{seed} {scripted}")
    try_actions([any_action(chance, KEYS) for _ in range(2000)], scripted=scripted)
