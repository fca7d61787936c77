"""Reading a lock trace of a real kernel: JSON lines, one event a line.

Only what the model can be held against is kept apart: lock events, the beginning and end of a
repetition, and the calls and returns that say where in a function a thread is.
"""

from pathlib import Path
from typing import Any, Final

from uffdviz.errors import RecordingError
from uffdviz.light import msgspec

LOCK_EVENTS: Final = ("acquire", "fail", "release", "downgrade", "contend_begin")
SPINS: Final = ("ptl", "page_table_lock", ".lock")
ENTRY: Final = ("__x64_sys_", "page_fault_", "userfaultfd_read", "userfaultfd_poll", "kernel_clone")
LIMIT: Final = 64 << 20


class TraceEvent(msgspec.Struct, frozen=True):
    """One line. `seq` is the trace's own number; `line` counts from 1."""

    seq: int
    thread: str
    event: str
    fn: str | None = None
    rep: int | None = None
    lock: str | None = None
    mode: str | None = None
    addr: str | None = None
    vma: str | None = None
    site: str | None = None
    args: dict[str, Any] = msgspec.field(default_factory=dict)
    ret: int | str | None = None
    start: str | None = None
    end: str | None = None
    state: str | None = None
    line: int = 0

    @property
    def is_lock(self) -> bool:
        """Whether this is something that a task did to a lock."""
        return self.event in LOCK_EVENTS

    @property
    def spins(self) -> bool:
        """Whether the lock is a spinlock: its acquire is stamped at the entry."""
        return (self.lock or "").startswith(SPINS[:2]) or (self.lock or "").endswith(SPINS[2])

    @property
    def said(self) -> str:
        """The event in a few words, as the trace has it."""
        what = f" of {self.vma}" if self.vma else ""
        mode = f" for {self.mode}" if self.mode else ""
        return f"{self.event} {self.lock or self.fn}{what}{mode}"


class KernelTrace(msgspec.Struct, frozen=True):
    """A whole trace: where it was, its events in order, and the mappings that it names."""

    path: str
    events: tuple[TraceEvent, ...]

    @property
    def threads(self) -> tuple[str, ...]:
        """The roles that appear, in order of appearance."""
        return tuple(dict.fromkeys(e.thread for e in self.events))

    @property
    def between_calls(self) -> set[str]:
        """The threads that were in no call when the first repetition began, as far as one sees."""
        first: dict[str, TraceEvent] = {}
        begun = False
        for event in self.events:
            begun = begun or event.event == "begin"
            if begun and event.event not in {"run", "block", "note"}:
                first.setdefault(event.thread, event)
        return {t for t, e in first.items() if e.event == "call" and (e.fn or "").startswith(ENTRY)}

    @property
    def mappings(self) -> dict[str, tuple[int, int]]:
        """Start and end of each named mapping, as recorded."""
        return {
            e.fn: (int(e.start, 16), int(e.end, 16))
            for e in self.events
            if e.event == "vma" and e.fn and e.start and e.end
        }


def read_trace(path: Path) -> KernelTrace:
    """Read a trace.

    Raises: RecordingError with the file, the line, and what is wrong with it.
    """
    try:
        if path.stat().st_size > LIMIT:
            raise _wrong(path, 0, "larger than 64 MiB")
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise _wrong(path, 0, f"cannot be read: {error.strerror}") from None
    if not lines:
        raise _wrong(path, 0, "empty; a trace is one JSON object a line")
    decoder = msgspec.json.Decoder(TraceEvent)
    events = []
    for number, line in enumerate(lines, 1):
        try:
            event = decoder.decode(line)
        except msgspec.ValidationError as error:
            raise _wrong(path, number, str(error)) from None
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise _wrong(path, number, "not a JSON object; is the file cut off?") from None
        events.append(msgspec.structs.replace(event, line=number))
    return KernelTrace(str(path), tuple(events))


def _wrong(path: Path, line: int, what: str) -> RecordingError:
    where = f"line {line}: " if line else ""
    return RecordingError(f"{path}: {where}{what}")
