"""Laws that every shipped scenario keeps, whoever schedules it."""

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from uffdviz.run.interleaving import Interleaving, next_choice
from uffdviz.run.live import Live
from uffdviz.run.machine import Machine
from uffdviz.run.read_scenario import shipped
from uffdviz.run.replay import replay
from uffdviz.run.setting import Setting, load_setting
from uffdviz.run.simulate import make_scheduler
from uffdviz.schedulers.base import Run, Scheduler
from uffdviz.trace.recording import Header, read_recording, write_recording
from uffdviz.trace.snapshot import History
from uffdviz.trace.totals import totals

MOST = 500
ERAS = ["v6.1", "v6.8", "v6.9", "v6.12", "v6.18", "series-v4"]
SETTINGS: dict[tuple[str, str], Setting] = {}


class Limited:
    """Another scheduler, for some time: some scenarios hardly end by chance."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler

    def pick(self, run: Run) -> str | None:
        return self.scheduler.pick(run) if len(run.events) < MOST else None


def setting_of(name: str, era: str) -> Setting:
    if (name, era) not in SETTINGS:
        SETTINGS[name, era] = load_setting(name, era)
    return SETTINGS[name, era]


def recording(machine: Machine) -> bytes:
    choices = tuple(event.choice for event in machine.events)
    return write_recording(Header(scenario={}, era="v6.9", schedule=choices), machine.events)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("name", shipped())
def test_the_snapshot_folded_from_events_is_the_machine_s_world(name: str, era: str) -> None:
    machine = setting_of(name, era).machine()
    scheduler = make_scheduler("random", len(name))
    history = History(machine.start, machine.events)
    while len(machine.events) < MOST:
        choice = next_choice(machine, scheduler)
        if choice is None:
            break
        machine.step(choice)
        if machine.events[-1].n % 5 == 0:
            now = history.last
            assert now.objects == machine.named
            ready = [task for task, view in now.tasks.items() if view.state == "ready"]
            assert ready == [task for task in machine.tasks if machine.can_step(task)]
    for task in totals(machine.tasks, machine.events)["tasks"].values():
        blocked = sum(task["uninterruptible_ns"].values()) + sum(task["killable_ns"].values())
        asleep = task["userfaultfd_ns"] + task["idle_ns"]
        assert task["running_ns"] + task["runnable_ns"] + blocked + asleep == task["wall_ns"]


@settings(max_examples=200)
@given(
    st.sampled_from(sorted(shipped())),
    st.sampled_from(ERAS),
    st.sampled_from(["time", "round-robin", "random", "pct"]),
    st.integers(0, 100_000),
)
def test_live_steered_and_replayed_runs_give_the_same_recording(
    name: str, era: str, order: str, seed: int
) -> None:
    setting = setting_of(name, era)
    live = Live(setting.machine(), Limited(make_scheduler(order, seed)))
    trio.run(live.play_to_end)
    steered = Interleaving(setting)
    steered.follow([event.choice for event in live.machine.events])
    assert recording(live.machine) == recording(steered.machine)
    replay(setting.machine(), read_recording(recording(live.machine)))
