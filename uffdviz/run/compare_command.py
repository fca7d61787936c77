"""What `compare` does, once its arguments are known: the same calls under several eras, or a sweep."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from uffdviz.errors import ScheduleError, UsageError
from uffdviz.run.commands import Answer, Said, as_json, unmet
from uffdviz.run.compare import (
    comparison,
    comparison_lines,
    still_line,
    unmet_lines,
    wall_clock,
)
from uffdviz.run.cost_files import cost_changes
from uffdviz.run.measure import Plan, by_events, follows_time, set_up
from uffdviz.run.report import duration, table
from uffdviz.run.sweep import Sweep, points_of, run_plans
from uffdviz.run.watch import Watch, how_far
from uffdviz.trace.profile_words import stood

SMALL: Final = 20_000
"""A run of at most so many steps is told with everything that its events say."""
Run = dict[str, Any]


def compare_command(  # noqa: PLR0913  an argument per option
    scenario: str,
    eras: str,
    mutations: tuple[str, ...],
    schedule: Said,
    *,
    json: bool,
    sweep: str = "",
    jobs: int = 1,
    cluster: str = "",
    costs: str = "",
) -> Answer:
    """Run the same calls under several eras, once or with several values of a cost or a count."""
    names = [name.strip() for name in eras.split(",")]
    if len(names) < 2 or len(set(names)) != len(names) or not all(names):
        msg = f"--eras {eras!r}: name two or more, each once, such as v6.8,v6.9"
        raise UsageError(msg)
    if jobs < 1:
        msg = f"--jobs {jobs}: at least 1"
        raise UsageError(msg)
    changes = cost_changes(costs) if costs else {}
    plans = [Plan(scenario, name, mutations, changes) for name in names]
    if sweep:
        if schedule[0]:
            msg = "--sweep goes by time: it takes no --schedule"
            raise UsageError(msg)
        return swept(Sweep(sweep), plans, jobs, cluster, json=json)
    runs = once(plans, schedule, jobs, cluster)
    status = status_of_all(runs.values())
    missing = [name for name in names if name not in runs]
    if missing:
        status = 3
    compared = comparison(next(iter(runs.values()))["scenario"], runs, names[0])
    lines = [*comparison_lines(compared), *(f"{name} is not done" for name in missing)]
    return status, [as_json(compared)] if json else lines


def once(plans: Sequence[Plan], schedule: Said, jobs: int, cluster: str) -> dict[str, Run]:
    """Do one run an era: by its events if somebody steers or it is small, else by its totals."""
    settings = [set_up(plan) for plan in plans]
    if schedule[0] or not all(follows_time(setting) for setting in settings):
        return one_after_another(plans, schedule)
    runs = {}
    for number, run in run_plans(plans, jobs, cluster).items():
        plan = plans[number]
        whole = run["events"] <= SMALL
        runs[plan.era] = steered(plan, schedule) if whole and not run["unfinished"] else run
    if not runs:
        raise KeyboardInterrupt
    return runs


def one_after_another(plans: Sequence[Plan], schedule: Said) -> dict[str, Run]:
    """Run each era by its events; an interrupt ends the one that runs, and keeps what is known."""
    runs: dict[str, Run] = {}
    for plan in plans:
        run = runs[plan.era] = steered(plan, schedule)
        if run["interrupted"]:
            break
    return runs


def steered(plan: Plan, schedule: Said) -> Run:
    """Run a plan with every event, following a schedule as far as its era goes that way."""
    setting = set_up(plan)
    try:
        with Watch(lambda steps, now, _: how_far(plan.era, steps, now)) as watch:
            return by_events(setting, schedule[0], watch.tick)
    except ScheduleError as error:
        msg = f"{schedule[1]}: {error}"
        raise ScheduleError(msg) from None


def status_of(run: Run) -> int:
    """The exit status that a run calls for."""
    if run["unfinished"]:
        return 3
    return int(stood(run) or unmet(run))


def status_of_all(runs: Collection[Run]) -> int:
    """The exit status of runs; a schedule that no era can follow to its end is a finding."""
    lost = all(run["divergence"] for run in runs)
    return max(int(lost), *(status_of(run) for run in runs))


def swept(sweep: Sweep, plans: Sequence[Plan], jobs: int, cluster: str, *, json: bool) -> Answer:
    """Do the runs of a sweep; each point of it is a comparison."""
    runs = run_plans(sweep.plans(plans), jobs, cluster)
    result = points_of(sweep, plans, runs)
    status = max((status_of(run) for run in runs.values()), default=3)
    if result["not_done"]:
        status = 3
    return status, [as_json(result)] if json else sweep_lines(result)


def sweep_lines(result: Mapping[str, Any]) -> list[str]:
    """Say a sweep as a table: wall clock, uninterruptible and killable sleep, by value and era."""
    eras: Sequence[str] = result["eras"]
    head = [result["sweep"]["name"], *(f"wall {era}" for era in eras)]
    head += [f"ratio {era}" for era in eras[1:]] + [f"D {era}" for era in eras]
    rows = [head]
    for point in result["points"]:
        sums = [point["runs"][era]["totals"] for era in eras]
        walls = [s["wall_ns"] for s in sums]
        known = [point["ratios"][era]["wall_ns"] is not None for era in eras[1:]]
        ratios = [
            f"{walls[0] / wall:.2f}" if wall and sure else "–"
            for wall, sure in zip(walls[1:], known, strict=True)
        ]
        asleep = [duration(uninterruptible(s["all"])) for s in sums]
        spans = [wall_clock(point["runs"][era]) for era in eras]
        rows.append([str(point["value"]), *spans, *ratios, *asleep])
    lines = table(rows)
    for point in result["points"]:
        where = f"{result['sweep']['name']} = {point['value']}, "
        lines += [where + still_line(run) for run in point["runs"].values() if stood(run)]
        lines += unmet_lines(point["runs"], where)
    if result["not_done"]:
        lines.append(f"not done: {', '.join(map(str, result['not_done']))}")
    return lines


def uninterruptible(row: Mapping[str, Any]) -> int:
    """All that a task, or all of them, slept uninterruptibly."""
    return int(sum(row["uninterruptible_ns"].values()))
