"""A recording again, compared event by event with what was recorded."""

from collections.abc import Mapping, Sequence
from typing import Any

from uffdviz.errors import RecordingError, ReplayDivergedError, ScheduleError
from uffdviz.run.machine import Machine
from uffdviz.trace.recording import Recording, as_written, short


def replay(machine: Machine, recording: Recording) -> None:
    """Run a recording again.

    Raises: ReplayDivergedError at the first event that differs; RecordingError when the choices do
    not belong to the events, or all events fit and yet the digest does not.
    """
    choices = recording.header.schedule
    if len(choices) != len(recording.events):
        msg = f"line 1: {len(choices)} choices for {len(recording.events)} events"
        raise RecordingError(msg)
    for number, recorded in enumerate(recording.events, 1):
        try:
            event = machine.step(choices[number - 1])
        except ScheduleError as error:
            msg = f"replay diverged at event {number}: recorded {said(recorded)!r}, now {error}"
            raise ReplayDivergedError(msg) from None
        compare(number, recorded, as_written(event))
    if not recording.intact:
        msg = f"line {len(choices) + 2}: the digest does not fit, although every event does"
        raise RecordingError(msg)


def compare(number: int, recorded: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse an event that is not as it was recorded."""
    if recorded == now:
        return
    msg = f"replay diverged at event {number}: recorded {said(recorded)!r}, now {said(now)!r}"
    if said(recorded) == said(now):
        keys = [key for key in sorted({*recorded, *now}) if recorded.get(key) != now.get(key)]
        key = keys[0]
        msg += f"; {key!r} was {short(recorded.get(key))}, is {short(now.get(key))}"
    raise ReplayDivergedError(msg)


def said(event: Mapping[str, Any]) -> str:
    """The recorded event as a sentence."""
    return f"{event.get('task')} {event.get('text')}"


def follow(machine: Machine, choices: Sequence[str]) -> None:
    """Take the choices of a token.

    Raises: ReplayDivergedError when one cannot be taken.
    """
    for number, choice in enumerate(choices, 1):
        try:
            machine.step(choice)
        except ScheduleError as error:
            msg = f"replay diverged at event {number}: chosen was {choice!r}, now {error}"
            raise ReplayDivergedError(msg) from None
