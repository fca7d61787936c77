"""Goals of lessons as sentences: a run that is judged, choices, proofs, and the next lesson."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from uffdviz.course.schema import Goal
from uffdviz.course.shelf import CourseShelf
from uffdviz.plain.app import conversation
from uffdviz.plain.talk import Talk

FIRST = "10-a-page-is-missing"


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


def at_the_end(name: str) -> Talk:
    """A talk about a lesson that was played to its end."""
    shelf = CourseShelf()
    talk = Talk(shelf, shelf.open_lesson(name))
    _ = [*talk.begin()]
    while not talk.reading.over:
        _ = [*talk.hear("b")]
    return talk


def said(talk: Talk, typed: Iterable[str]) -> list[str]:
    return [words for line in typed for words in (f"> {line}", *talk.hear(line))]


def to_the_last(talk: Talk, *typed: str) -> str:
    """What is said to the last of some lines."""
    *before, last = typed
    _ = said(talk, before)
    return "\n".join(talk.hear(last))


def test_a_goal_is_tried_left_gone_on_with_and_reached(snapshot: SnapshotAssertion) -> None:
    typed = ["goal", "h", "1", "goal", "esc", "goal", "p", "k monitor until sleeps", "goal"]
    fix = ["goal", "3", "1", "h", "2", "goal"]
    talk = at_the_end(FIRST)
    assert "\n".join(said(talk, [*typed, *fix])) == snapshot
    assert talk.opens == "20-a-reader-behind-a-waiting-writer"


def test_a_run_by_itself_stops_where_the_goal_is_reached() -> None:
    text = to_the_last(at_the_end(FIRST), "goal", "play")
    assert "The goal is reached with 5 switches and 13 steps" in text
    assert "Step 14." not in text


def test_the_last_hint_comes_from_where_one_stands() -> None:
    text = to_the_last(at_the_end(FIRST), "goal", "h", "h", "1", "h")
    assert "Hint 3: from here it takes" in text


def proof() -> str:
    """A lesson whose first goal is a proof."""
    shelf = CourseShelf()
    for row in shelf.lessons():
        guide = shelf.guide(row.name)
        kinds = [block.kind for block in guide.lesson.blocks if isinstance(block, Goal)]
        if kinds[:1] == ["prove"]:
            return row.name
    raise AssertionError


def test_a_claim_that_it_can_be_broken_is_judged_when_its_run_is_over() -> None:
    talk = at_the_end(proof())
    begun = to_the_last(talk, "goal", "2")
    assert "You say that this can be broken." in begun
    assert "esc, then goal" in to_the_last(talk, "h")
    text = to_the_last(talk, "play")
    assert "This order breaks nothing." in text
    assert "Does it hold in every order?" in to_the_last(talk, "esc", "goal")
    assert "Proved: " in to_the_last(talk, "1")


def test_only_what_belongs_to_a_goal_can_be_typed_there() -> None:
    talk = at_the_end(FIRST)
    text = to_the_last(talk, "goal", "?")
    assert "\nh: Another hint for the goal" in text
    assert "\npage: " not in text
    assert "esc: Back to the page." in text
    assert to_the_last(talk, "page") == "I do not know 'page'. ? says what can be typed."


def test_the_next_lesson_opens_by_the_word_for_goals() -> None:
    typed = [FIRST, *["b"] * 4, "goal", "k monitor until sleeps", "goal", "goal", "2", "goal"]
    lines = iter([*typed, "why", "q"])
    text = "\n".join(conversation(CourseShelf(), lambda: next(lines, None)))
    assert "goal opens the next lesson: " in text
    assert text.count("help says what can be typed") == 3
    assert "10-a-page-is-missing: A page is missing, done." not in text
    assert CourseShelf().lessons()[0].done


def test_a_scenario_has_no_goal() -> None:
    shelf = CourseShelf()
    talk = Talk(shelf, shelf.open_scenario("two-copies"))
    assert to_the_last(talk, "goal") == (
        "That cannot be: there is no goal here: the lessons have some."
    )
    assert to_the_last(talk, "page") == "There is no page here: the lessons have one."
    assert to_the_last(talk, "h") == "There is no goal here to give a hint for."


def test_the_newest_part_of_a_page_is_said_once_more() -> None:
    shelf = CourseShelf()
    talk = Talk(shelf, shelf.open_lesson(FIRST))
    _ = [*talk.begin()]
    text = to_the_last(talk, "b", "page")
    assert text.startswith("It is so: app holds vma dst for read.")
    assert "Question: What does app do about the missing page?" in text
    again = to_the_last(talk, "reload")
    assert "Step 21 of 21." in again
    assert "Question: What does app do" in again
