"""`uffdviz export` and `uffdviz diff`: a recording for people who want it elsewhere."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from cyclopts import Parameter

from uffdviz.errors import RecordingError, UsageError, near_miss
from uffdviz.light import msgspec
from uffdviz.run.commands import Answer, recorded_setting, reported, save
from uffdviz.run.regression import pytest_file
from uffdviz.run.replay import replay
from uffdviz.run.report import event_lines, schedule_lines
from uffdviz.run.setting import Setting
from uffdviz.trace.events import Event
from uffdviz.trace.export.cast import cast
from uffdviz.trace.export.mermaid import mermaid
from uffdviz.trace.export.perfetto import perfetto
from uffdviz.trace.export.svg import svg
from uffdviz.trace.recording import Header, load_recording
from uffdviz.trace.snapshot import History

Form = Literal["text", "perfetto", "cast", "svg", "mermaid", "pytest"]


class Replayed(msgspec.Struct):
    """A recording that was run again: all that the exports may use."""

    header: Header
    setting: Setting
    machine: Any
    history: History

    @property
    def events(self) -> list[Event]:
        """What happened."""
        events: list[Event] = self.machine.events
        return events

    @property
    def title(self) -> str:
        """What the run is of."""
        title = self.header.scenario.get("title", self.header.name)
        return f"{title} ({self.setting.era_name})"


def text(run: Replayed) -> str:
    """The events in words."""
    return "\n".join([run.title, "", *event_lines(run.machine.start, run.events)]) + "\n"


def regression(run: Replayed) -> str:
    """A pytest file that plays the same choices."""
    returns = {name: task.results for name, task in run.history.last.tasks.items()}
    report = reported(run.setting, run.machine)
    return pytest_file(run.header, report, returns, run.events[-1].sentence if run.events else "")


FORMS: Final[dict[Form, Callable[[Replayed], str]]] = {
    "text": text,
    "perfetto": lambda run: perfetto(run.events, run.title),
    "cast": lambda run: cast(run.history, run.events, run.title),
    "svg": lambda run: svg(run.events, run.title),
    "mermaid": lambda run: mermaid(run.events, run.title),
    "pytest": regression,
}


ENDINGS: Final[dict[str, str]] = {
    "text": "{}.txt",
    "perfetto": "{}.json",
    "mermaid": "{}.mmd",
    "pytest": "test_{}.py",
}
"""What a file in a folder is called after the recording, if it does not end in the form's name."""


def export(
    recording: Path, /, *, to: str, output: Annotated[Path | None, Parameter(alias="-o")] = None
) -> Answer:
    """Write a recording in other forms.

    Parameters
    ----------
    recording
        A file made by `run --record` or `check --record`.
    to
        text (sentences), perfetto (its JSON), cast (asciinema), svg, mermaid, pytest (a test); several
        with commas between them.
    output
        The file to write, or a folder that gets a file for each form; if left out, standard output, one
        form after the other.
    """
    forms = forms_of(to)
    run = replayed(recording)
    made = {form: FORMS[form](run) for form in forms}
    if output is None:
        return 0, [line for text in made.values() for line in text.splitlines()]
    paths = paths_for(forms, output, recording.stem)
    for form, path in paths.items():
        save(path, made[form].encode())
    return 0, [f"{path}: {len(made[form].splitlines())} lines" for form, path in paths.items()]


def forms_of(said: str) -> list[Form]:
    """Read a list of forms with commas.

    Raises: UsageError with the nearest one.
    """
    names = list(dict.fromkeys(name.strip() for name in said.split(",")))
    for name in names:
        if name not in FORMS:
            msg = (
                f"--to: no form {name[:60]!r}; forms are {', '.join(FORMS)}{near_miss(name, FORMS)}"
            )
            raise UsageError(msg)
    return [form for name in names for form in FORMS if form == name]


def paths_for(forms: Sequence[Form], output: Path, stem: str) -> dict[Form, Path]:
    """Where each form goes: one to a file, or each to a file of a folder, which is made.

    Raises: UsageError if it is no folder and cannot be made one.
    """
    if len(forms) == 1 and not output.is_dir():
        return {forms[0]: output}
    try:
        output.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        msg = f"{output}: a file, and {len(forms)} forms need a folder"
        raise UsageError(msg) from None
    except OSError as error:
        msg = f"{output}: {(error.strerror or str(error)).lower()}"
        raise UsageError(msg) from None
    return {
        form: output / ENDINGS.get(form, f"{{}}.{form}").format(called(stem, form))
        for form in forms
    }


def called(stem: str, form: Form) -> str:
    """A recording's name as a file of that form has it: a module's has no dashes."""
    return re.sub(r"\W", "_", stem) if form == "pytest" else stem


def replayed(path: Path) -> Replayed:
    """Read a recording and run it again, so that it is known to be whole and true."""
    whole = load_recording(path)
    setting = recorded_setting(whole.header, str(path))
    machine = setting.machine()
    try:
        replay(machine, whole)
    except RecordingError as error:
        msg = f"{path}: {error}"
        raise RecordingError(msg) from None
    return Replayed(whole.header, setting, machine, History(machine.start, machine.events))


def diff(one: Path, other: Path, /) -> Answer:
    """Say in words where two recordings part, and how each ends. Status 1 if they differ.

    Parameters
    ----------
    one
        A recording.
    other
        Another one.
    """
    a, b = replayed(one), replayed(other)
    at = next(
        (i for i, pair in enumerate(zip(a.events, b.events, strict=False)) if said(pair)), None
    )
    if at is None and len(a.events) == len(b.events):
        return 0, [f"the same {len(a.events)} events"]
    shorter = min(len(a.events), len(b.events))
    return 1, parted(a, b, shorter if at is None else at)


def said(pair: tuple[Event, Event]) -> bool:
    """Whether two events say different things."""
    return pair[0].sentence != pair[1].sentence or pair[0].at != pair[1].at


def parted(a: Replayed, b: Replayed, at: int) -> Iterable[str]:
    """The first difference, and the two ends."""
    yield f"the same {at} events, then:"
    for name, run in (("one", a), ("other", b)):
        event = run.events[at] if at < len(run.events) else None
        yield f"  {name:5} {f'{event.n}. {event.sentence}' if event else 'has ended'}"
    for name, run in (("one", a), ("other", b)):
        rest = schedule_lines(e.choice for e in run.events[at:])
        tail = f", by way of {'; '.join(rest[:6])}" if rest else ""
        ends = ", ".join(
            f"{task.name} {' '.join(task.results) or task.state}"
            for task in run.history.last.tasks.values()
        )
        yield f"  {name:5} ends after {len(run.events)} events{tail}: {ends}"
