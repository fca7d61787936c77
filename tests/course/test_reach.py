"""A search for a landmark says how far it is, can be stopped, and tells what it has found so far."""

import asyncio

import pytest

from uffdviz.course.reach import seek
from uffdviz.course.shelf import CourseShelf
from uffdviz.run import explore
from uffdviz.run.explore import OFTEN
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.setting import load_setting

LARGE = load_setting("three-operations-beside-mprotect")
NOWHERE = f"{next(iter(LARGE.tables))} waits for mmap_lock to write"


def test_a_search_that_is_stopped_proves_nothing() -> None:
    told: list[int] = []

    def tick(states: int, moves: int) -> bool:
        told.append(states)
        return len(told) < 3

    found = seek(LARGE, NOWHERE, tick=tick)
    assert told == [OFTEN, 2 * OFTEN, 3 * OFTEN]
    assert (found.way, found.states, found.finished) == (None, 3 * OFTEN, False)


def test_a_search_to_the_end_proves_that_there_is_no_way() -> None:
    small = load_setting("copy")
    found = seek(small, f"{next(iter(small.tables))} waits for mmap_lock to write")
    assert found.finished
    assert found.way is None
    assert found.states > 10


def test_a_way_seen_before_the_stop_leads_there_and_is_not_called_easiest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(explore, "OFTEN", 1)
    setting = load_setting("move-meets-mprotect", "series-v4")
    reach = "app waits for vma src to write"
    whole = seek(setting, reach)
    early = seek(setting, reach, tick=lambda states, moves: states < 765).way
    assert whole.way is not None
    assert early is not None
    assert whole.way.easiest
    assert not early.easiest
    assert early.switches > whole.way.switches
    run = Interleaving(setting)
    run.follow(list(early.choices))
    assert run.events[-1].sentence.startswith("app waits for vma src to write")


def test_what_is_so_already_is_said_to_be_so_as_a_schedule_stops_there_at_once() -> None:
    shelf = CourseShelf()
    session = shelf.open_scenario("move-meets-mprotect")
    tools = shelf.tools(session)
    assert tools is not None
    words = "app holds mmap_lock for write"
    way = tools.find(words, lambda states, moves: True)
    assert way.ahead
    for choice in way.ahead[0].choices:
        asyncio.run(session.step(choice))
    found = tools.find(words, lambda states, moves: True)
    assert found.why == f"It is so already: {words}."
    assert not tools.schedule(f"app until {words.removeprefix('app ')}")
    assert tools.find("app returns", lambda states, moves: True).ahead


def test_the_screen_is_told_that_a_search_was_stopped() -> None:
    shelf = CourseShelf()
    tools = shelf.tools(shelf.open_scenario("three-operations-beside-mprotect"))
    assert tools is not None
    stopped = tools.find(NOWHERE, lambda states, moves: False)
    assert not stopped.finished
    assert not stopped.why
    assert not stopped.ahead
    assert stopped.states == OFTEN
