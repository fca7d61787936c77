"""`uffdviz check`: every interleaving of a scenario, and what it proves."""

import signal
import sys
import threading
import time  # noqa: TID251  how long a search took, and when to give up
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final, Literal, Self

from uffdviz.check.known_flaws import is_known
from uffdviz.check.properties import pick, rules
from uffdviz.errors import UsageError
from uffdviz.light import msgspec
from uffdviz.run.by_chance import judge_by_chance
from uffdviz.run.commands import Answer, as_json, header, save
from uffdviz.run.explore import Limits
from uffdviz.run.search import space_of
from uffdviz.run.setting import Setting, load_setting
from uffdviz.run.verdict import Finding, Verdict, judge
from uffdviz.trace.recording import write_recording
from uffdviz.trace.speak import counting

Search = Literal["all", "random", "pct"]
FINE, FOUND, UNFINISHED = 0, 1, 3
HIDDEN: Final = (
    "the model is sequentially consistent: mistakes in memory order (a missing barrier, acquire or "
    "release) cannot show here"
)


GRACE: Final = 5.0
"""How many seconds code from outside may go on without a step, once the search should end."""
OFTEN: Final = 3
"""How often in a row it is found there before that is said."""
FOR_EVER: Final = 1e6


class Watch:
    """Ends a search in time or at Ctrl-C, and says on stderr how far it is.

    `files` are code from outside, which may go on for ever without a step: then nobody asks whether
    to go on, and an alarm that finds it there again and again ends the search.
    """

    def __init__(self, max_seconds: float, files: Sequence[str] = ()) -> None:
        self._max_seconds = max_seconds
        self._files = files if hasattr(signal, "setitimer") else ()
        self._found_there = 0
        self._begun = time.monotonic()
        self._said = 0.0
        self.interrupted = False
        self._before: Any = None

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._begun

    def __enter__(self) -> Self:
        """Begin to listen for Ctrl-C."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupt)
            if self._files:
                signal.signal(signal.SIGALRM, self._give_up)
                self._alarm(min(self._max_seconds, FOR_EVER) + GRACE)
        return self

    def __exit__(self, *_: object) -> None:
        """Let Ctrl-C be what it was."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            if self._files:
                self._alarm(0)
                signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def _interrupt(self, *_: object) -> None:
        self.interrupted = True
        if self._files:
            self._alarm(GRACE)

    @staticmethod
    def _alarm(seconds: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def _give_up(self, _: int, frame: FrameType | None) -> None:
        there = {at.f_code.co_filename for at in callers(frame)} & {*self._files}
        self._found_there = self._found_there + 1 if there else 0
        if self._found_there == OFTEN:
            msg = f"{' or '.join(there)}: a function goes on and on without a step"
            raise UsageError(msg)
        self._alarm(GRACE / OFTEN)

    def tick(self, states: int, transitions: int) -> bool:
        """Say how far the search is. Returns: whether it may go on."""
        seconds = self.seconds
        if seconds - self._said > 1:
            self._said = seconds
            rate = states / seconds
            text = (
                f"{states} states, {transitions} transitions, {rate:,.0f} states/s, {seconds:.0f} s"
            )
            end = "\r" if sys.stderr.isatty() else "\n"
            sys.stderr.write(f"{text}{end}")
            sys.stderr.flush()
        return seconds < self._max_seconds and not self.interrupted


def callers(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame, and those that it was called from."""
    while frame is not None:
        yield frame
        frame = frame.f_back


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
        What to look for: S1 to S14, L1 to L6; all of them if left out. May be repeated.
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
    idents = pick(property)
    setting = load_setting(scenario, era, tuple(mutate))
    worth = ""
    with Watch(max_seconds, [name for name in mutate if name.endswith(".py")]) as watch:
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
