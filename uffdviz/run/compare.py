"""The same calls under several eras: totals side by side, and how they relate."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from uffdviz.errors import LandmarkError, ScheduleError
from uffdviz.run.interleaving import function_names, next_choice
from uffdviz.run.machine import Machine
from uffdviz.run.report import duration, table, task_figures
from uffdviz.run.simulate import goes_on, simulate
from uffdviz.run.watch import Tick
from uffdviz.schedulers.scripted import Scripted
from uffdviz.schedulers.timed import Timed
from uffdviz.trace.profile_words import stood
from uffdviz.trace.schedule import parse_schedule
from uffdviz.trace.standstill import cycle_text
from uffdviz.trace.totals import FIRST

SHOWN: Final = 3
Key = tuple[str, str]
"""A lock and a mode."""


def run_compared(machine: Machine, schedule: str, most: int, tick: Tick | None = None) -> str:
    """Follow a schedule as far as this era goes that way, then go on in timed order.

    At most `most` events happen, and none when `tick` says so. Returns: where it diverged, in words; empty if it did not.
    """
    diverged = ""
    if schedule:
        script = parse_schedule(schedule, tuple(machine.tasks), every_function(machine))
        try:
            drive(machine, Scripted(script, machine), most, tick)
        except LandmarkError as error:
            diverged = str(error)
    simulate(machine, Timed(), most, tick)
    return diverged


def drive(machine: Machine, scheduler: Scripted, most: int, tick: Tick | None) -> None:
    """Let a schedule choose; a choice that cannot be taken is where the eras part."""
    while goes_on(machine, most, tick):
        choice = next_choice(machine, scheduler)
        if choice is None:
            return
        try:
            machine.step(choice)
        except ScheduleError as error:
            raise LandmarkError(scheduler.placed(error)) from None


def every_function(machine: Machine) -> frozenset[str]:
    """The functions that a schedule may name: an era that lacks one diverges there."""
    from uffdviz.kernel import eras as folder  # noqa: F401  the subclasses are what is asked for
    from uffdviz.kernel.kernel import Kernel

    names = set(function_names(machine))
    families = [Kernel]
    while families:
        family = families.pop()
        names.update(name for name in vars(family) if not name.startswith("_"))
        families += family.__subclasses__()
    return frozenset(names)


def comparison(
    scenario: str, runs: Mapping[str, dict[str, Any]], first: str = ""
) -> dict[str, Any]:
    """Say all about several runs by the keys of `compare --json`.

    `first` is the era that the others are measured by. A run without its end has no ratio.
    """
    first = first or next(iter(runs))
    ended = [era for era, run in runs.items() if not run.get("unfinished")]
    others = [era for era in ended if era != first] if first in ended else []
    return {
        "scenario": scenario,
        "eras": list(runs),
        "runs": dict(runs),
        "ratios": {era: ratios_of(runs[era], runs[first]) for era in others},
    }


def ratios_of(run: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """How two runs relate; every figure null if one stood still, as it was not done sooner."""
    figures = ratios(run["totals"], base["totals"])
    if stood(run) or stood(base):
        return {**dict.fromkeys(figures), "locks": []}
    return figures


def ratios(sums: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """How much of each figure of `base` is left; null where that was nothing."""
    figures = {"wall_ns": ratio(sums["wall_ns"], base["wall_ns"])}
    for key, value in sums["all"].items():
        if isinstance(value, dict):
            figures[key] = ratio(sum(value.values()), sum(base["all"][key].values()))
        elif key != "wall_ns":
            figures[key] = ratio(value, base["all"][key])
    before = {(row["lock"], row["mode"]): row for row in base["locks"]}
    figures["locks"] = [  # type: ignore[assignment]
        {
            "lock": row["lock"],
            "mode": row["mode"],
            "acquisitions": ratio(row["acquisitions"], old["acquisitions"]),
            "contentions": ratio(row["contentions"], old["contentions"]),
            "wait_ns": ratio(row["wait_ns"]["total"], old["wait_ns"]["total"]),
            "hold_ns": ratio(row["hold_ns"]["total"], old["hold_ns"]["total"]),
        }
        for row in sums["locks"]
        if (old := before.get((row["lock"], row["mode"]))) is not None
    ]
    return figures


def ratio(now: int, before: int) -> float | None:
    return round(now / before, 4) if before else None


def comparison_lines(compared: Mapping[str, Any]) -> list[str]:
    """Set the totals of each era side by side."""
    eras: Sequence[str] = compared["eras"]
    runs = [compared["runs"][era] for era in eras]
    rows = [["", *eras], ["wall clock", *(wall_clock(run) for run in runs)]]
    names = ("running", "runnable", "uninterruptible", "killable", "userfaultfd")
    figures = [task_figures(run["totals"]["all"])[1:] for run in runs]
    rows += [
        [f"all: {name}", *(duration(figure[i]) for figure in figures)]
        for i, name in enumerate(names)
    ]
    tables = [{(r["lock"], r["mode"]): r for r in run["totals"]["locks"]} for run in runs]
    keys = list(dict.fromkeys(key for rows_of in tables for key in rows_of))
    quiet = [key for key in keys if key[0] != FIRST and not contended(key, tables)]
    for key in keys:
        if key not in quiet:
            rows += lock_rows(key, tables)
    lines = table(rows)
    if quiet:
        lines.append(
            f"and {len(quiet)} rows of locks that nobody had to wait for (all with --json)"
        )
    lines += [still_line(run) for run in runs if stood(run)]
    lines += [
        f"{era} diverges: {run['divergence']}"
        for era, run in zip(eras, runs, strict=True)
        if run.get("divergence")
    ]
    lines += [
        f"{era} is unfinished: stopped after {run['events']} events"
        for era, run in zip(eras, runs, strict=True)
        if run.get("unfinished")
    ]
    return lines + unmet_lines(compared["runs"])


def unmet_lines(runs: Mapping[str, Mapping[str, Any]], where: str = "") -> list[str]:
    """Say which calls did not return what the scenario says: the first few of each run."""
    lines = []
    for era, run in runs.items():
        unmet = run.get("unmet", ())
        lines += [f"{where}{era}: {text}" for text in unmet[:SHOWN]]
        if len(unmet) > SHOWN:
            lines.append(f"{where}{era}: and {len(unmet) - SHOWN} more such calls (--json has all)")
    return lines


def wall_clock(run: Mapping[str, Any]) -> str:
    """How long a run took; one that stood still did not get to its end."""
    return "deadlock" if stood(run) else duration(run["totals"]["wall_ns"])


def still_line(run: Mapping[str, Any]) -> str:
    """Say when a run stood still, and who waits for what."""
    why = f": {cycle_text(run['deadlock'])}" if run["deadlock"] else ""
    return f"{run['era']} is in a deadlock from {duration(run['totals']['wall_ns'])} on, nobody can move{why}"


def contended(key: Key, tables: Sequence[Mapping[Key, Any]]) -> bool:
    """Whether somebody had to wait for a lock under some era."""
    return any(rows[key]["contentions"] for rows in tables if key in rows)


def lock_rows(key: Key, tables: Sequence[Mapping[Key, Any]]) -> list[list[str]]:
    """Set a lock's figures side by side; a dash: this era never took it."""
    name = " for ".join(key)
    found = [rows.get(key) for rows in tables]
    lines = [[f"{name}: acquired", *(str(r["acquisitions"]) if r else "–" for r in found)]]
    if contended(key, tables):
        counts = (str(r["contentions"]) if r else "–" for r in found)
        waited = (duration(r["wait_ns"]["total"]) if r else "–" for r in found)
        lines += [[f"{name}: contended", *counts], [f"{name}: waited", *waited]]
    return lines
