"""One timed run of which the totals are wanted, as data in and data out.

So it can be handed to another process or machine, and gives the same there.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from uffdviz.errors import ScenarioError, UsageError, near_miss
from uffdviz.light import msgspec
from uffdviz.run.addresses import every_call
from uffdviz.run.collector import without_collector
from uffdviz.run.commands import MOST_EVENTS, reported
from uffdviz.run.compare import run_compared
from uffdviz.run.costs import shipped_costs
from uffdviz.run.lean import Lean
from uffdviz.run.read_scenario import scenario_of
from uffdviz.run.report import as_result
from uffdviz.run.scenario import Scenario
from uffdviz.run.setting import Setting, load_setting, setting_of
from uffdviz.trace.standstill import Cycle

CHUNK: Final = 20_000
MOST_STEPS: Final = 100_000_000
MOST_RESULTS: Final = 20_000
Progress = Callable[[int, int], bool]
"""Told now and then how many steps there were, and how far virtual time has come. Returns: whether to go on."""


class Plan(msgspec.Struct, frozen=True):
    """What to run: a scenario by path or name, an era, and what is changed for this run.

    `costs` replace rows of the shipped table, `counts` are numbers of tasks (0: none) or `cpus`.
    With `tables` these are the scenario, and `scenario` is only what it is called.
    """

    scenario: str
    era: str
    mutations: tuple[str, ...] = ()
    costs: Mapping[str, int] = {}
    counts: Mapping[str, int] = {}
    tables: Mapping[str, Any] = {}


def set_up(plan: Plan) -> Setting:
    """Set up what a plan says.

    Raises: ScenarioError, UsageError.
    """
    if plan.tables:
        setting = setting_of(plan.tables, plan.scenario, plan.era, plan.mutations)
    else:
        setting = load_setting(plan.scenario, plan.era, plan.mutations)
    if not plan.costs and not plan.counts:
        return setting
    scenario = setting.scenario
    costs = {**scenario.costs, **plan.costs}
    scenario = msgspec.structs.replace(scenario, costs=costs)
    for name, count in plan.counts.items():
        scenario = with_count(scenario, name, count)
    if plan.counts:
        scenario = checked(scenario, plan)
    return Setting(scenario, plan.era, plan.mutations, setting.name)


def checked(scenario: Scenario, plan: Plan) -> Scenario:
    """The scenario with the counts of a plan, if a file could have them.

    Raises: UsageError with what is wrong with them.
    """
    counts = ", ".join(f"{name} = {count}" for name, count in plan.counts.items())
    try:
        return scenario_of(
            msgspec.to_builtins(scenario), f"{Path(plan.scenario).stem} with {counts}"
        )
    except ScenarioError as error:
        raise UsageError(str(error)) from None


def with_count(scenario: Scenario, name: str, count: int) -> Scenario:
    """The scenario with another number of the tasks called `name`, or of processors.

    Raises: UsageError if there is nothing of that name to count.
    """
    if name == "cpus":
        return msgspec.structs.replace(scenario, cpus=count)
    tables = {table.name: table for table in scenario.task}
    table = tables.get(name)
    if table is None:
        known = ("cpus", *tables)
        msg = f"no task and no cost {name!r}; counts are {', '.join(known)}{near_miss(name, (*known, *shipped_costs()))}"
        raise UsageError(msg)
    others = tuple(t for t in scenario.task if t is not table)
    if count == 0:
        return msgspec.structs.replace(scenario, task=others)
    changed = msgspec.structs.replace(table, count=count)
    tasks = tuple(changed if t is table else t for t in scenario.task)
    return msgspec.structs.replace(scenario, task=tasks)


def follows_time(setting: Setting) -> bool:
    """Whether nothing but the costs says who moves: no planned failure, no signal."""
    calls = (call for table in setting.scenario.task for call in every_call(table))
    return not any(call.fail or call.kill for call in calls)


def measure(plan: Plan, progress: Progress | None = None) -> dict[str, Any]:
    """Run a plan in timed order. Returns: a run by the keys of `compare --json`."""
    return measured(set_up(plan), progress)


def measured(setting: Setting, progress: Progress | None = None) -> dict[str, Any]:
    """Run a setting in timed order; stopped by a KeyboardInterrupt, say what is known so far."""
    if not follows_time(setting):
        return by_events(setting, "", progress)
    lean = Lean(setting)
    ended = interrupted = False
    cycle: Cycle | None = None
    try:
        with without_collector():
            while not ended and lean.steps < MOST_STEPS:
                ended = lean.run(min(CHUNK, MOST_STEPS - lean.steps))
                if progress is not None and not progress(lean.steps, lean.now()) and not ended:
                    interrupted = True
                    break
            if ended and not lean.over and lean.steps <= MOST_EVENTS:
                cycle = by_events(setting)["deadlock"]
    except KeyboardInterrupt:
        ended, interrupted = False, True
    results = {n: [as_result(r) for r in task.results] for n, task in lean.tasks.items()}
    few = sum(len(r) for r in results.values()) <= MOST_RESULTS
    return {
        "scenario": setting.name,
        "era": setting.era_name,
        "mutations": list(setting.mutations),
        "schedule": ["everyone until done"],
        "returns": results if few else {name: [] for name in results},
        "counts": lean.returns(),
        "deadlock": cycle,
        "totals": lean.totals(),
        "unmet": setting.unmet(results),
        "divergence": None,
        "unfinished": not ended,
        "interrupted": interrupted,
        "standstill": ended and not lean.over,
        "events": lean.steps,
    }


def by_events(setting: Setting, schedule: str = "", tick: Progress | None = None) -> dict[str, Any]:
    """Run a setting with every event, following a schedule as far as this era goes that way."""
    machine = setting.machine()
    stopped: list[bool] = []

    def heard(steps: int, now: int) -> bool:
        stopped[:] = [tick is not None and not tick(steps, now)]
        return not stopped[0]

    diverged = ""
    try:
        diverged = run_compared(machine, schedule, MOST_EVENTS, heard)
    except KeyboardInterrupt:
        stopped = [True]
    interrupted = stopped == [True]
    cut = len(machine.events) >= MOST_EVENTS and bool(machine.choices())
    return {
        **reported(setting, machine, grouped=True),
        "divergence": diverged or None,
        "unfinished": interrupted or cut,
        "interrupted": interrupted,
        "events": len(machine.events),
    }
