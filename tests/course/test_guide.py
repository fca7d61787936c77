"""Somebody who tries a goal is judged, helped, and told how few switches it takes."""

from pathlib import Path

import pytest

from tests.course.pages import page
from uffdviz.course import progress
from uffdviz.course.guide import Guide
from uffdviz.course.load import load_lesson
from uffdviz.course.schema import Goal
from uffdviz.course.shelf import CourseShelf
from uffdviz.run.interleaving import Interleaving


@pytest.fixture
def guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guide:
    monkeypatch.setattr(progress, "state_dir", lambda: tmp_path / "state")
    return Guide(load_lesson(page(tmp_path)))


def places(guide: Guide) -> list[int]:
    return [at for at, block in enumerate(guide.lesson.blocks) if isinstance(block, Goal)]


def choices(guide: Guide, schedule: str) -> list[str]:
    run = Interleaving(guide.setup.setting())
    run.play(schedule)
    return run.choices


def test_a_run_that_does_not_get_there_is_not_yet_right(guide: Guide) -> None:
    at = places(guide)[0]
    assert not guide.attempt(at, choices(guide, "gc until done")).right
    assert guide.best(at) is None


def test_a_longer_run_is_right_and_told_what_is_possible(guide: Guide) -> None:
    at = places(guide)[0]
    made = choices(guide, "ui x1; app until leaves vma_start_write; gc until waits for mmap_lock")
    right, text = guide.attempt(at, made)
    assert right
    assert text.startswith("reached with 2 switches and ")
    assert text.endswith("; it can be done with 1 switch")
    assert guide.best(at) == 2


def test_the_best_possible_run_is_told_so(guide: Guide) -> None:
    made = choices(guide, "app until leaves vma_start_write; gc until waits for mmap_lock")
    text = guide.attempt(places(guide)[0], made).text
    assert text == f"reached with 1 switch and {len(made)} steps; nobody needs fewer switches"


def test_a_goal_that_was_reached_is_remembered(guide: Guide) -> None:
    assert guide.through() == frozenset()
    assert guide.prove(places(guide)[2]).right
    assert guide.choose(places(guide)[1], 2).right
    assert guide.through() == frozenset(places(guide)[1:])


def test_who_claims_that_it_breaks_is_judged_by_the_run(guide: Guide) -> None:
    made = choices(guide, "everyone until done")
    assert guide.claim(places(guide)[2], made) == (False, "this order breaks nothing")


def test_hints_come_from_the_page_and_the_last_from_the_search(guide: Guide) -> None:
    at = places(guide)[0]
    here = choices(guide, "app until leaves vma_start_write")
    said = [guide.hint(at, number, here) for number in range(1, 5)]
    assert said[:2] == ["Look around.", "app must mark dst."]
    assert said[2].startswith("from here it takes 1 switch more: gc x")
    assert said[3] == ""
    assert guide.tiers(at) == 3


def test_a_choice_is_judged_by_the_search(guide: Guide) -> None:
    at = places(guide)[1]
    wrong, why = guide.choose(at, 1)
    assert not wrong
    assert why.startswith("deadlock: ")
    assert guide.choose(at, 2).right


def test_a_claim_is_proved(guide: Guide) -> None:
    right, text = guide.prove(places(guide)[2])
    assert right
    assert text.startswith("every interleaving of copy-meets-mprotect under v6.9, ")


def test_a_goal_opens_as_a_run_of_its_own() -> None:
    shelf = CourseShelf()
    name = "20-the-copy-that-must-not-fault"
    at = places(shelf.guide(name))[0]
    session = shelf.open_goal(name, at)
    assert session.length == 0
    assert list(session.tasks) == ["gc", "app"]
    assert session.header().mutations == ("M36",)
