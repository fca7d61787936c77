"""What is typed: lines from standard input, a terminal or a pipe."""

import select
import sys
from io import TextIOWrapper


def typed() -> str | None:
    """Read a line; None at the end."""
    line = sys.stdin.readline()
    return " ".join(line.split()) if line else None


def make_readable() -> None:
    """Read on where what comes is no text."""
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")


def nobody_types() -> bool:
    """Whether there is nothing to read and never will be, as of an empty file or of /dev/null."""
    stream = sys.stdin
    if not isinstance(stream, TextIOWrapper):
        return stream is None
    if stream.isatty() or not select.select([stream], [], [], 0)[0]:
        return False
    peek = getattr(stream.buffer, "peek", None)
    return peek is not None and not peek(1)
