"""A real terminal: the application runs in a session of its own behind a pseudo-terminal."""

import os
import re
import select
import subprocess
import sys
import termios
from collections.abc import Mapping
from fcntl import ioctl
from pathlib import Path
from struct import pack
from typing import Any, Final, Self

CONTROL: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
PATIENCE: Final = 30.0
LEAD: Final = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    " os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes the terminal the one of its session, so that closing it hangs up."""
LEFT: Final = ("\x1b[?1049l", "\x1b[?25h", "\x1b[?1000l", "\x1b[?2004l")
"""The other screen is left; the cursor is seen; mouse and paste are the terminal's own again."""


class Terminal:
    """Runs `uffdviz` with some words; `written` is all it wrote since the last look."""

    def __init__(self, words: list[str], environment: Mapping[str, str]) -> None:
        self.master, self.slave = os.openpty()
        _ = ioctl(self.slave, termios.TIOCSWINSZ, pack("HHHH", 30, 100, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.written = ""
        own = {**os.environ, "TERM": "xterm-256color", **environment}
        self.process = subprocess.Popen(
            [sys.executable, "-c", LEAD, sys.executable, "-m", "uffdviz", *words],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=own,
            start_new_session=True,
        )

    def shows(self, words: str) -> None:
        """Wait until some words were written."""
        while words not in CONTROL.sub("", self.written):
            assert self.hear(), CONTROL.sub("", self.written)

    def hear(self) -> bool:
        """Wait for more. Returns: whether there was any."""
        if not select.select([self.master], [], [], PATIENCE)[0]:
            return False
        try:
            more = os.read(self.master, 1 << 16)
        except OSError:
            return False
        self.written += more.decode(errors="replace")
        return bool(more)

    def press(self, keys: str) -> None:
        """Type."""
        self.written = ""
        _ = os.write(self.master, keys.encode())

    def close(self) -> None:
        """Close the terminal's window."""
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = -1

    def end(self) -> int:
        """Read on until the application has ended. Returns: its exit status."""
        watched = os.pidfd_open(self.process.pid)
        try:
            while (
                watched
                not in select.select(
                    [self.master, watched] if self.master >= 0 else [watched], [], [], PATIENCE
                )[0]
            ):
                assert self.hear(), "it neither writes nor ends"
            while self.master >= 0 and select.select([self.master], [], [], 0)[0] and self.hear():
                pass
        finally:
            os.close(watched)
        return self.process.wait()

    @property
    def mode(self) -> list[Any]:
        """How the terminal treats what is typed."""
        return termios.tcgetattr(self.slave)

    @property
    def left_over(self) -> list[int]:
        """The processes of its session that still run."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2]
            except OSError:
                continue
            if int(fields.split()[3]) == self.process.pid:
                found.append(int(folder.name))
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            _ = self.process.wait()
        for one in (self.master, self.slave):
            if one >= 0:
                os.close(one)
