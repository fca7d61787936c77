"""The course as a person plays it: keys only, from the start screen to "Done"."""

from pathlib import Path

import pytest

from tests.tui.learner import GOAL, QUESTION, Learner, learn
from tests.tui.real import wait_for
from tests.tui.screen import LARGE, SMALL, Size
from uffdviz.course import progress
from uffdviz.course.new import TEMPLATE
from uffdviz.course.shelf import shipped_lessons

NAMES = [lesson.name for lesson in shipped_lessons()]
TURNS = [(name, (SMALL, LARGE)[at % 2]) for at, name in enumerate(NAMES)]
BOTH = [(name, (LARGE, SMALL)[at % 2]) for at, name in enumerate(NAMES[:2])]
WRONG = "50-two-mappings-and-one-helper"
PROOF = "20-the-copy-that-must-not-fault"


@pytest.fixture(autouse=True)
def own_progress(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.mark.parametrize(("name", "size"), [*TURNS, *BOTH], ids=lambda p: str(p).replace(", ", "x"))
def test_a_lesson_is_played_from_the_start_screen_to_done(name: str, size: Size) -> None:
    async def act(learner: Learner) -> None:
        await learner.open()
        text = await learner.finish()
        assert "What you can say now" in text
        last = name == NAMES[-1]
        assert ("That was the last lesson" if last else "opens the next lesson") in text
        assert name in progress.finished()

    learn(name, size, act)


def test_the_next_lesson_is_one_key_away_and_the_one_before_is_marked() -> None:
    async def act(learner: Learner) -> None:
        await learner.open()
        await learner.finish()
        await learner.shown.press("enter")
        await wait_for(learner.shown, "step 0/0")
        assert shipped_lessons()[1].title in learner.shown.text
        await learner.shown.press("escape")
        assert f"✓ {learner.lesson.title}" in await wait_for(learner.shown, "Course and sandbox")

    learn(NAMES[0], SMALL, act)


def test_a_wrong_prediction_is_answered_with_the_reason() -> None:
    async def act(learner: Learner) -> None:
        await learner.open()
        while QUESTION not in learner.shown.text:
            await learner.shown.press("b")
        text = await learner.shown.press("1")
        assert "✗ 1 It marks src too" in text
        assert "the readers who are still inside" in text

    learn(WRONG, LARGE, act)


def test_the_reason_is_in_sight_on_a_small_screen_too() -> None:
    async def act(learner: Learner) -> None:
        await learner.open()
        while QUESTION not in learner.shown.text:
            await learner.shown.press("b")
        reason = learner.questions[0].why.split()[:3]
        assert " ".join(reason) not in learner.shown.text
        assert " ".join(reason) in await learner.shown.press("2")

    learn(NAMES[0], SMALL, act)


def test_the_end_of_a_page_says_what_comes_next() -> None:
    async def act(learner: Learner) -> None:
        await learner.open()
        await learner.read(until=GOAL)
        assert "played to its end: enter tries its goal" in await learner.shown.press("b")
        await learner.finish()
        assert "enter goes on to the next lesson" in await learner.shown.press("b")

    learn(NAMES[0], SMALL, act)


async def at_goal(learner: Learner) -> None:
    """Come to the first goal of the page and begin it."""
    await learner.open()
    await learner.read(until=GOAL)
    await learner.shown.press("enter")
    await wait_for(learner.shown, "Break it")


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_all_hints_are_given_and_then_the_page_is_still_there(size: Size) -> None:
    async def act(learner: Learner) -> None:
        await at_goal(learner)
        shown = learner.shown
        first = "hint 1: One of the two mappings"
        assert first in await shown.press("h")
        assert "hint 2: app has to mark dst" in await shown.press("h")
        text = await shown.press("h")
        assert "hint 3: And gc has to hold src" in text
        assert "not reached yet" in await shown.press("enter")
        assert GOAL in await shown.press("escape")
        assert "step 41/41" in shown.text

    learn(WRONG, size, act)


def test_the_last_hint_comes_from_where_one_stands_and_says_when_to_go_back() -> None:
    async def act(learner: Learner) -> None:
        await at_goal(learner)
        shown = learner.shown
        await shown.press("h", "h", "h")
        await wait_for(shown, "from here it takes 1 switch more: gc x")
        await shown.press("k")
        await learner.paste("everyone until done")
        text = await shown.press("enter")
        assert "The run is over without it" in text
        await shown.press("h")
        await wait_for(shown, "there is no way to it any more: go back")
        await shown.press("r")
        await learner.schedule(learner.goals[0][1])
        await wait_for(shown, "✓ reached with 1 switch and")

    learn("40-reading-a-real-recording", LARGE, act)


def test_a_schedule_that_cannot_be_read_is_said() -> None:
    async def act(learner: Learner) -> None:
        await at_goal(learner)
        await learner.shown.press("k")
        await learner.paste("gx until done")
        assert "no task 'gx'; tasks are gc, app" in await learner.shown.press("enter")

    learn(WRONG, LARGE, act)


def test_a_page_is_read_again_when_its_file_changes(tmp_path: Path) -> None:
    folder = tmp_path / "1-mine"
    folder.mkdir()
    page = folder / "10-mine.md"
    _ = page.write_text(TEMPLATE, encoding="utf-8")

    async def act(learner: Learner) -> None:
        shown = learner.shown
        app = shown.app
        app.open(app.shelf.open_lesson(str(page)))
        await shown.settle()
        await shown.press("b")
        before = app.screen
        text = page.read_text(encoding="utf-8")
        _ = page.write_text(text.replace("title = ", "titel = ", 1), encoding="utf-8")
        await wait_for(shown, "did you mean 'title'?")
        _ = page.write_text(text.replace('title = "', 'title = "Again, ', 1), encoding="utf-8")
        await wait_for(shown, "Again, ")
        assert app.screen is not before
        assert "step 0/0" not in shown.text

    learn(NAMES[0], LARGE, act)


def test_a_step_back_takes_the_goal_back() -> None:
    async def act(learner: Learner) -> None:
        await at_goal(learner)
        await learner.schedule(learner.goals[0][1])
        await wait_for(learner.shown, "✓ reached with 2 switches and 41 steps")
        assert "✓ reached" not in await learner.shown.press("left")
        assert "✓ reached" in await learner.shown.press("right")

    learn(WRONG, LARGE, act)


def test_a_run_towards_a_goal_that_was_left_goes_on_with_its_hints() -> None:
    async def act(learner: Learner) -> None:
        await at_goal(learner)
        shown = learner.shown
        await shown.press("2", "2", "1", "left", "h")
        assert "step 2/3" in shown.text
        assert GOAL in await shown.press("escape")
        text = await shown.press("enter")
        assert "step 2/3" in text
        assert "hint 1: " in text
        assert "goes on where you left it" in text
        assert "step 3/3" in await shown.press("right")
        await shown.press("escape", "escape")
        await wait_for(shown, "Course and sandbox")
        await shown.press("enter", "enter")
        assert "hint 1: " in await wait_for(shown, "step 3/3")
        assert "step 0/0" in await shown.press("r")

    learn(WRONG, LARGE, act)


def test_a_wrong_choice_is_refused_with_what_the_search_found() -> None:
    async def act(learner: Learner) -> None:
        await learner.open()
        await learner.read(until=GOAL)
        await learner.solve()
        await learner.read(until=GOAL)
        shown = learner.shown
        await shown.press("enter", "1")
        text = await wait_for(shown, "1 is not right")
        assert "(L1, 2 switches)" in " ".join(text.replace("│", " ").split())
        await shown.press("h")
        assert "hint 1: Look at what gc holds" in await wait_for(shown, "hint 1")
        await shown.press("3")
        await wait_for(shown, "✓ 3 is right: every interleaving of move-meets-mprotect")
        await shown.press("enter")
        await learner.read(until="Done. ")

    learn(WRONG, SMALL, act)


def test_who_says_that_the_merged_form_breaks_must_show_it_or_gets_the_proof() -> None:
    async def act(learner: Learner) -> None:
        await learner.open()
        await learner.read(until=GOAL)
        await learner.solve()
        shown = learner.shown
        await shown.press("enter", "2")
        await wait_for(shown, "You say that this can be broken. Show the order")
        await shown.press("k")
        await learner.paste("everyone until done")
        await shown.press("enter")
        await wait_for(shown, "✗ this order breaks nothing")
        await shown.press("escape")
        await wait_for(shown, GOAL)
        await shown.press("enter", "1")
        await wait_for(shown, "✓ Proved: every interleaving of")

    learn(PROOF, SMALL, act)
