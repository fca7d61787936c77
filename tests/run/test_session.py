import asyncio

import pytest

from tests.tui.settings import Setting, lesson, session
from uffdviz.run.session import RunSession
from uffdviz.trace.recording import read_recording
from uffdviz.trace.token import read_token


def steps(one: RunSession, *choices: str) -> RunSession:
    async def take() -> None:
        for choice in choices:
            await one.step(choice)

    asyncio.run(take())
    return one


def test_going_back_looks_back_and_changes_nothing() -> None:
    one = steps(session(), "gc", "gc", "app")
    asyncio.run(one.seek(1))
    assert (one.n, one.length) == (1, 3)
    assert one.upcoming() == "gc"


def test_the_same_step_again_follows_what_came_next() -> None:
    one = steps(session(), "gc", "gc")
    before = list(one.events)
    asyncio.run(one.seek(1))
    steps(one, "gc")
    assert one.events == before
    assert not one.branches


def test_another_step_begins_a_branch_and_keeps_the_first() -> None:
    one = steps(session(), "gc", "gc", "gc")
    asyncio.run(one.seek(1))
    steps(one, "app")
    assert [event.choice for event in one.events] == ["gc", "app"]
    assert [length for _, length in one.branches] == [3]
    asyncio.run(one.switch(0))
    assert [event.choice for event in one.events] == ["gc", "gc", "gc"]


def test_choices_in_the_past_are_those_that_were_there() -> None:
    one = session()
    seen = []
    for choice in ("gc", "gc", "app", "app", "gc", "app"):
        seen.append(list(one.choices()))
        steps(one, choice)
    for n, choices in enumerate(seen):
        asyncio.run(one.seek(n))
        assert list(one.choices()) == choices


def test_totals_do_not_depend_on_how_one_came_there() -> None:
    one = steps(session(), "gc", "gc", "app", "app", "gc")
    assert one.totals(5) == one.totals(5)
    at_three = one.totals(3)
    fresh = steps(session(), "gc", "gc", "app")
    assert at_three == fresh.totals(3)
    assert one.totals(5)["wall_ns"] >= at_three["wall_ns"]


def test_the_lesson_says_who_is_next_and_where_one_is_on_the_page() -> None:
    one = lesson()
    assert (one.reached, one.upcoming()) == (1, "gc")
    assert asyncio.run(one.next_block()) == ""
    assert (one.n, one.reached, one.upcoming()) == (2, 4, "app")


def test_leaving_the_lesson_is_said_and_going_back_mends_it() -> None:
    one = lesson()
    asyncio.run(one.next_block())
    steps(one, "gc")
    assert "you left the lesson at step 2" in asyncio.run(one.next_block())
    asyncio.run(one.seek(2))
    steps(one, "app")
    assert asyncio.run(one.next_block()) == ""
    assert one.reached == 7


def test_a_recording_holds_every_choice() -> None:
    one = steps(session(), "gc", "gc", "app")
    assert one.header().schedule == ("gc", "gc", "app")
    assert read_token(one.token()).schedule == ("gc", "gc", "app")


def test_a_saved_recording_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
    one = steps(session(), "gc", "gc", "app")
    first, second = one.save(), one.save()
    assert first != second
    recording = read_recording(first.read_bytes())
    assert recording.intact
    assert len(recording.events) == 3


def test_a_session_of_a_recording_is_shown_to_its_end() -> None:
    one = RunSession(Setting(), "again", "v6.9", choices=("gc", "app", "gc"))
    assert (one.n, one.length) == (3, 3)


def test_a_live_run_takes_the_same_steps_and_ends_with_the_session() -> None:
    one = session(tasks=1)
    told: list[int] = []

    async def live() -> None:
        enough = asyncio.Event()

        def hear() -> None:
            told.append(one.n)
            if len(told) == 5:
                enough.set()

        await one.begin(asyncio.get_running_loop(), hear)
        await one.step("gc")
        assert one.play(0.001)
        await enough.wait()
        one.pause()
        await one.close()

    asyncio.run(live())
    again = RunSession(Setting(1), "", "", choices=[event.choice for event in one.events])
    assert one.events == again.events
