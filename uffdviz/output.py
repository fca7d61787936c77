"""What is printed and complained, as far as there is anybody to hear it."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from errno import EBADF, EDQUOT, EFBIG, EIO, ENOSPC
from io import TextIOBase, TextIOWrapper
from typing import Final

UNWRITABLE: Final = frozenset({EBADF, EDQUOT, EFBIG, EIO, ENOSPC})
"""What is wrong where standard output cannot be written."""


class Closed(TextIOBase):
    """Standard output of a program that was started without one."""

    def write(self, _: str) -> int:
        """Say that it is closed."""
        raise OSError(EBADF, os.strerror(EBADF))


def open_outputs() -> None:
    """Have something to print to, and to complain to, whatever this was started with.

    A letter that the encoding of the output lacks is written as its number.
    """
    if sys.stdout is None:
        sys.stdout = Closed()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  for as long as the program runs
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def show(status: int, lines: Iterable[str]) -> int:
    """Print lines, as far as anybody reads them. Returns: the exit status."""
    try:
        for line in lines:
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        hush()  # whoever read this has seen enough
    return status


def unwritable(error: Exception) -> str:
    """Say why standard output could not be written; empty if the error is another one."""
    if not isinstance(error, OSError) or error.filename or error.errno not in UNWRITABLE:
        return ""
    return str(error.strerror).lower()


def hush() -> None:
    """Let what is still to be printed go nowhere: Python must not complain about it at exit either."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(text: str) -> None:
    """Say on standard error, in one line, what is wrong."""
    with suppress(OSError):
        sys.stderr.write(f"uffdviz: {one_line(text)}\n")
        sys.stderr.flush()


def one_line(text: str) -> str:
    return " ".join(text.split())
