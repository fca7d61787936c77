"""Runs that are kept: saved to a file, passed on as a token, or left by choosing otherwise."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from uffdviz.errors import UsageError
from uffdviz.plain.hearing import Command, Commands
from uffdviz.trace.recording import write_recording

if TYPE_CHECKING:
    from uffdviz.plain.talk import Talk


def branches(talk: "Talk", number: str) -> Iterator[str]:
    """Runs that you left by choosing otherwise; with a number: go there."""
    if number:
        index = branch_of(talk, number)
        if index >= 0:
            asyncio.run(talk.session.switch(index))
        yield from talk.again()
        return
    for at, (index, depth, words) in enumerate(talk.session.tree(), 1):
        branch = f", a branch {depth} deep" if depth > 1 else ""
        yield f"v {at}: {words.replace('  ', ': ')}{branch}{'. You are here' if index < 0 else ''}."
    if not talk.session.branches:
        yield "No other run yet: go back with p, then step another task."


def branch_of(talk: "Talk", number: str) -> int:
    """The run of a number in the list; the present one is -1.

    Raises: UsageError if there is none.
    """
    tree = talk.session.tree()
    if not number.isdecimal() or not 1 <= int(number) <= len(tree):
        msg = f"no run {number!r}; runs are 1 to {len(tree)}"
        raise UsageError(msg)
    return tree[int(number) - 1][0]


def name(talk: "Talk", words: str) -> Iterator[str]:
    """Give this run a name, or the one of that number.

    Raises: UsageError if there is no name, or no such run.
    """
    number, _, rest = words.partition(" ")
    index = branch_of(talk, number) if number.isdecimal() and rest else -1
    wanted = rest if index >= 0 or (number.isdecimal() and rest) else words
    if not wanted:
        msg = "say a name: name what I tried"
        raise UsageError(msg)
    talk.session.call(index, wanted)
    yield from branches(talk, "")


def save(talk: "Talk", file: str) -> Iterator[str]:
    """Save a recording of this run."""
    path = Path(file) if file else talk.session.save()
    if file:
        path.write_bytes(write_recording(talk.session.header(), talk.session.events))
    yield f"Recording saved as {path}."


def token(talk: "Talk", _: str) -> Iterator[str]:
    """The run as a short token."""
    yield talk.session.token()


COMMANDS: Final[Commands] = {
    "v": Command(branches, "[NUMBER]"),
    "name": Command(name, "[NUMBER] WORDS"),
    "s": Command(save, "[FILE]"),
    "y": Command(token),
}
