"""A run in a file: a header, an event a line, and a last line that says whether it is whole.

Everything is JSON. The digest is over the bytes of all lines before the last, so that a change that
leaves every event as it was is noticed as well.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from uffdviz.errors import RecordingError
from uffdviz.light import msgspec
from uffdviz.trace.events import Event

FORMAT: Final = "uffdviz-recording"
VERSION: Final = 1
MAX_SIZE: Final = 1 << 30


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a run began with, and every choice in it. `scenario` holds the scenario's own tables."""

    scenario: dict[str, Any]
    era: str
    name: str = ""
    mutations: tuple[str, ...] = ()
    schedule: tuple[str, ...] = ()
    seed: int | None = None
    scheduler: str = ""


class Recording(msgspec.Struct, frozen=True):
    """A header, the events as they were written, and whether the digest fits all that."""

    header: Header
    events: tuple[dict[str, Any], ...]
    intact: bool = True


class Last(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last line."""

    events: int
    digest: str


def event_line(event: Event) -> bytes:
    """Write one event."""
    return msgspec.json.encode(event)


def as_written(event: Event) -> dict[str, Any]:
    """Give an event as it is after it was written and read."""
    read: dict[str, Any] = msgspec.json.decode(event_line(event))
    return read


def write_recording(header: Header, events: Iterable[Event]) -> bytes:
    """Write a whole recording."""
    first = {"format": FORMAT, "version": VERSION, **msgspec.to_builtins(header)}
    lines = [msgspec.json.encode(first), *(event_line(event) for event in events)]
    body = b"".join(line + b"\n" for line in lines)
    last = {"events": len(lines) - 1, "digest": digest(body)}
    return body + msgspec.json.encode(last) + b"\n"


def digest(body: bytes) -> str:
    """Digest the bytes of a recording's lines before the last."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def load_recording(path: Path) -> Recording:
    """Read a recording from a file.

    Raises: RecordingError, which begins with the file.
    """
    try:
        if path.stat().st_size > MAX_SIZE:
            msg = f"{path}: larger than 1 GiB"
            raise RecordingError(msg)
        data = path.read_bytes()
    except OSError as error:
        msg = f"{path}: {(error.strerror or str(error)).lower()}"
        raise RecordingError(msg) from None
    try:
        return read_recording(data)
    except RecordingError as error:
        msg = f"{path}: {error}"
        raise RecordingError(msg) from None


def read_recording(data: bytes) -> Recording:
    """Read a recording.

    Raises: RecordingError with the line: cut off, not JSON, not ours, or of an unknown version.
    """
    lines = data.split(b"\n")
    if lines[-1]:
        msg = f"line {len(lines)}: cut off: the line does not end"
        raise RecordingError(msg)
    lines.pop()
    if not lines:
        msg = "empty: a recording has a first and a last line"
        raise RecordingError(msg)
    first = read_line(1, lines[0])
    version = first.get("version")
    if first.get("format") != FORMAT:
        msg = f'line 1: not a recording: "format" is {short(first.get("format"))}, not {FORMAT!r}'
        raise RecordingError(msg)
    reader = READERS.get(version) if type(version) is int else None
    if reader is None:
        msg = f"line 1: version {short(version)} is unknown; this program reads 1 to {VERSION}"
        raise RecordingError(msg)
    return reader(first, lines)


def _read_1(first: Mapping[str, Any], lines: Sequence[bytes]) -> Recording:
    """Read version 1."""
    try:
        header = msgspec.convert(first, Header)
    except msgspec.ValidationError as error:
        msg = f"line 1: {decapitalized(error)}"
        raise RecordingError(msg) from None
    if len(lines) < 2:
        msg = "line 1: cut off: no last line with the number of events"
        raise RecordingError(msg)
    events = [read_line(number, line) for number, line in enumerate(lines[1:], 2)]
    try:
        last = msgspec.convert(events.pop(), Last)
    except msgspec.ValidationError:
        msg = f"line {len(lines)}: cut off: no last line with the number of events and the digest"
        raise RecordingError(msg) from None
    if last.events != len(events):
        msg = f"line {len(lines)}: {last.events} events were recorded, {len(events)} are here"
        raise RecordingError(msg)
    for number, event in enumerate(events, 2):
        _check_event(number, event)
    body = b"".join(line + b"\n" for line in lines[:-1])
    return Recording(header, tuple(events), last.digest == digest(body))


READERS: Final[dict[int, Callable[[Mapping[str, Any], Sequence[bytes]], Recording]]] = {1: _read_1}
"""How each version is read; a new version adds a line and keeps those before it."""


def _check_event(number: int, event: Mapping[str, Any]) -> None:
    missing = [key for key in ("n", "task", "text") if key not in event]
    if missing:
        msg = f"line {number}: not an event: no {missing[0]!r}"
        raise RecordingError(msg)


def read_line(number: int, line: bytes) -> dict[str, Any]:
    """Read one line as a JSON object."""
    try:
        value = json.loads(line)
    except RecursionError:
        msg = f"line {number}: nested too deep"
        raise RecordingError(msg) from None
    except UnicodeDecodeError:
        msg = f"line {number}: not text: a recording is JSON, one object a line"
        raise RecordingError(msg) from None
    except ValueError as error:
        msg = f"line {number}: not JSON: {decapitalized(error)}"
        raise RecordingError(msg) from None
    if not isinstance(value, dict):
        msg = f"line {number}: {short(value)} is not a JSON object"
        raise RecordingError(msg)
    return value


def decapitalized(error: Exception) -> str:
    """The first line of an error's text, as part of a sentence."""
    text = (str(error) or "unreadable").splitlines()[0]
    return text[:1].lower() + text[1:]


def short(value: Any, most: int = 60) -> str:
    """Say a value in few characters."""
    said = repr(value)
    return said if len(said) <= most else f"{said[:most]}…"
