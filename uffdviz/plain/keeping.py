"""Runs that are kept: saved to a file, passed on as a token, or left by choosing otherwise."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from uffdviz.plain.hearing import Command, Commands
from uffdviz.trace.recording import write_recording

if TYPE_CHECKING:
    from uffdviz.plain.talk import Talk


def branches(talk: "Talk", number: str) -> Iterator[str]:
    """Runs that were left, or one of them again."""
    left = talk.session.branches
    if number.isdecimal() and 1 <= int(number) <= len(left):
        asyncio.run(talk.session.switch(int(number) - 1))
        yield from talk.where()
        yield talk.next()
        return
    for at, (words, steps) in enumerate(left, 1):
        yield f"v {at}: {words}, {steps} steps."
    if not left:
        yield "No other run yet: go back with p, then step another task."


def save(talk: "Talk", file: str) -> Iterator[str]:
    """Write a recording."""
    path = Path(file) if file else talk.session.save()
    if file:
        path.write_bytes(write_recording(talk.session.header(), talk.session.events))
    yield f"Recording saved as {path}."


def token(talk: "Talk", _: str) -> Iterator[str]:
    """The run as a short token."""
    yield talk.session.token()


COMMANDS: Final[Commands] = {
    "v": Command(branches, "[NUMBER]"),
    "s": Command(save, "[FILE]"),
    "y": Command(token),
}
