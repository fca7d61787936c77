"""`uffdviz check`: every interleaving of a scenario, and what it proves."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from uffdviz.check.known_flaws import is_known
from uffdviz.check.properties import RETURNS, pick, rules
from uffdviz.errors import UsageError
from uffdviz.kernel.eras.registry import era as find_era
from uffdviz.light import msgspec
from uffdviz.run.by_chance import judge_by_chance
from uffdviz.run.commands import Answer, as_json, header, save
from uffdviz.run.explore import Limits
from uffdviz.run.search import space_of
from uffdviz.run.setting import Setting, load_setting
from uffdviz.run.verdict import Finding, Verdict, judge
from uffdviz.run.watch import Watch
from uffdviz.trace.recording import write_recording
from uffdviz.trace.speak import counting

Search = Literal["all", "random", "pct"]
FINE, FOUND, UNFINISHED = 0, 1, 3
HIDDEN: Final = (
    "the model is sequentially consistent: mistakes in memory order (a missing barrier, acquire or "
    "release) cannot show here"
)


def how_far(states: int, transitions: int, seconds: float) -> str:
    """Say how far a search is."""
    if not transitions:
        return f"{states} states looked at again, {seconds:.0f} s"
    rate = states / seconds
    return f"{states} states, {transitions} transitions, {rate:,.0f} states/s, {seconds:.0f} s"


def check(  # noqa: PLR0913  an argument per option
    scenario: str,
    /,
    *,
    era: str = "",
    mutate: Sequence[str] = (),
    property: Sequence[str] = (),  # noqa: A002  the option is called so
    search: Search = "all",
    max_states: int = 2_000_000,
    max_seconds: float = 120,
    seed: int = 0,
    record: Path | None = None,
    json: bool = False,
) -> Answer:
    """Try every interleaving of a scenario: a verdict, and a run that shows each finding.

    Parameters
    ----------
    scenario
        A path, or the name of a shipped scenario.
    era
        The kernel to check; the scenario says which if this does not.
    mutate
        A mistake to put in: M01, or a file of functions. May be repeated.
    property
        What to look for: S1 to S14, L1 to L6, and `returns` (calls return what the scenario says); if left
        out all of them, `returns` only under the scenario's own kernel. May be repeated.
    search
        Every interleaving, or runs by chance for what is too large.
    max_states
        Give up after so many states.
    max_seconds
        Give up after so long.
    seed
        What the chance of random and pct is made of.
    record
        The file for the recording of the first finding.
    json
        Print one JSON document.
    """
    if max_states < 1 or not max_seconds > 0:  # which nan is not, either
        msg = "--max-states and --max-seconds must be larger than nothing"
        raise UsageError(msg)
    setting = load_setting(scenario, era, tuple(mutate))
    idents = pick(property)
    if not property and expects(setting):
        idents = (*idents, RETURNS)
    worth = ""
    with Watch(how_far, max_seconds, [name for name in mutate if name.endswith(".py")]) as watch:
        space = space_of(setting, rules(idents))
        limits = Limits(max_states, watch.tick)
        if search == "all":
            verdict = judge(space, setting.machine, limits)
        else:
            verdict, worth = judge_by_chance(space, setting.machine, limits, search, seed)
        own = None
        if mutate and search == "all" and some_known(setting, verdict):
            own = own_flaws(load_setting(scenario, era), idents, limits)
    report = reported(setting, idents, verdict, watch.seconds, own)
    if worth:
        report["worth"] = worth
    if record is not None:
        report["recorded"] = recorded(record, setting, verdict, idents)
    status = {"holds": FINE, "violated": FOUND, "unfinished": UNFINISHED}[report["verdict"]]
    return status, [as_json(report)] if json else lines(report)


def expects(setting: Setting) -> bool:
    """Whether the scenario says what its calls return under this kernel: under its own, that is."""
    calls = (call for table in setting.scenario.task for call in table.calls)
    own = find_era(setting.scenario.era).era == setting.era_name
    return own and any(call.returns is not None for call in calls)


def some_known(setting: Setting, verdict: Verdict) -> bool:
    """Whether anything that was found is what the era is known for."""
    return any(is_known(setting.era_name, one.property, one.text) for one in verdict.findings)


def own_flaws(setting: Setting, idents: Sequence[str], limits: Limits) -> frozenset[str] | None:
    """The properties that a kernel breaks here without a mutation; None if a limit came first.

    A mutation can bring about what other scenarios show of the kernel as it is: here it is new then.
    """
    verdict = judge(space_of(setting, rules(idents)), setting.machine, limits)
    return frozenset(one.property for one in verdict.findings) if verdict.finished else None


def reported(
    setting: Setting,
    idents: Sequence[str],
    verdict: Verdict,
    seconds: float,
    own: frozenset[str] | None = None,
) -> dict[str, Any]:
    """Say all about a check by the keys of `--json`. `own`: what breaks without a mutation."""
    findings = [
        msgspec.structs.replace(
            finding,
            known_flaw=is_known(setting.era_name, finding.property, finding.text)
            and (own is None or finding.property in own),
        )
        for finding in verdict.findings
        if finding.property in idents
    ]
    clean = "holds" if verdict.finished else "unfinished"
    broken = {finding.property for finding in findings}
    new = any(not finding.known_flaw for finding in findings)
    return {
        "scenario": setting.name,
        "verdict": "violated" if new else clean,
        "era": setting.era_name,
        "mutations": list(setting.mutations),
        "states": verdict.states,
        "transitions": verdict.transitions,
        "seconds": round(seconds, 3),
        "properties": {ident: "violated" if ident in broken else clean for ident in idents},
        "findings": [as_finding(finding) for finding in findings],
        "hidden": HIDDEN,
    }


def as_finding(finding: Finding) -> dict[str, Any]:
    """Say a finding by the keys of `--json`."""
    keys: dict[str, Any] = msgspec.to_builtins(finding)
    del keys["choices"]
    return keys


def recorded(
    path: Path, setting: Setting, verdict: Verdict, idents: Sequence[str]
) -> dict[str, str] | None:
    """Write the recording of the first finding. Returns: whose it is, and where; None without one."""
    finding = next((one for one in verdict.findings if one.property in idents), None)
    if finding is None:
        return None
    record_finding(path, setting, finding)
    return {"property": finding.property, "text": finding.text, "path": str(path)}


def record_finding(path: Path, setting: Setting, finding: Finding) -> None:
    """Write the recording of the run that shows a finding."""
    machine = setting.machine()
    for choice in finding.choices:
        machine.step(choice)
    save(path, write_recording(header(setting, machine, 0), machine.events))


def lines(report: dict[str, Any]) -> Iterator[str]:
    """Say a check in words."""
    where = f"{report['scenario']} under {report['era']}"
    changed = "".join(f" with {name}" for name in report["mutations"])
    yield f"{where}{changed}: {report['verdict']}"
    counts = f"{counting(report['states'], 'state')}, {report['transitions']} transitions"
    yield f"{counts}, {report['seconds']} s"
    for word in ("holds", "unfinished"):
        idents = [ident for ident, verdict in report["properties"].items() if verdict == word]
        if idents:
            yield f"{word}: {' '.join(idents)}"
    for finding in report["findings"]:
        yield from finding_lines(finding)
    if "recorded" in report:
        yield from ("", recorded_line(report["recorded"]))
    if "worth" in report:
        yield report["worth"]
    yield report["hidden"]


def recorded_line(recorded: dict[str, str] | None) -> str:
    """Say which finding was recorded, and where."""
    if recorded is None:
        return "no finding, so nothing is recorded"
    return f"recorded in {recorded['path']}: the run that shows {recorded['property']}"


def finding_lines(finding: dict[str, Any]) -> Iterable[str]:
    """Say a finding in words."""
    known = " (known flaw of this kernel)" if finding["known_flaw"] else ""
    yield ""
    yield f"{finding['property']}{known}: {finding['text']}"
    fewest = "fewest switches, then fewest steps" if finding["shortest"] else "not the shortest"
    length = f"{counting(finding['steps'], 'step')}, {counting(finding['switches'], 'switch')}"
    yield f"{length} ({fewest}):"
    yield from (f"    {line}" for line in finding["schedule"])
    if finding["point_of_no_return"] is not None:
        yield f"from step {finding['point_of_no_return']} on nothing else can happen"
