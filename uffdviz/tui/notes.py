"""`uffdviz notes`: a lecture's page, answers and next steps, on another terminal than the audience's."""

import json
import shutil
import signal
import socket
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from uffdviz.errors import UsageError, near_miss
from uffdviz.places import lectures_dir

NONE: Final = "no lecture is running: press l on the screen of a run, in another terminal"
OVER: Final = "The lecture has ended."
CLEAR: Final = "\x1b[H\x1b[2J"
PATIENCE: Final = 2.0
"""Seconds in which a lecture has to say its first word."""
SUFFIX: Final = ".sock"


def notes(lecture: str = "", /, *, plain: bool = False) -> tuple[int, Iterator[str]]:
    """Show what a lecture on another terminal does not: its page, answers, and what comes next.

    It follows the lecture (the key l on the screen of a run) until that ends.

    Parameters
    ----------
    lecture
        Which one, if several are going on: its number.
    plain
        As sentences one after the other, as in a pipe.
    """
    listener = Listener(chosen(lectures_dir(), lecture))
    if plain or not sys.stdout.isatty():
        return 0, as_sentences(listener)
    return 0, as_screen(listener)


class Listener:
    """Hears one lecture. Raises: UsageError if it says nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first: Mapping[str, Any] = {}
        self._socket = socket.socket(socket.AF_UNIX)
        self._heard = b""
        self._socket.settimeout(PATIENCE)
        try:
            self._socket.connect(str(path))
            self.first = self._next() or {}
        except TimeoutError:
            msg = f"the lecture {path.stem} says nothing: its terminal may be stopped"
            raise UsageError(msg) from None
        self._socket.settimeout(None)

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def all(self) -> Iterator[Mapping[str, Any]]:
        """Give the notes as they change, the newest only, until the lecture ends."""
        notes: Mapping[str, Any] | None = self.first
        while notes is not None:
            yield notes
            notes = self._next()
        self.close()

    def _next(self) -> Mapping[str, Any] | None:
        """Wait for other notes; None: there will be none."""
        while b"\n" not in self._heard:
            try:
                more = self._socket.recv(1 << 16)
            except ConnectionError:
                more = b""
            if not more:
                return None
            self._heard += more
        *lines, self._heard = self._heard.split(b"\n")
        return read(lines[-1], self.path)


def read(line: bytes, path: Path) -> Mapping[str, Any]:
    """Read notes.

    Raises: UsageError if they are none.
    """
    try:
        found = json.loads(line)
        title, parts = str(found["title"]), [(str(a), [*map(str, b)]) for a, b in found["parts"]]
    except (ValueError, TypeError, KeyError):
        msg = f"the lecture {path.stem} is of another version of uffdviz: its notes cannot be read"
        raise UsageError(msg) from None
    return {"title": title, "parts": parts}


def chosen(folder: Path, name: str) -> Path:
    """Find the lecture that is meant. Sockets that nobody listens at any more are taken away.

    Raises: UsageError if there is none, or which one is not said.
    """
    found = {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}")) if is_alive(path)}
    if not found:
        raise UsageError(NONE)
    if name:
        if name not in found:
            msg = f"no lecture {name!r}; lectures are {', '.join(found)}{near_miss(name, found)}"
            raise UsageError(msg)
        return found[name]
    if len(found) > 1:
        each = ", ".join(f"{stem} ({title(path)})" for stem, path in found.items())
        msg = f"{len(found)} lectures are going on: {each}: say which, as in 'uffdviz notes {next(iter(found))}'"
        raise UsageError(msg)
    return next(iter(found.values()))


def is_alive(path: Path) -> bool:
    """Whether a process listens at a socket; one that was left behind is taken away."""
    with socket.socket(socket.AF_UNIX) as knock:
        knock.settimeout(PATIENCE)
        try:
            knock.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return False
        except OSError:
            return False
    return True


def title(path: Path) -> str:
    """What a lecture is about; why not, if it does not say."""
    try:
        listener = Listener(path)
    except UsageError as error:
        return str(error)
    listener.close()
    return str(listener.first.get("title", "")).partition("  ")[0]


def lines_of(notes: Mapping[str, Any], width: int) -> list[str]:
    """Notes as text."""
    lines = [*textwrap.wrap(notes["title"], width), ""]
    for heading, said in notes["parts"]:
        lines.append(f"{heading}:")
        for row in said:
            deep = "  " + " " * (len(row) - len(row.lstrip()))
            lines += textwrap.wrap(
                row.strip(), width, initial_indent=deep, subsequent_indent=deep
            ) or [""]
        lines.append("")
    return lines


def as_sentences(listener: Listener) -> Iterator[str]:
    """One block of text after each change, and nothing twice."""
    before: list[tuple[str, list[str]]] = []
    for now in listener.all():
        new = [part for part in now["parts"] if part not in before]
        before = now["parts"]
        yield from lines_of({**now, "parts": new}, 100)
        sys.stdout.flush()
    yield OVER


def as_screen(listener: Listener) -> Iterator[str]:
    """The newest notes on an empty terminal, drawn anew when its size changes."""
    newest = [listener.first]

    def again(*_: object) -> None:
        sys.stdout.write(f"{picture(newest[0])}\n")
        sys.stdout.flush()

    before = signal.signal(signal.SIGWINCH, again)
    try:
        for newest[0] in listener.all():
            yield picture(newest[0])
            sys.stdout.flush()
    finally:
        _ = signal.signal(signal.SIGWINCH, before)
    yield OVER


def picture(notes: Mapping[str, Any]) -> str:
    """Notes as they fit the terminal."""
    size = shutil.get_terminal_size()
    lines = lines_of(notes, max(20, size.columns - 1))
    room = max(1, size.lines - 2)
    if len(lines) > room:
        lines = [line for line in lines if line]
    if len(lines) > room:
        lines = [*lines[: room - 1], "… (a taller terminal shows more)"]
    return CLEAR + "\n".join(lines)
