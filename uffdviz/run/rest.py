"""A long recording that is replayed while it is already looked at."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from uffdviz.errors import RecordingError, ReplayDivergedError, ScheduleError
from uffdviz.light import msgspec
from uffdviz.run.collector import look_no_more, without_collector
from uffdviz.run.machine import Machine
from uffdviz.run.replay import compare
from uffdviz.trace.recording import (
    FORMAT,
    VERSION,
    Header,
    Last,
    as_written,
    digest,
    event_line,
    read_line,
)

LONG: Final = 2 << 20
"""From so many bytes on a recording is read like this."""


class Rest:
    """What is still to be replayed: choices, and the lines of their events as they were written."""

    def __init__(self, choices: Sequence[str] = (), lines: Sequence[bytes] = ()) -> None:
        self.choices = choices
        self._lines = lines

    def read_on(self, machine: Machine, most: int) -> None:
        """Take up to `most` further steps.

        Raises: ReplayDivergedError at the first event that differs.
        """
        with without_collector():
            self._read_on(machine, most)
        if len(machine.events) == len(self.choices):
            look_no_more()

    def _read_on(self, machine: Machine, most: int) -> None:
        done = len(machine.events)
        for number in range(done + 1, min(done + most, len(self.choices)) + 1):
            line = self._lines[number - 1]
            try:
                event = machine.step(self.choices[number - 1])
            except ScheduleError as error:
                msg = f"replay diverged at event {number}: {error}"
                raise ReplayDivergedError(msg) from None
            if event_line(event) != line:
                compare(number, read_line(number + 1, line), as_written(event))


def open_long(path: Path) -> tuple[Header, Rest]:
    """Read the first and the last line of a recording, and keep the others for later.

    Raises: RecordingError.
    """
    first, *lines, last = path.read_bytes().removesuffix(b"\n").split(b"\n")
    try:
        if (head := read_line(1, first)).get("format") != FORMAT or head["version"] != VERSION:
            msg = f"{path}: line 1: not a recording of a known version"
            raise RecordingError(msg)
        header = msgspec.convert(head, Header)
        end = msgspec.convert(read_line(len(lines) + 2, last), Last)
    except (msgspec.ValidationError, KeyError):
        msg = f"{path}: cut off, or not a recording"
        raise RecordingError(msg) from None
    if end.events != len(lines) or len(header.schedule) != len(lines):
        msg = f"{path}: {end.events} events were recorded, {len(lines)} are here"
        raise RecordingError(msg)
    if end.digest != digest(b"".join(line + b"\n" for line in (first, *lines))):
        msg = f"{path}: the digest does not fit"
        raise RecordingError(msg)
    return header, Rest(header.schedule, lines)
