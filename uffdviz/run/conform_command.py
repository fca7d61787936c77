"""`uffdviz conform`: real kernels' lock traces against the model."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from uffdviz.errors import UsageError
from uffdviz.light import msgspec
from uffdviz.run.commands import Answer, as_json
from uffdviz.run.conform import Conformance, Divergence, Explained, Plan
from uffdviz.run.kernel_trace import KernelTrace, read_trace
from uffdviz.run.read_scenario import load_scenario
from uffdviz.run.setting import Setting

OPERATION: Final = "op"
FINE, DIVERGES = 0, 1


def conform(
    *traces: Path,
    scenario: Path | None = None,
    era: str = "",
    json: bool = False,
) -> Answer:
    """Hold the model against lock traces of real kernels.

    The model predicts from the scenario and the era; of the trace only the order between tasks is
    taken. Status 1 if a trace has an event that the model cannot explain.

    Parameters
    ----------
    traces
        Traces (JSON lines), or folders of them.
    scenario
        What the recorded program did; the file beside the trace, with .toml, if left out.
    era
        Another kernel than the scenario's.
    json
        Print one JSON document; a list for several traces.
    """
    paths = trace_paths(traces)
    if scenario is not None and len(paths) > 1:
        msg = f"--scenario describes one trace, and there are {len(paths)}"
        raise UsageError(msg)
    reports = [held_against(path, scenario or path.with_suffix(".toml"), era) for path in paths]
    status = DIVERGES if any(r["verdict"] == "diverges" for r in reports) else FINE
    if json:
        return status, [as_json(reports[0] if len(reports) == 1 else reports)]
    return status, table(reports)


def trace_paths(given: Iterable[Path]) -> list[Path]:
    """The traces that the arguments name, folders searched to the bottom, in order."""
    paths: list[Path] = []
    for path in given:
        found = sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]
        if not found:
            msg = f"{path}: no trace (*.jsonl) in this folder"
            raise UsageError(msg)
        paths += found
    if not paths:
        msg = "conform needs a trace or a folder of traces"
        raise UsageError(msg)
    return paths


def held_against(path: Path, scenario: Path, era: str = "") -> dict[str, Any]:
    """Say how one trace fared, by the keys of `--json`."""
    trace = read_trace(path)
    if not scenario.exists():
        beside = scenario == path.with_suffix(".toml")
        msg = f"{path}: no scenario {scenario.name} beside it; name one with --scenario"
        raise UsageError(msg if beside else f"{scenario}: no such file")
    setting = Setting(load_scenario(str(scenario)), era, name=scenario.stem)
    return reported(str(path), setting.era_name, explained(trace, setting))


def explained(trace: KernelTrace, setting: Setting) -> Explained:
    """Walk along a trace with the model of a setting."""
    task = next((t for t in setting.scenario.task if t.name == OPERATION), None)
    if task is None:
        msg = f"{trace.path}: the scenario has no task {OPERATION!r}, which a trace is about"
        raise UsageError(msg)
    plan = Plan(len(task.setup), len(task.calls), len(task.cleanup))
    return Conformance(trace, setting.machine, plan).run()


def reported(trace: str, era: str, result: Explained) -> dict[str, Any]:
    """The keys of `--json` for one trace."""
    return {
        "trace": trace,
        "era": era,
        "verdict": "diverges" if result.first else "conforms",
        "repetitions": result.repetitions,
        "events": {
            "total": result.total,
            "explained": result.explained,
            "left_out": sum(result.left_out.values()),
        },
        "left_out": [{"what": k, "count": n} for k, n in sorted(result.left_out.items())],
        "tolerances": [{"rule": k, "count": n} for k, n in sorted(result.tolerances.items())],
        "first": msgspec.to_builtins(result.first) if result.first else None,
    }


def table(reports: list[dict[str, Any]]) -> Iterable[str]:
    """The reports as a table, then what was left out and tolerated, then what diverged."""
    width = max(len(short(r["trace"])) for r in reports)
    yield f"{'trace':{width}}  era    verdict   reps  lock events  explained  left out"
    for r in reports:
        events = r["events"]
        yield (
            f"{short(r['trace']):{width}}  {r['era']:5}  {r['verdict']:8}  {r['repetitions']:4}"
            f"  {events['total']:11}  {events['explained']:9}  {events['left_out']:8}"
        )
    for title, key, name in (("left out", "left_out", "what"), ("tolerated", "tolerances", "rule")):
        for r in reports:
            for row in r[key]:
                yield f"{title} in {short(r['trace'])}: {row[name]}: {row['count']}"
    for r in reports:
        if r["first"]:
            yield diverged(short(r["trace"]), msgspec.convert(r["first"], Divergence))


def diverged(trace: str, first: Divergence) -> str:
    """Say in a sentence where a trace and the model part."""
    where = f" in {first.function}" if first.function else ""
    return (
        f"{trace}: line {first.line}, repetition {first.rep}: {first.thread}{where}: "
        f"the kernel's {first.found!r}, where the model has {first.expected!r}"
    )


def short(path: str) -> str:
    """A trace by its folder and name."""
    return "/".join(Path(path).with_suffix("").parts[-2:])
