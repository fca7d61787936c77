"""A workload under two eras as the screen looks at it: a race on virtual time, a window of it, a sweep.

Every question is asked with a `tick` that hears how far it is and says whether to go on; `so_far`
is what is known meanwhile, and stays if it is stopped.
"""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Final

from uffdviz.errors import UsageError
from uffdviz.light import msgspec
from uffdviz.run.collector import without_collector
from uffdviz.run.commands import MOST_EVENTS, reported
from uffdviz.run.compare import run_compared
from uffdviz.run.explore import Tick
from uffdviz.run.measure import MOST_STEPS, Plan, follows_time, set_up
from uffdviz.run.processors import NEVER
from uffdviz.run.profile import Recorder
from uffdviz.run.setting import Setting
from uffdviz.run.sweep import Sweep, one_by_one, points_of
from uffdviz.trace.profile import Pair
from uffdviz.trace.standstill import cycle_text

STRIDE: Final = 10_000
"""Steps between two ticks: a fraction of a second."""
OFTEN: Final = 10
"""So many strides lie between two values of `so_far`: making one takes as long as some thousand steps."""


class Workload:
    """One scenario under two eras, the older one to the left.

    Raises: ScenarioError, UsageError; UsageError, too, if it does not go by time alone.
    """

    def __init__(self, left: Plan, right: Plan) -> None:
        self.plans = (left, right)
        settings = [set_up(plan) for plan in self.plans]
        if not all(follows_time(setting) for setting in settings):
            msg = f"{left.scenario}: a call fails or is killed on purpose, so it does not go by time alone; compare it instead (c)"
            raise UsageError(msg)
        self.title = settings[0].scenario.title or settings[0].name
        self.eras = tuple(setting.era_name for setting in settings)
        self.so_far: Pair | None = None

    def race(self, tick: Tick) -> Pair:
        """Run both from the start to the end, always the one that is behind on the clock."""
        return self._run(None, tick)

    def window(self, start: int, end: int, tick: Tick) -> Pair | None:
        """Run both again up to `end` for what happened since `start`, in finer slices.

        Returns: None if it was stopped before both came there.
        """
        pair = self._run((start, end), tick)
        whole = all(side.over or side.end >= end for side in pair)
        return pair if whole else None

    def sweep(self, text: str) -> "Series":
        """Vary a cost or a count: `NAME=A..B`.

        Raises: UsageError if it cannot be read, or names nothing.
        """
        return Series(text, self.plans)

    def _run(self, window: tuple[int, int] | None, tick: Tick) -> Pair:
        runs = [Recorder(set_up(plan), window) for plan in self.plans]
        until = window[1] if window else NEVER
        going, ended = list(runs), list[Recorder]()
        plans = dict(zip(runs, self.plans, strict=True))
        with without_collector():
            for turn in count():
                run = min(going, key=Recorder.now)
                over = run.run(STRIDE)
                if over or run.steps >= MOST_STEPS:
                    ended.append(run)
                if over and not run.over:
                    run.stuck = who_waits(plans[run])
                if run in ended or run.known() >= until:
                    going.remove(run)
                on = tick(sum(one.steps for one in runs), max(map(Recorder.now, runs)))
                if not going or not on:
                    break
                if window is None and not turn % OFTEN:
                    self.so_far = pair(runs, ended)
        found = pair(runs, [*ended, *going])
        if window is None:
            self.so_far = found
        return found


def who_waits(plan: Plan) -> str:
    """Who waits for whom at the end of a run in which nobody can move."""
    setting = set_up(plan)
    machine = setting.machine()
    _ = run_compared(machine, "", MOST_EVENTS)
    cycle = reported(setting, machine)["deadlock"]
    return cycle_text(cycle) if cycle else "it is not known who waits for whom"


def pair(runs: Sequence[Recorder], last: Sequence[Recorder]) -> Pair:
    """What is known of both; to those in `last` nothing will be added."""
    left, right = (run.profile(last=run in last) for run in runs)
    return Pair(left, right)


class Series:
    """A sweep that is done value by value; `so_far` is by the keys of `compare --sweep --json`."""

    def __init__(self, text: str, plans: Sequence[Plan]) -> None:
        self._sweep = Sweep(text)
        self._plans = plans
        self._each = self._sweep.plans(plans)
        _ = set_up(self._each[0])
        self.runs = len(self._each)
        self.done = 0
        self.is_cost = self._sweep.is_cost
        self.so_far: Mapping[str, Any] = points_of(self._sweep, plans, {})

    def run(self, tick: Tick) -> Mapping[str, Any]:
        """Do the runs; what was stopped in the middle is left out."""
        found: dict[int, dict[str, Any]] = {}
        on = True

        def told(steps: int, now: int) -> bool:
            nonlocal on
            on = tick(steps, now)
            return on

        for number, run in one_by_one(self._each, lambda _: told):
            if not run["interrupted"]:
                found[number] = run
                self.done = len(found)
                self.so_far = points_of(self._sweep, self._plans, found)
            if not on:
                break
        return self.so_far


def workload_of(setting: Setting, era: str, order: Sequence[str]) -> Workload:
    """A setting's scenario under its own era and another one, in the order of the eras."""
    tables = msgspec.to_builtins(setting.scenario)
    eras = sorted((setting.era_name, era), key=order.index)
    left, right = (
        Plan(setting.name, name, setting.mutations, tables=tables) for name in eras
    )  # fmt: skip
    return Workload(left, right)
