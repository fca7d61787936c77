"""What `run`, `replay` and `compare` do, once their arguments are known.

Each gives an exit status and the lines to print: 0 fine, 1 a finding, 3 unfinished.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from uffdviz.errors import RecordingError, ScenarioError, ScheduleError, UsageError
from uffdviz.light import msgspec
from uffdviz.run.interleaving import function_names
from uffdviz.run.machine import Machine
from uffdviz.run.replay import follow
from uffdviz.run.replay import replay as replay_events
from uffdviz.run.report import ending_lines, event_lines, plain_lines, run_report, totals_lines
from uffdviz.run.setting import Setting, load_setting, setting_of
from uffdviz.run.simulate import make_scheduler, simulate
from uffdviz.run.watch import Tick, Watch, how_far
from uffdviz.schedulers.scripted import Scripted
from uffdviz.trace.recording import Header, Recording, load_recording, write_recording
from uffdviz.trace.schedule import Instruction, parse_schedule
from uffdviz.trace.snapshot import History
from uffdviz.trace.token import PREFIX, is_token, read_token, write_token

Answer = tuple[int, Iterable[str]]
Said = tuple[str, str]
"""A schedule, and what messages call it."""

MOST_EVENTS: Final = 300_000
"""Where a run that does not end is stopped: it is then called unfinished."""


def run_command(  # noqa: PLR0913, PLR0917  an argument per option
    scenario: str,
    era: str,
    mutations: tuple[str, ...],
    schedule: Said,
    scheduler: str,
    seed: int,
    record: Path | None,
    *,
    plain: bool = False,
    json: bool,
) -> Answer:
    """Run a scenario once."""
    setting = load_setting(scenario, era, mutations)
    machine = setting.machine()
    script = parsed(schedule, machine)
    with Watch(lambda steps, now, _: how_far(setting.era_name, steps, now)) as watch:
        ended = simulate_script(machine, script, schedule[1], watch.tick) and simulate(
            machine, make_scheduler(scheduler, seed), MOST_EVENTS, watch.tick
        )
    report = reported(setting, machine)
    report["unfinished"] = not ended
    if record is not None:
        head = header(setting, machine, seed, scheduler)
        save(record, write_recording(head, machine.events))
    status = 3 if not ended else 1 if report["deadlock"] is not None or unmet(report) else 0
    if json:
        return status, [as_json(report)]
    return status, run_lines(machine, report, ended=ended, plain=plain)


def parsed(schedule: Said, machine: Machine) -> tuple[Instruction, ...]:
    """Read a schedule; none means none."""
    text, called = schedule
    if not text and called == "schedule":
        return ()
    try:
        return parse_schedule(text, tuple(machine.tasks), function_names(machine))
    except ScheduleError as error:
        msg = f"{called}: {error}"
        raise ScheduleError(msg) from None


def simulate_script(
    machine: Machine, script: Sequence[Instruction], called: str, tick: Tick | None = None
) -> bool:
    """Follow a schedule to its end. Returns: whether neither the limit of events nor `tick` cut it short."""
    if not script:
        return True
    scheduler = Scripted(script, machine)
    try:
        return simulate(machine, scheduler, MOST_EVENTS, tick)
    except ScheduleError as error:
        msg = f"{called}: {scheduler.placed(error)}"
        raise ScheduleError(msg) from None


def reported(setting: Setting, machine: Machine, *, grouped: bool = False) -> dict[str, Any]:
    """Say all about a finished run; `grouped`: with one row for the locks of one name."""
    last = History(machine.start, machine.events).last
    report = run_report(
        machine,
        last,
        scenario=setting.name,
        mutations=setting.mutations,
        background=sorted(setting.background),
        grouped=grouped,
    )
    report["unmet"] = setting.unmet(report["returns"])
    return report


def unmet(report: dict[str, Any]) -> bool:
    return bool(report["unmet"])


def run_lines(
    machine: Machine, report: dict[str, Any], *, ended: bool, plain: bool = False
) -> Iterable[str]:
    """Say a run in words."""
    lines = plain_lines if plain else event_lines
    yield from lines(machine.start, machine.events)
    yield ""
    yield from ending_lines(report)
    yield from report["unmet"]
    if not ended:
        yield f"unfinished: stopped after {len(machine.events)} events"
    yield ""
    yield from totals_lines(report["totals"])


def header(
    setting: Setting, machine: Machine, seed: int | None = None, scheduler: str = ""
) -> Header:
    """Say what a run began with, and every choice in it."""
    return Header(
        scenario=msgspec.to_builtins(setting.scenario),
        name=setting.name,
        era=setting.era_name,
        mutations=tuple(setting.mutations),
        schedule=tuple(event.choice for event in machine.events),
        seed=seed,
        scheduler=scheduler,
    )


def save(path: Path, data: bytes) -> None:
    """Write a file, or say why not."""
    try:
        path.write_bytes(data)
    except OSError as error:
        msg = f"{path}: {(error.strerror or str(error)).lower()}"
        raise UsageError(msg) from None


def replay_command(recording: str, *, json: bool) -> Answer:
    """Run a recording or a token again.

    Raises: ReplayDivergedError, RecordingError.
    """
    whole: Recording | None = None
    if is_token(recording):
        head = read_token(recording)
    else:
        whole = load_recording(recording_path(recording))
        head = whole.header
    setting = recorded_setting(head, "token" if whole is None else recording)
    machine = setting.machine()
    if whole is None:
        follow(machine, head.schedule)
    else:
        try:
            replay_events(machine, whole)
        except RecordingError as error:
            msg = f"{recording}: {error}"
            raise RecordingError(msg) from None
    report = reported(setting, machine)
    if json:
        return 0, [as_json(report)]
    count = len(machine.events)
    lines = [f"{count} events, each as it was recorded"]
    if whole is None:
        lines = [*event_lines(machine.start, machine.events), "", f"{count} events"]
    return 0, [*lines, *ending_lines(report), "", *totals_lines(report["totals"])]


def recording_path(word: str) -> Path:
    """The file that stands where a token might stand, too.

    Raises: RecordingError if there is none.
    """
    try:
        there = bool(word) and Path(word).exists()
    except (OSError, ValueError):
        there = False
    if not there:
        msg = (
            f"{word[:60]!r}: neither a file nor a token; a token is text such as {PREFIX}eNqtVE1v, "
            f"and 'run --record FILE' makes a file"
        )
        raise RecordingError(msg)
    return Path(word)


def recorded_setting(head: Header, called: str) -> Setting:
    """Set up what a recording began with."""
    try:
        return setting_of(head.scenario, head.name, head.era, head.mutations)
    except (ScenarioError, UsageError) as error:
        msg = f"{called}: {error}"
        raise RecordingError(msg) from None


def token_of(setting: Setting, machine: Machine) -> str:
    """Give a run as text that can be pasted."""
    return write_token(header(setting, machine))


def as_json(value: Any) -> str:
    """Write one JSON document for people and programs."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
