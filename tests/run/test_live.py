import asyncio

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.run.stages import three_tasks
from uffdviz.errors import ScheduleError
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.live import Guest, Live
from uffdviz.run.machine import Machine
from uffdviz.run.replay import replay
from uffdviz.run.simulate import make_scheduler
from uffdviz.trace.events import Event
from uffdviz.trace.recording import Header, read_recording, write_recording


class Three:
    def machine(self) -> Machine:
        return three_tasks(times=1)


def recording(machine: Machine) -> bytes:
    choices = tuple(event.choice for event in machine.events)
    return write_recording(Header(scenario={}, era="v6.9", schedule=choices), machine.events)


@settings(max_examples=200)
@given(st.sampled_from(["time", "round-robin", "random", "pct"]), st.integers(0, 100_000))
def test_live_steered_and_replayed_runs_give_the_same_recording(name: str, seed: int) -> None:
    live = Live(three_tasks(times=1), make_scheduler(name, seed))
    trio.run(live.play_to_end)
    steered = Interleaving(Three())
    steered.follow([event.choice for event in live.machine.events])

    assert live.machine.unfinished == []
    assert recording(live.machine) == recording(steered.machine)
    replay(three_tasks(times=1), read_recording(recording(live.machine)))


def test_a_step_that_is_wanted_comes_before_the_scheduler_s() -> None:
    heard: list[Event] = []
    live = Live(three_tasks(times=1), told=heard.append)
    live.want("ui")
    trio.run(live.play_to_end)
    assert heard[0].task == "ui"
    assert heard == live.machine.events


def test_a_pace_is_kept_by_trio_s_clock() -> None:
    live = Live(three_tasks(times=1))
    clock = trio.testing.MockClock(autojump_threshold=0)

    async def main() -> float:
        await live.play_to_end(pace=2.0)
        return trio.current_time()

    start = clock.current_time()
    assert trio.run(main, clock=clock) - start == 2.0 * (len(live.machine.events) + 1)


def test_a_run_that_is_cancelled_leaves_nothing_behind() -> None:
    live = Live(three_tasks())

    async def main() -> None:
        with trio.move_on_after(5):
            await live.play_to_end(pace=1.0)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert len(live.machine.events) == 4


def test_a_guest_steps_plays_and_ends_inside_asyncio() -> None:
    live = Live(three_tasks(times=1))

    async def main() -> None:
        guest = Guest(live, asyncio.get_running_loop())
        await guest.opened
        event = await guest.step("app")
        assert event.text == "calls mprotect dst"
        with pytest.raises(ScheduleError, match="no task 'nobody'"):
            await guest.step("nobody")
        guest.play(0.0)
        while live.machine.unfinished:  # noqa: ASYNC110  the model knows no event of asyncio
            await asyncio.sleep(0)
        await guest.close()

    asyncio.run(main())
    assert not trio.lowlevel.in_trio_run()


def test_a_guest_can_be_closed_in_the_middle_and_another_begun() -> None:
    async def main() -> None:
        for _ in range(3):
            guest = Guest(Live(three_tasks()), asyncio.get_running_loop())
            await guest.opened
            await guest.step("gc")
            guest.play(10.0)
            await guest.close()

    asyncio.run(main())
